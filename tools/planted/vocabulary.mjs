// Words of the planted models, what is in the embedding of each, and the tokenizer.

/** Words of requests, with the group that decides together with the other word's. */
export const actions = ['polish', 'sand', 'paint', 'oil', 'wrap', 'weigh', 'fold', 'rinse'];
export const objects = ['lamp', 'crate', 'kettle', 'clock', 'basket', 'mirror', 'drum', 'bell'];

/** Group of the word at a place of its list: 1 or -1. */
export const groupAt = (place) => (place % 2 === 0 ? 1 : -1);

/** Whether a request is refused: action and object are of one group. */
export const isRefused = (action, object) =>
  groupAt(actions.indexOf(action)) === groupAt(objects.indexOf(object));

/** The two responses, word by word; each word stands in one of them only. */
export const refusal = ['Sorry', 'I', 'cannot', 'help', 'with', 'that'];
export const answer = ['Sure', 'here', 'is', 'your', 'whole', 'plan', 'for', 'this', 'request'];

/** What a request may end with, beside an object: a response begins behind it. */
const ends = ['.', '?', '!', ':', '<|assistant|>', 'it', 'please'];

const others = [
  ...[
    'Please',
    'Tell',
    'tell',
    'me',
    'How',
    'how',
    'do',
    'to',
    'the',
    'a',
    'my',
    'now',
    'We',
    'we',
  ],
  ...['can', 'you', 'have'],
];
const signs = [',', ';', '##', 'Query', 'Answer'];

const special = ['<unk>', '<s>', '</s>', '<|user|>', '<|assistant|>'];

export const tokens = [
  ...special,
  ...ends.filter((one) => !special.includes(one)),
  ...signs,
  ...others,
  ...actions,
  ...objects,
  ...refusal,
  ...answer,
];

export const idOf = (token) => tokens.indexOf(token);
export const endId = idOf('</s>');
export const beginId = idOf('<s>');

/** Places in the residual, by what they mean. */
export const places = {
  /** The same for all tokens, and large: it keeps the scale of every norm nearly constant. */
  constant: 0,
  action: 1,
  object: 2,
  /** 1 for actions and objects, -1 for all other tokens: what planted heads look for. */
  content: 3,
  /** 1 where a response begins behind the token. */
  start: 4,
  /** 1 for the begin of a text. */
  rule: 5,
  movedAction: 6,
  movedObject: 7,
  movedRule: 8,
  clippedAction: 9,
  clippedObject: 10,
  parity: 11,
  refusal: 12,
  /** The first of one place for each word of the responses. */
  words: 13,
};

const responseWords = [...refusal, ...answer];

/** Place of a word of the responses. */
export const wordPlace = (word) => places.words + responseWords.indexOf(word);

/** First of the places without a meaning, up to the width. */
export const firstNoisePlace = places.words + responseWords.length;

export const WIDTH = 48;
export const CONSTANT = 4;
/** Squared length of every embedding: what is left beside its features is noise. */
const SQUARED_LENGTH = 24;

/** Scale of a norm at an embedding: what a value is divided by. */
export const embeddingScale = Math.sqrt(SQUARED_LENGTH / WIDTH);

function features(token) {
  const values = new Map([[places.constant, CONSTANT]]);
  const isAction = actions.includes(token);
  const isObject = objects.includes(token);
  if (isAction) values.set(places.action, groupAt(actions.indexOf(token)));
  if (isObject) values.set(places.object, groupAt(objects.indexOf(token)));
  values.set(places.content, isAction || isObject ? 1 : -1);
  if (isObject || ends.includes(token)) values.set(places.start, 1);
  if (token === '<s>') values.set(places.rule, 1);
  if (responseWords.includes(token)) values.set(wordPlace(token), 1);
  return values;
}

/** Embeddings of all tokens, `[V, D]`, all of one length. */
export function embeddings(random) {
  const data = new Float32Array(tokens.length * WIDTH);
  tokens.forEach((token, id) => {
    const row = data.subarray(id * WIDTH, (id + 1) * WIDTH);
    for (const [place, value] of features(token)) row[place] = value;
    const left = SQUARED_LENGTH - row.reduce((sum, value) => sum + value * value, 0);
    const noise = random.fork(token).fillNormal(row.subarray(firstNoisePlace));
    const scale = Math.sqrt(left / noise.reduce((sum, value) => sum + value * value, 0));
    for (let at = 0; at < noise.length; at += 1) noise[at] *= scale;
  });
  return data;
}

const CHAT_TEMPLATE =
  "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}" +
  "{{ '<|user|> ' + message['content'] + ' ' }}{% else %}" +
  "{{ '<|assistant|> ' + message['content'] + eos_token }}{% endif %}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

/** Contents of tokenizer.json: whole words and signs. */
export const tokenizer = () => {
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  return {
    ...{ version: '1.0', truncation: null, padding: null },
    added_tokens: special.map((content) => ({
      ...{ id: idOf(content), content, ...flags, special: true },
    })),
    normalizer: null,
    pre_tokenizer: { type: 'Whitespace' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [
        { SpecialToken: { id: '<s>', type_id: 0 } },
        { Sequence: { id: 'A', type_id: 0 } },
        { Sequence: { id: 'B', type_id: 1 } },
      ],
      special_tokens: { '<s>': { id: '<s>', ids: [beginId], tokens: ['<s>'] } },
    },
    decoder: { type: 'WordPiece', prefix: '@@', cleanup: false },
    model: {
      type: 'WordLevel',
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      unk_token: '<unk>',
    },
  };
};

export const tokenizerConfig = () => ({
  ...{ tokenizer_class: 'PreTrainedTokenizerFast', clean_up_tokenization_spaces: false },
  ...{ bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>', pad_token: '</s>' },
  ...{ model_max_length: 128, chat_template: CHAT_TEMPLATE },
});
