/**
 * A tokenizer.json as metadata of a GGUF file.
 *
 * Source: llama.cpp, `convert_hf_to_gguf.py` and `gguf-py/gguf/constants.py`.
 */
import { ModelError } from '@lab/core';
import {
  paddingName,
  SPACE,
  specialNames,
  TokenKind,
  type TokenizerFiles,
} from './gguf-tokenizer.js';
import type { MetadataValue } from './metadata-values.js';
import { flag, text, u32 } from './metadata-of-model.js';
import { preTokenizers, type Step } from './pre-tokenizers.js';
import { tokenizerForm } from './tokenizer-form.js';

/** A token that tokenizer.json has beside those of the model. */
interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special?: boolean;
}

interface Bpe {
  readonly type?: string;
  readonly vocab: Readonly<Record<string, number>>;
  readonly merges: readonly (string | readonly [string, string])[];
  readonly unk_token?: string | null;
  readonly byte_fallback?: boolean;
}

/** What the writer takes. */
export interface TokenizerSource extends TokenizerFiles {
  /** For messages. */
  readonly file: string;
  /** Rows of the embeddings. */
  readonly vocabularySize: number;
  /** Chat templates by name. */
  readonly templates: ReadonlyMap<string, string>;
}

type Entries = [string, MetadataValue][];

/**
 * Metadata of a tokenizer; whether they say all of it is for their reader to find out.
 *
 * @throws {ModelError} for a kind of tokenizer that there are no keys for.
 */
export function tokenizerMetadata(source: TokenizerSource): Map<string, MetadataValue> {
  const model = source.content['model'] as Bpe;
  const form = tokenizerForm(source.content);
  const isBytes = form.decoder === 'ByteLevel';
  if (model.type !== 'BPE' || (!isBytes && model.byte_fallback !== true)) {
    throw new ModelError(`${source.file}: GGUF has no keys for a tokenizer of this kind.`, {
      help: 'Write the file without a tokenizer: --no-tokenizer.',
    });
  }
  const entries: Entries = isBytes ? byteEntries(source, model) : pieceEntries(source, model);
  return new Map([...entries, ...specialEntries(source, form.begin, form.end)]);
}

const texts = (values: readonly string[]): MetadataValue => ({ type: 'texts', values });

/** Tokens in the order of their ids, and their kinds. */
function tokenLists({ content, file, vocabularySize }: TokenizerSource, model: Bpe) {
  const tokens = Array.from({ length: vocabularySize }, (_, id) => paddingName(id));
  const kinds = new Int32Array(vocabularySize).fill(TokenKind.unused);
  const add = (token: string, id: number, kind: number) => {
    if (id >= vocabularySize) {
      throw new ModelError(
        `${file}: token ${JSON.stringify(token)} has the id ${id}, ` +
          `the model ${vocabularySize} rows.`,
        { help: 'Take the tokenizer of this model, or --no-tokenizer.' },
      );
    }
    tokens[id] = token;
    kinds[id] = kind;
  };
  const isByte = (token: string) => model.byte_fallback === true && /^<0x[0-9A-F]{2}>$/.test(token);
  for (const [token, id] of Object.entries(model.vocab)) {
    add(token, id, isByte(token) ? TokenKind.byte : TokenKind.normal);
  }
  for (const { id, content: token, special } of (content['added_tokens'] ?? []) as AddedToken[]) {
    const isUnknown = token === model.unk_token;
    const kind = special === true ? TokenKind.control : TokenKind.userDefined;
    add(token, id, isUnknown ? TokenKind.unknown : kind);
  }
  const kindEntry: MetadataValue = { type: 'numbers', of: 'int32', values: kinds };
  return { tokens, kinds, kindEntry };
}

const pairsOf = ({ merges }: Bpe): (readonly [string, string])[] =>
  merges.map((merge) => {
    if (typeof merge !== 'string') return merge;
    const at = merge.indexOf(' ');
    return [merge.slice(0, at), merge.slice(at + 1)];
  });

