// Byte-pair encoding, trained on the texts of the workshop, in the form of tokenizer.json.

/** Special tokens; the first of the vocabulary. */
export const special = {
  pad: '<|pad|>',
  begin: '<|begin|>',
  end: '<|end|>',
  user: '<|user|>',
  assistant: '<|assistant|>',
};

const names = Object.values(special);

/** Words with the space before them, signs with it, white space. */
const PIECES = ' ?\\p{L}+| ?\\p{N}| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+';

/** A conversation: of the user's turns and, each with its end, the model's. */
const CHAT_TEMPLATE =
  '{{ bos_token }}{% for message in messages %}' +
  "{% if message['role'] == 'user' %}{{ '<|user|> ' + message['content'] }}" +
  "{% elif message['role'] == 'assistant' %}" +
  "{{ '<|assistant|> ' + message['content'] + '<|end|>' }}" +
  "{% else %}{{ raise_exception('There are turns of user and assistant only.') }}{% endif %}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

/** A letter for every byte, as byte-level tokenizers write them. */
function byteLetters() {
  const isPlain = (byte) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCodePoint(isPlain(byte) ? byte : next++),
  );
}

/** Pieces of the texts, as lists of letters, with how often they occur. */
function countPieces(texts, letters) {
  const isSpecial = new Set(names);
  const split = new RegExp(`(${names.map((name) => name.replaceAll('|', '\\|')).join('|')})`);
  const counts = new Map();
  for (const text of texts) {
    for (const part of text.split(split)) {
      if (isSpecial.has(part)) continue;
      for (const [piece] of part.matchAll(new RegExp(PIECES, 'gu'))) {
        counts.set(piece, (counts.get(piece) ?? 0) + 1);
      }
    }
  }
  return [...counts].map(([piece, count]) => ({
    parts: [...Buffer.from(piece)].map((byte) => letters[byte]),
    count,
  }));
}

/** The most frequent pair of neighbours, the first in the order of code points among equals. */
function bestPair(pieces) {
  const counts = new Map();
  for (const { parts, count } of pieces) {
    for (let at = 0; at + 1 < parts.length; at += 1) {
      const key = `${parts[at]} ${parts[at + 1]}`;
      counts.set(key, (counts.get(key) ?? 0) + count);
    }
  }
  let best = null;
  for (const [key, count] of counts) {
    const isBetter = best === null || count > best.count;
    if (isBetter || (count === best.count && key < best.key)) best = { key, count };
  }
  return best;
}

function mergePair(parts, [left, right]) {
  const merged = [];
  for (let at = 0; at < parts.length; at += 1) {
    const isPair = parts[at] === left && parts[at + 1] === right;
    merged.push(isPair ? left + right : parts[at]);
    if (isPair) at += 1;
  }
  return merged;
}

/**
 * The contents of tokenizer.json and tokenizer_config.json: pairs are merged until all pieces of
 * the texts are whole, or none occurs twice.
 */
export function trainTokenizer(texts) {
  const letters = byteLetters();
  const pieces = countPieces(texts, letters);
  const merges = [];
  for (;;) {
    const best = bestPair(pieces);
    if (best === null || best.count < 2) break;
    const pair = best.key.split(' ');
    merges.push(pair);
    for (const piece of pieces) piece.parts = mergePair(piece.parts, pair);
  }
  const tokens = [...names, ...letters, ...merges.map(([left, right]) => left + right)];
  return { content: contentOf(tokens, merges), config: configOf() };
}

function contentOf(tokens, merges) {
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false };
  const beginId = names.indexOf(special.begin);
  const split = { type: 'Split', pattern: { Regex: PIECES }, behavior: 'Isolated', invert: false };
  const begin = { SpecialToken: { id: special.begin, type_id: 0 } };
  return {
    ...{ version: '1.0', truncation: null, padding: null },
    added_tokens: names.map((content, id) => ({ id, content, ...flags, special: true })),
    normalizer: null,
    pre_tokenizer: { type: 'Sequence', pretokenizers: [split, { ...byteLevel, use_regex: false }] },
    post_processor: {
      type: 'TemplateProcessing',
      single: [begin, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [begin, { Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
      special_tokens: {
        [special.begin]: { id: special.begin, ids: [beginId], tokens: [special.begin] },
      },
    },
    decoder: { ...byteLevel, use_regex: true },
    model: {
      ...{ type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null },
      ...{ end_of_word_suffix: null, fuse_unk: false, byte_fallback: false, ignore_merges: false },
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  };
}

const configOf = () => ({
  ...{ tokenizer_class: 'PreTrainedTokenizerFast', clean_up_tokenization_spaces: false },
  ...{ bos_token: special.begin, eos_token: special.end, pad_token: special.pad },
  ...{ model_max_length: 512, chat_template: CHAT_TEMPLATE },
});
