/**
 * Checks of tokenizer.json: the library that interprets it takes what it finds there as it is.
 */
import { ModelError } from '@lab/core';
import { isJsonObject } from './json-file.js';
import { shownValue } from './config-fields.js';

/** What a field must be. */
interface Kind {
  readonly what: string;
  readonly is: (value: unknown) => boolean;
}

type Fields = Readonly<Record<string, Kind>>;

/** Ids have 32 bits. */
const MOST_ID = 2 ** 32 - 2;
const MOST_DEPTH = 16;

const isText = (value: unknown): value is string => typeof value === 'string';
const isId = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MOST_ID;

const needed = {
  text: { what: 'a text', is: isText },
  id: { what: 'a whole number from 0 on', is: isId },
  length: { what: 'a whole number from 1 on', is: (value) => isId(value) && value > 0 },
  filled: { what: 'a text that is not empty', is: (value) => isText(value) && value !== '' },
  pattern: { what: 'a String or a Regex', is: isPattern },
  template: { what: 'a list of SpecialToken and Sequence', is: isTemplate },
  tokenAndId: {
    what: 'a token and its id',
    is: (value) => Array.isArray(value) && isText(value[0]) && isId(value[1]),
  },
} satisfies Fields;

const optional = ({ what, is }: Kind): Kind => ({
  what: `${what}, or nothing`,
  is: (value) => value === undefined || value === null || is(value),
});

const flag = optional({ what: 'true or false', is: (value) => typeof value === 'boolean' });
const text = optional(needed.text);
const count = optional(needed.id);
const choice = (...values: readonly string[]) =>
  optional({
    what: `one of ${values.join(', ')}`,
    is: (value) => isText(value) && values.includes(value),
  });

function isPattern(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  const { Regex: regex, String: plain } = value;
  return regex === undefined ? isText(plain) && plain !== '' : isText(regex);
}

function isTemplate(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => isPiece(one));
}

function isPiece(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  const { SpecialToken: special, Sequence: sequence } = value;
  if (special !== undefined) return isJsonObject(special) && isText(special['id']);
  return isJsonObject(sequence) && (sequence['id'] === 'A' || sequence['id'] === 'B');
}

const byteLevel = { add_prefix_space: flag, trim_offsets: flag, use_regex: flag };
const metaspace = {
  ...{ replacement: optional(needed.filled), str_rep: text, add_prefix_space: flag, split: flag },
  prepend_scheme: choice('always', 'first', 'never'),
};
const replace = { pattern: needed.pattern, content: text };
const behaviors = ['removed', 'isolated', 'mergedwithprevious', 'mergedwithnext', 'contiguous'];
const behavior = optional({
  what: 'one of Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous',
  is: (value) => isText(value) && behaviors.includes(value.toLowerCase()),
});
const ends = { sep: needed.tokenAndId, cls: needed.tokenAndId };

/** A step of the way from texts to ids or back: its types with their fields. */
interface Part {
  /** Field of a Sequence that lists the steps in it. */
  readonly list: string;
  readonly types: Readonly<Record<string, Fields>>;
}

const parts: Readonly<Record<string, Part>> = {
  normalizer: {
    list: 'normalizers',
    types: {
      ...{ NFC: {}, NFD: {}, NFKC: {}, NFKD: {}, StripAccents: {}, Lowercase: {} },
      BertNormalizer: {
        ...{ clean_text: flag, handle_chinese_chars: flag, strip_accents: flag, lowercase: flag },
      },
      Precompiled: { precompiled_charsmap: text },
      Replace: replace,
      Strip: { strip_left: flag, strip_right: flag },
      Prepend: { prepend: needed.text },
    },
  },
  pre_tokenizer: {
    list: 'pretokenizers',
    types: {
      ...{ BertPreTokenizer: {}, Whitespace: {}, WhitespaceSplit: {}, Replace: replace },
      ...{ Metaspace: metaspace, ByteLevel: byteLevel, Punctuation: { behavior } },
      Split: { pattern: needed.pattern, behavior, invert: flag },
      Digits: { individual_digits: flag },
      FixedLength: { length: needed.length },
    },
  },
  post_processor: {
    list: 'processors',
    types: {
      ...{ ByteLevel: byteLevel, BertProcessing: ends, RobertaProcessing: ends },
      TemplateProcessing: { single: needed.template, pair: optional(needed.template) },
    },
  },
  decoder: {
    list: 'decoders',
    types: {
      ...{ ByteLevel: byteLevel, Metaspace: metaspace, Replace: replace },
      ...{ Fuse: {}, ByteFallback: {}, BPEDecoder: { suffix: optional(needed.filled) } },
      WordPiece: { prefix: text, cleanup: flag },
      CTC: { pad_token: text, word_delimiter_token: text, cleanup: flag },
      Strip: { content: text, start: count, stop: count },
    },
  },
};

const bpe = {
  ...{ unk_token: text, continuing_subword_prefix: text, continuing_subword_suffix: text },
  ...{ end_of_word_suffix: text, fuse_unk: flag, byte_fallback: flag, ignore_merges: flag },
};
const models: Readonly<Record<string, Fields>> = {
  BPE: bpe,
  WordPiece: {
    ...{ unk_token: text, continuing_subword_prefix: text, max_input_chars_per_word: count },
  },
  Unigram: { unk_id: count, byte_fallback: flag },
  WordLevel: { unk_token: text },
};

