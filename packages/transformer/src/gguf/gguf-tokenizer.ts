/**
 * The tokenizer in the metadata of a GGUF file as tokenizer.json and tokenizer_config.json.
 *
 * Source: llama.cpp, `llama-vocab.cpp`.
 */
import { ModelError } from '@lab/core';
import type { ConfigFields } from '../config-fields.js';
import type { GgufContent } from './gguf-file.js';
import { metadataFields, numbersOf, textsOf } from './metadata-fields.js';
import { preTokenizers, type Step } from './pre-tokenizers.js';
import { type Merge, scoreMerges } from './score-merges.js';
import { chatTemplates, textTemplate } from './tokenizer-templates.js';

/** Contents of the two files. */
export interface TokenizerFiles {
  readonly content: Readonly<Record<string, unknown>>;
  readonly config: Readonly<Record<string, unknown>>;
}

/** Kinds of tokens, as `tokenizer.ggml.token_type` numbers them. */
export const TokenKind = {
  normal: 1,
  unknown: 2,
  control: 3,
  userDefined: 4,
  unused: 5,
  byte: 6,
} as const;

/** Name of a token that stands for none: rows of the embeddings beyond the vocabulary. */
export const paddingName = (id: number): string => `[PAD${id}]`;

export const SPACE = '\u2581';
/** Characters of a piece that merges can make. */
const MOST_PIECE = 1024;
const AGAIN = 'Take the folder that the model was converted from, or convert it again.';

/** Special tokens of tokenizer_config.json, by the names that metadata have for their ids. */
export const specialNames: Readonly<Record<string, string>> = {
  ...{ bos: 'bos_token', eos: 'eos_token', unknown: 'unk_token', padding: 'pad_token' },
  ...{ seperator: 'sep_token', cls: 'cls_token', mask: 'mask_token' },
};

/** Keys of other uses: none of them changes the ids of a text. */
const otherKeys = [
  ...['eot', 'eom', 'prefix', 'suffix', 'middle', 'fim_pre', 'fim_suf', 'fim_mid', 'fim_pad'],
  ...['fim_rep', 'fim_sep', 'separator'],
].map((name) => `${name}_token_id`);

/**
 * The tokenizer of a GGUF file.
 *
 * @throws {ModelError} where it has none, or one that tokenizer.json cannot hold exactly.
 */
export function ggufTokenizer(gguf: GgufContent): TokenizerFiles {
  const fields = metadataFields(gguf, 'tokenizer.ggml.');
  const model = fields.text('model', 'none');
  const tokens = tokensOf(gguf);
  if (tokens === null || (model !== 'gpt2' && model !== 'llama')) {
    throw new ModelError(
      `${gguf.path}: its tokenizer (tokenizer.ggml.model) is ${JSON.stringify(model)}.`,
      { help: 'Those of gpt2 and llama are read; give token ids instead of texts.' },
    );
  }
  fields.ignore('tokens', 'token_type', 'scores', 'merges', 'token_type_count', ...otherKeys);
  const tokenAt = (name: string) => {
    const id = fields.optionalNumber(`${name}_token_id`);
    return id === null ? undefined : tokens[id]?.text;
  };
  const special = Object.fromEntries(
    Object.entries(specialNames).flatMap(([name, own]) => {
      const text = tokenAt(name);
      return text === undefined ? [] : [[own, text]];
    }),
  );
  const source = { gguf, fields, tokens, special };
  const content = model === 'gpt2' ? byteTokenizer(source) : pieceTokenizer(source);
  fields.assertAllRead();
  return { content, config: { ...special, ...chatTemplates(gguf) } };
}

/** A token with its id. */
interface Token {
  readonly id: number;
  readonly text: string;
  readonly kind: number;
  readonly score: number;
}

interface Source {
  readonly gguf: GgufContent;
  readonly fields: ConfigFields;
  readonly tokens: readonly Token[];
  readonly special: Readonly<Record<string, string>>;
}

function tokensOf(gguf: GgufContent): readonly Token[] | null {
  const texts = textsOf(gguf, 'tokenizer.ggml.tokens');
  if (texts === null) return null;
  const kinds = numbersOf(gguf, 'tokenizer.ggml.token_type');
  const scores = numbersOf(gguf, 'tokenizer.ggml.scores');
  for (const [name, list] of Object.entries({ token_type: kinds, scores })) {
    if (list === null || list.length === texts.length) continue;
    throw new ModelError(
      `${gguf.path}: tokenizer.ggml.${name} has ${list.length} values for ${texts.length} tokens.`,
      { help: AGAIN },
    );
  }
  return texts.map((text, id) => {
    return { id, text, kind: kinds?.[id] ?? TokenKind.normal, score: scores?.[id] ?? 0 };
  });
}

/** Ids by token; rows without one are left out. */
function vocabularyOf({ gguf, tokens }: Source): Map<string, Token> {
  const vocabulary = new Map<string, Token>();
  for (const token of tokens) {
    const { id, text, kind } = token;
    if (kind === TokenKind.unused && text === paddingName(id)) continue;
    const other = vocabulary.get(text);
    if (other !== undefined) {
      throw new ModelError(
        `${gguf.path}: token ${JSON.stringify(text)} stands for the ids ${other.id} and ${id}.`,
        { help: AGAIN },
      );
    }
    vocabulary.set(text, token);
  }
  return vocabulary;
}

const idsOf = (vocabulary: ReadonlyMap<string, Token>): Record<string, number> => {
  const ids: Record<string, number> = {};
  for (const [text, { id }] of vocabulary) {
    Object.defineProperty(ids, text, { value: id, enumerable: true, writable: true });
  }
  return ids;
};

