/**
 * How texts are taken apart before merges, by the names that GGUF files have for it.
 *
 * Source: llama.cpp, `llama-vocab.cpp` and `convert_hf_to_gguf_update.py`: a name stands for the
 * tokenizer.json of a model, whose steps these are.
 */

/** A step as tokenizer.json has it. */
export type Step = Readonly<Record<string, unknown>>;

/** What comes before the merges of a tokenizer of bytes. */
export interface PreTokenizer {
  /** Values of `tokenizer.ggml.pre`; the first is the one that is written. */
  readonly names: readonly string[];
  readonly normalizer: Step | null;
  readonly steps: readonly Step[];
  /** Whether a word that is a token stays whole, whatever its merges. */
  readonly ignoresMerges: boolean;
  /** Whether the token of the begin is added where the file does not say. */
  readonly addsBegin: boolean;
}

const bytes = (hasWords: boolean): Step => ({
  ...{ type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: hasWords },
});
const split = (regex: string): Step => ({
  ...{ type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false },
});
const digits = (isSingle: boolean): Step => ({ type: 'Digits', individual_digits: isSingle });

const plain = { normalizer: null, ignoresMerges: false, addsBegin: false } as const;
const NFC = { type: 'NFC' } as const;

/** Words with their endings, runs of signs and of spaces; `numbers` says how digits lie. */
const words = (numbers: string) =>
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" +
  `${numbers}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

const upper = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
const lower = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
const tekken =
  `[^\\r\\n\\p{L}\\p{N}]?${upper}*${lower}+|[^\\r\\n\\p{L}\\p{N}]?${upper}+${lower}*|` +
  '\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

/** What llama.cpp does where its converter does not know a tokenizer. */
const fallback = [
  '[\\p{P}\\$\\+<=>\\^~\\|]+',
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)",
  '\\p{N}+',
  '[0-9][0-9][0-9]',
];

/** All that are known. */
export const preTokenizers: readonly PreTokenizer[] = [
  {
    ...plain,
    names: ['llama-bpe', 'llama3', 'llama-v3'],
    steps: [split(words('\\p{N}{1,3}')), bytes(false)],
    ignoresMerges: true,
    addsBegin: true,
  },
  {
    ...plain,
    names: ['qwen2', 'deepseek-r1-qwen'],
    normalizer: NFC,
    steps: [split(words('\\p{N}')), bytes(false)],
  },
  { ...plain, names: ['gpt-2', 'phi-2'], steps: [bytes(true)] },
  { ...plain, names: ['olmo', 'mpt'], normalizer: NFC, steps: [bytes(true)] },
  { ...plain, names: ['smollm', 'starcoder', 'refact'], steps: [digits(true), bytes(true)] },
  {
    ...plain,
    names: ['falcon'],
    steps: [
      { type: 'Punctuation', behavior: 'Contiguous' },
      bytes(true),
      digits(false),
      split('[0-9][0-9][0-9]'),
    ],
  },
  {
    ...plain,
    names: ['tekken'],
    steps: [split(tekken), bytes(false)],
    ignoresMerges: true,
    addsBegin: true,
  },
  { ...plain, names: ['default'], steps: [...fallback.map(split), bytes(false)] },
];