const token: Fields = {
  ...{ id: needed.id, content: needed.filled, single_word: flag, lstrip: flag, rstrip: flag },
  ...{ normalized: flag, special: flag },
};

/** Checks of one file. */
class FileCheck {
  constructor(private readonly file: string) {}

  wrong(path: string, what: string, got: unknown): ModelError {
    return new ModelError(`${this.file}: ${path} must be ${what}, got ${shownValue(got)}.`, {
      help: 'Copy the file again, or write it again with transformers.',
    });
  }

  object(path: string, value: unknown): Readonly<Record<string, unknown>> {
    if (isJsonObject(value)) return value;
    throw this.wrong(path, 'an object', value);
  }

  list(path: string, value: unknown): readonly unknown[] {
    if (Array.isArray(value)) return value as unknown[];
    throw this.wrong(path, 'a list', value);
  }

  fields(path: string, value: unknown, fields: Fields): void {
    const own = this.object(path, value);
    for (const [name, { what, is }] of Object.entries(fields)) {
      if (!is(own[name])) throw this.wrong(`${path}.${name}`, what, own[name]);
    }
  }

  /** A step, or a Sequence of steps. */
  part(path: string, value: unknown, { list, types }: Part, depth = 0): void {
    const own = this.object(path, value);
    const type = String(isText(own['type']) ? own['type'] : '');
    if (type === 'Sequence' && depth < MOST_DEPTH) {
      for (const [at, one] of this.list(`${path}.${list}`, own[list]).entries()) {
        this.part(`${path}.${list}[${at}]`, one, { list, types }, depth + 1);
      }
      return;
    }
    const fields = Object.hasOwn(types, type) ? types[type] : undefined;
    const known = `one of Sequence, ${Object.keys(types).join(', ')}`;
    if (fields === undefined) throw this.wrong(`${path}.type`, known, own['type']);
    this.fields(path, own, fields);
  }

  /** Tokens with ids, or with scores in the order of the ids. */
  model(value: unknown): void {
    const model = this.object('model', value);
    const { vocab, merges } = model;
    const type = isText(model['type']) ? model['type'] : typeOf(model);
    const fields = Object.hasOwn(models, type) ? models[type] : undefined;
    const known = `one of ${Object.keys(models).join(', ')}`;
    if (fields === undefined) throw this.wrong('model.type', known, model['type']);
    this.fields('model', model, fields);
    if (type === 'Unigram') {
      this.scores(this.list('model.vocab', vocab), model['unk_id']);
      return;
    }
    const ids = this.object('model.vocab', vocab);
    for (const own of Object.keys(ids)) {
      if (!isId(ids[own]))
        throw this.wrong(`the id of ${shownValue(own)}`, needed.id.what, ids[own]);
    }
    if (type !== 'BPE') return;
    const prefix = model['continuing_subword_prefix'];
    this.merges(this.list('model.merges', merges), ids, isText(prefix) ? prefix.length : 0);
  }

  private scores(vocab: readonly unknown[], unknownId: unknown): void {
    const wrong = vocab.findIndex(
      (one) => !(Array.isArray(one) && isText(one[0]) && Number.isFinite(one[1])),
    );
    if (wrong >= 0) throw this.wrong(`model.vocab[${wrong}]`, 'a text and a score', vocab[wrong]);
    const isKnown =
      unknownId === undefined || unknownId === null || Number(unknownId) < vocab.length;
    if (vocab.length > 0 && isKnown) return;
    throw this.wrong('model.unk_id', `an id below ${vocab.length}`, unknownId);
  }

  /** Pairs of tokens that become one; all in one of two forms, and of tokens that have ids. */
  private merges(merges: readonly unknown[], ids: object, prefixLength: number): void {
    const arePairs = Array.isArray(merges[0]);
    for (const [at, one] of merges.entries()) {
      const pair = arePairs ? one : isText(one) ? one.split(' ') : null;
      const [first, second] = Array.isArray(pair) && pair.length === 2 ? (pair as unknown[]) : [];
      const isMerge =
        isText(first) &&
        isText(second) &&
        Object.hasOwn(ids, first) &&
        Object.hasOwn(ids, second) &&
        Object.hasOwn(ids, first + second.slice(prefixLength));
      if (!isMerge) throw this.wrong(`model.merges[${at}]`, 'two tokens that have ids', one);
    }
  }
}

/** The type of a model in older files, which do not name it. */
function typeOf({ vocab, merges }: Readonly<Record<string, unknown>>): string {
  if (Array.isArray(vocab)) return 'Unigram';
  return merges === undefined ? 'WordPiece' : 'BPE';
}

/**
 * Checks what tokenizer.json says, field by field.
 *
 * @param file - for messages.
 * @throws {ModelError} for what is of another type, out of range, or not known.
 */
export function assertTokenizerFile(
  content: Readonly<Record<string, unknown>>,
  file: string,
): void {
  const check = new FileCheck(file);
  for (const [name, part] of Object.entries(parts)) {
    const value = content[name];
    if (value !== null && value !== undefined) check.part(name, value, part);
  }
  check.model(content['model']);
  for (const [at, one] of check.list('added_tokens', content['added_tokens'] ?? []).entries()) {
    check.fields(`added_tokens[${at}]`, one, token);
  }
}
