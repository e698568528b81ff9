/**
 * The tokenizer of a checkpoint: texts to ids and back, batches with padding.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer as TextTokenizer } from '@huggingface/tokenizers';
import { ConfigError, ModelError } from '@lab/core';
import { type ChatTemplates, readChatTemplates } from './chat-template.js';
import { isGgufFile, withGguf } from './gguf/gguf-file.js';
import { ggufTokenizer, type TokenizerFiles } from './gguf/gguf-tokenizer.js';
import { readJsonObject } from './json-file.js';
import { offsetsReader, type TextRange } from './token-offsets.js';
import { assertTokenizerFile } from './tokenizer-file.js';
import { replaceSections } from './tokenizer-sections.js';
import { replaceSteps } from './tokenizer-steps.js';
import { checkpointFolder } from './weights/checkpoint-folder.js';

/** How texts become ids. */
export interface EncodeOptions {
  /** Whether the tokenizer's own tokens are added at begin and end; default true. */
  readonly addSpecialTokens?: boolean | undefined;
  /**
   * Whether ids begin with the token that begins texts: true puts it there where it is not, and no
   * cut takes it away; false leaves it out. Default as the tokenizer has it: that of GPT-2 puts
   * none, TransformerLens does.
   */
  readonly prependBos?: boolean | undefined;
  /** Most tokens of a text; those behind, or before, are cut away. Default all are kept. */
  readonly maxTokens?: number | undefined;
  /** Which end is cut; default `right`. */
  readonly truncation?: 'left' | 'right' | undefined;
}

/** How a batch is filled up. */
export interface BatchOptions extends EncodeOptions {
  /** Default `left`, as decoders want it. */
  readonly padding?: 'left' | 'right' | undefined;
}

/** Ids of several texts, of one length. */
export interface EncodedBatch {
  readonly ids: number[][];
  /** 1 for a token, 0 for padding. */
  readonly mask: number[][];
}

/** Ids of a text, and where they stand in it. */
export interface EncodedText {
  readonly ids: number[];
  /**
   * Of each token the range of the text, in UTF-16 units, whole characters; null for one that was
   * added. Tokens that share the bytes of a character have it in their ranges all.
   */
  readonly offsets: readonly (TextRange | null)[];
}

/** A text's tokenizer; made by {@link loadTokenizer}. */
export interface Tokenizer {
  /** Ids of a text. */
  encode(text: string, options?: EncodeOptions): number[];
  /** As `encode`, with where in the text each token stands. */
  encodeWithOffsets(text: string, options?: Pick<EncodeOptions, 'addSpecialTokens'>): EncodedText;
  /** Ids of several texts, filled up to the longest, for {@link Model.forward}. */
  encodeBatch(texts: readonly string[], options?: BatchOptions): EncodedBatch;
  /**
   * The text of ids.
   *
   * @param options - `skipSpecialTokens`: leave out those that are no text; default false.
   */
  decode(ids: readonly number[], options?: { readonly skipSpecialTokens?: boolean }): string;
  /** A token as it stands in the vocabulary, with its marks for spaces and bytes; null for none. */
  tokenOf(id: number): string | null;
  idOf(token: string): number | null;
  /** Id that fills up a batch: the padding token's, else the end's, else 0. */
  readonly paddingId: number;
  readonly beginId: number | null;
  readonly endId: number | null;
  /** Chat templates of the checkpoint. */
  readonly chat: ChatTemplates;
}

/** A special token in tokenizer_config.json: a text, or an object with one. */
type SpecialToken = string | { readonly content?: unknown } | null | undefined;

const contentOf = (token: SpecialToken): string | null => {
  if (typeof token === 'string') return token;
  return typeof token?.content === 'string' ? token.content : null;
};

/**
 * Loads tokenizer.json and tokenizer_config.json of a checkpoint, or what a GGUF file has for them.
 *
 * @param path - folder of the checkpoint or of the local Hugging Face cache, or a GGUF file.
 * @throws {ModelError} where there is no tokenizer.json, or one that cannot be read.
 */
export function loadTokenizer(path: string): Tokenizer {
  const folder = checkpointFolder(path);
  const { content, config, file } = isGgufFile(folder)
    ? { ...withGguf(folder, ggufTokenizer), file: folder }
    : tokenizerFiles(folder);
  const special = Object.fromEntries(
    Object.entries(config).flatMap(([name, token]) => {
      const content = name.endsWith('_token') ? contentOf(token as SpecialToken) : null;
      return content === null ? [] : [[name, content]];
    }),
  );
  assertTokenizerFile(content, file);
  const use = userOf(file);
  const { inner, offsetsOf } = use(() => {
    const made = new TextTokenizer(withAllParts(content), config);
    replaceSteps(made, content);
    const finders = replaceSections(made, content);
    return { inner: made, offsetsOf: offsetsReader(made, content, finders) };
  });
  return createTokenizer(inner, {
    ...{ use, offsetsOf },
    ...{ special, chat: readChatTemplates({ folder, config, special }) },
  });
}