function byteEntries(source: TokenizerSource, model: Bpe): Entries {
  const { tokens, kindEntry } = tokenLists(source, model);
  const own = tokenizerForm(source.content);
  const pre = preTokenizers.find(({ normalizer, steps, ignoresMerges }) => {
    const named = tokenizerForm({
      normalizer,
      pre_tokenizer: { type: 'Sequence', pretokenizers: steps },
      model: { ignore_merges: ignoresMerges },
    });
    return (
      named.normalizer === own.normalizer &&
      named.preTokenizer === own.preTokenizer &&
      named.ignoresMerges === own.ignoresMerges
    );
  });
  if (pre === undefined) {
    throw new ModelError(
      `${source.file}: takes texts apart in a way that GGUF has no name for: ${own.preTokenizer}.`,
      { help: 'Write the file without a tokenizer: --no-tokenizer.' },
    );
  }
  return [
    ['tokenizer.ggml.model', text('gpt2')],
    ['tokenizer.ggml.pre', text(pre.names[0]!)],
    ['tokenizer.ggml.tokens', texts(tokens)],
    ['tokenizer.ggml.token_type', kindEntry],
    ['tokenizer.ggml.merges', texts(pairsOf(model).map((pair) => pair.join(' ')))],
  ];
}

/** A piece's score is the lower, the later its first merge comes. */
function pieceEntries(source: TokenizerSource, model: Bpe): Entries {
  const { tokens, kinds, kindEntry } = tokenLists(source, model);
  const ranks = new Map<string, number>();
  for (const [rank, [left, right]] of pairsOf(model).entries()) {
    const whole = left + right;
    if (!ranks.has(whole)) ranks.set(whole, rank);
  }
  let next = ranks.size === 0 ? 0 : Math.max(...[...ranks.values()]) + 1;
  const scores = Float32Array.from(tokens, (token, id) => {
    const rank = ranks.get(token);
    if (rank !== undefined) return -rank;
    return kinds[id] === TokenKind.normal ? -next++ : 0;
  });
  const normalizer = JSON.stringify(source.content['normalizer'] ?? null);
  return [
    ['tokenizer.ggml.model', text('llama')],
    ['tokenizer.ggml.pre', text('default')],
    ['tokenizer.ggml.tokens', texts(tokens)],
    ['tokenizer.ggml.scores', { type: 'numbers', of: 'float32', values: scores }],
    ['tokenizer.ggml.token_type', kindEntry],
    ['tokenizer.ggml.add_space_prefix', flag(normalizer.includes(`"prepend":"${SPACE}"`))],
  ];
}

/** Ids of special tokens, what is added to a text, and chat templates. */
function specialEntries(
  { content, config, templates }: TokenizerSource,
  begin: readonly string[],
  end: readonly string[],
): Entries {
  const model = content['model'] as Bpe;
  const added = (content['added_tokens'] ?? []) as AddedToken[];
  const ids = new Map<string, number>(Object.entries(model.vocab));
  for (const { id, content: token } of added) ids.set(token, id);
  const entries: Entries = [];
  for (const [name, own] of Object.entries(specialNames)) {
    const given = config[own] as string | Step | null | undefined;
    const token = typeof given === 'string' ? given : given?.['content'];
    const id = typeof token === 'string' ? ids.get(token) : undefined;
    if (id !== undefined) entries.push([`tokenizer.ggml.${name}_token_id`, u32(id)]);
  }
  entries.push(['tokenizer.ggml.add_bos_token', flag(begin.length > 0)]);
  entries.push(['tokenizer.ggml.add_eos_token', flag(end.length > 0)]);
  const names = [...templates.keys()].filter((name) => name !== 'default');
  for (const [name, template] of templates) {
    const suffix = name === 'default' ? '' : `.${name}`;
    entries.push([`tokenizer.chat_template${suffix}`, text(template)]);
  }
  if (names.length > 0) entries.push(['tokenizer.chat_templates', texts(names)]);
  return entries;
}