/** Tokens that are found in a text before anything else is done with it. */
const addedTokens = (tokens: readonly Token[], kinds: readonly number[]): Step[] =>
  tokens
    .filter(({ kind, text }) => kinds.includes(kind) && text !== '')
    .map(({ id, text, kind }) => ({
      ...{ id, content: text, single_word: false, lstrip: false, rstrip: false },
      ...{ normalized: false, special: kind !== TokenKind.userDefined },
    }));

const sequence = (list: string, steps: readonly Step[]): Step | null =>
  steps.length <= 1 ? (steps[0] ?? null) : { type: 'Sequence', [list]: steps };

const whole = { version: '1.0', truncation: null, padding: null } as const;

/** A tokenizer of bytes with merges, as GPT-2's. */
function byteTokenizer(source: Source): Step {
  const { gguf, fields, tokens } = source;
  const name = fields.text('pre', '');
  const own = preTokenizers.find(({ names }) => names.includes(name));
  if (own === undefined) {
    const known = preTokenizers.flatMap(({ names }) => names);
    throw new ModelError(
      `${gguf.path}: tokenizer.ggml.pre ${JSON.stringify(name)} is not known here.`,
      { help: `Known are ${known.join(', ')}. ${AGAIN}` },
    );
  }
  fields.only('add_space_prefix', false);
  const merges = textsOf(gguf, 'tokenizer.ggml.merges');
  if (merges === null) {
    throw new ModelError(`${gguf.path}: has no tokenizer.ggml.merges.`, { help: AGAIN });
  }
  const model = { type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null };
  const bytes = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true };
  return {
    ...whole,
    added_tokens: addedTokens(tokens, [TokenKind.control, TokenKind.userDefined]),
    normalizer: own.normalizer,
    pre_tokenizer: sequence('pretokenizers', own.steps),
    post_processor: ends(source, own.addsBegin),
    decoder: bytes,
    model: {
      ...model,
      ...{ end_of_word_suffix: null, fuse_unk: false, byte_fallback: false },
      ignore_merges: own.ignoresMerges,
      vocab: idsOf(vocabularyOf(source)),
      merges: merges.map((merge) => pairOf(merge)),
    },
  };
}

/** The two parts of `left right`; the left one may begin with a space. */
function pairOf(merge: string): readonly string[] {
  const at = merge.indexOf(' ', 1);
  return at < 0 ? [merge] : [merge.slice(0, at), merge.slice(at + 1)];
}

/** A tokenizer of pieces with scores, as SentencePiece has it. */
function pieceTokenizer(source: Source): Step {
  const { gguf, fields, tokens, special } = source;
  const hasSpace = fields.boolean('add_space_prefix', true);
  fields.ignore('pre');
  fields.only('remove_extra_whitespaces', false);
  const vocabulary = vocabularyOf(source);
  const { byte, control, normal, unknown, userDefined } = TokenKind;
  const pieces = new Map([...vocabulary].filter(([, { kind }]) => kind === normal));
  const long = tokens.find(({ text, kind }) => kind === normal && text.length > MOST_PIECE);
  if (long !== undefined) {
    throw new ModelError(
      `${gguf.path}: token ${long.id} has ${long.text.length} characters, more than ${MOST_PIECE}.`,
      { help: AGAIN },
    );
  }
  const { merges, contended } = scoreMerges(pieces);
  if (contended !== null) {
    throw new ModelError(
      `${gguf.path}: pieces ${contended.map((one) => JSON.stringify(one)).join(' and ')} have ` +
        'one score: which of them is made in a text is not said by merges.',
      { help: 'Take the tokenizer.json of the model that was converted.' },
    );
  }
  const replace = (from: string, to: string): Step => ({
    ...{ type: 'Replace', pattern: { String: from }, content: to },
  });
  const spaces = replace(' ', SPACE);
  const unknownToken = special['unk_token'] ?? tokens.find(({ kind }) => kind === unknown)?.text;
  return {
    ...whole,
    added_tokens: addedTokens(tokens, [control, unknown, userDefined]),
    normalizer: hasSpace
      ? sequence('normalizers', [{ type: 'Prepend', prepend: SPACE }, spaces])
      : spaces,
    pre_tokenizer: null,
    post_processor: ends(source, true),
    decoder: sequence('decoders', [
      replace(SPACE, ' '),
      { type: 'ByteFallback' },
      { type: 'Fuse' },
      ...(hasSpace ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
    ]),
    model: {
      ...{ type: 'BPE', dropout: null, unk_token: unknownToken ?? null },
      ...{ continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: true },
      byte_fallback: tokens.some(({ kind }) => kind === byte),
      ignore_merges: false,
      vocab: idsOf(vocabulary),
      merges: merges as Merge[],
    },
  };
}

/** What is added at begin and end. */
function ends({ gguf, fields, special }: Source, addsBegin: boolean): Step | null {
  fields.only('add_sep_token', false);
  const isBegun = fields.boolean('add_bos_token', addsBegin);
  const isEnded = fields.boolean('add_eos_token', false);
  const own = (isAdded: boolean, name: string): readonly string[] => {
    const token = special[name];
    if (!isAdded) return [];
    if (token !== undefined) return [token];
    throw new ModelError(`${gguf.path}: adds a ${name}, and has no id of it.`, { help: AGAIN });
  };
  const [begin, end] = [own(isBegun, 'bos_token'), own(isEnded, 'eos_token')];
  return begin.length + end.length === 0 ? null : textTemplate(begin, end, idOf(gguf));
}

const idOf = (gguf: GgufContent) => (token: string) =>
  textsOf(gguf, 'tokenizer.ggml.tokens')!.indexOf(token);