/** Contents of tokenizer.json and tokenizer_config.json of a folder. */
export function tokenizerFiles(folder: string): TokenizerFiles & { readonly file: string } {
  const file = join(folder, 'tokenizer.json');
  if (!existsSync(file)) {
    throw new ModelError(`${folder}: has no tokenizer.json.`, {
      help:
        'Write one: python3 -c "from transformers import AutoTokenizer as T; ' +
        `T.from_pretrained('${folder}').save_pretrained('OUT')"`,
    });
  }
  const configFile = join(folder, 'tokenizer_config.json');
  const config = existsSync(configFile) ? readJsonObject(configFile) : {};
  return { content: readJsonObject(file), config, file };
}

/** Parts that a file may leave out; the library wants them to be there. */
const withAllParts = (content: Readonly<Record<string, unknown>>) => ({
  ...{ normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null },
  ...{ added_tokens: [] },
  ...content,
});

/** Runs work of the library; what it throws becomes an error that names the file. */
type Use = <T>(work: () => T) => T;

const userOf =
  (file: string): Use =>
  (work) => {
    try {
      return work();
    } catch (cause) {
      throw new ModelError(`${file}: cannot be used: ${(cause as Error).message}`, {
        cause,
        help: 'Copy the file again, or write it again with transformers.',
      });
    }
  };

/** Ids of a text; one that the file has no id for is an error. */
function idsOf(inner: TextTokenizer, text: string, addSpecialTokens: boolean): number[] {
  const encoded = inner.encode(text, { add_special_tokens: addSpecialTokens });
  const { ids, tokens } = encoded as { ids: number[]; tokens: string[] };
  const at = ids.findIndex((id) => !Number.isSafeInteger(id));
  if (at < 0) return ids;
  throw new Error(`it has no id for ${JSON.stringify(tokens[at])}, and none for unknown tokens`);
}

function beginOf(id: number | null): number {
  if (id !== null) return id;
  throw new ConfigError('transformer/encode: this tokenizer has no token that begins texts.', {
    help: 'Leave prependBos out.',
  });
}

/** Rows of one length, with 1 for what is their own. */
function filledUp(
  rows: readonly (readonly number[])[],
  { padding, paddingId }: { readonly padding: 'left' | 'right'; readonly paddingId: number },
): EncodedBatch {
  const length = rows.reduce((most, row) => Math.max(most, row.length), 0);
  const filled = (row: readonly number[], own: (id: number) => number, fill: number) => {
    const rest = Array.from({ length: length - row.length }, () => fill);
    return padding === 'left' ? [...rest, ...row.map(own)] : [...row.map(own), ...rest];
  };
  return {
    ids: rows.map((row) => filled(row, (id) => id, paddingId)),
    mask: rows.map((row) => filled(row, () => 1, 0)),
  };
}

function createTokenizer(
  inner: TextTokenizer,
  {
    use,
    offsetsOf,
    special,
    chat,
  }: {
    readonly use: Use;
    readonly offsetsOf: ReturnType<typeof offsetsReader>;
    readonly special: Readonly<Record<string, string>>;
    readonly chat: ChatTemplates;
  },
): Tokenizer {
  const idOf = (token: string | undefined) =>
    token === undefined ? null : (inner.token_to_id(token) ?? null);
  const [beginId, endId] = [idOf(special['bos_token']), idOf(special['eos_token'])];
  const paddingId = idOf(special['pad_token']) ?? endId ?? 0;
  const encode = (text: string, options: EncodeOptions = {}): number[] => {
    const { addSpecialTokens = true, prependBos, maxTokens, truncation = 'right' } = options;
    if (maxTokens !== undefined && !(Number.isInteger(maxTokens) && maxTokens > 0)) {
      throw new ConfigError(`transformer/encode: maxTokens must be at least 1, got ${maxTokens}.`);
    }
    const ids = use(() => idsOf(inner, text, addSpecialTokens));
    const own = prependBos !== undefined && ids[0] === beginId ? ids.slice(1) : ids;
    const begin = prependBos === true ? [beginOf(beginId)] : [];
    const most = (maxTokens ?? Infinity) - begin.length;
    if (own.length <= most) return [...begin, ...own];
    const from = truncation === 'left' ? own.length - most : 0;
    return [...begin, ...own.slice(from, from + most)];
  };
  return {
    encode,
    encodeWithOffsets: (text, { addSpecialTokens = true } = {}) => {
      const ids = use(() => idsOf(inner, text, addSpecialTokens));
      return { ids, offsets: use(() => offsetsOf(text, addSpecialTokens)) };
    },
    encodeBatch: (texts, { padding = 'left', ...options } = {}) =>
      filledUp(
        texts.map((text) => encode(text, options)),
        { padding, paddingId },
      ),
    decode: (ids, { skipSpecialTokens = false } = {}) => {
      const known = ids.filter((id) => inner.id_to_token(id) !== undefined);
      if (known.length === 0) return '';
      const options = {
        skip_special_tokens: skipSpecialTokens,
        clean_up_tokenization_spaces: false,
      };
      return use(() => inner.decode(known, options));
    },
    tokenOf: (id) => inner.id_to_token(id) ?? null,
    idOf,
    paddingId,
    beginId,
    endId,
    chat,
  };
}
