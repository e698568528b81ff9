/**
 * Steps of the tokenizers' library that differ from the Python one, replaced by such that do not.
 */
import type { Tokenizer as TextTokenizer } from '@huggingface/tokenizers';
import { characterMap } from './character-map.js';

/** A step of the library, or a sequence of them; what is written to it takes its method's place. */
interface Step {
  readonly [list: string]: unknown;
  normalize?: (text: string) => string;
  pattern?: RegExp;
  pre_tokenize_text?: (text: string) => readonly string[];
  decode_chain?: (tokens: readonly string[]) => readonly string[];
}

/** A step as tokenizer.json has it. */
type StepFields = Readonly<Record<string, unknown>>;

/** Where the steps of a sequence stand: in the library's object, and in the file. */
const lists = [
  ['normalizers', 'normalizers'],
  ['tokenizers', 'pretokenizers'],
  ['decoders', 'decoders'],
] as const;

/**
 * Gives a tokenizer the map of characters that its file holds, where the library has an
 * approximation of all such maps, and the Python library's classes of characters, its punctuation
 * and its way from bytes to text.
 *
 * @param content - of tokenizer.json.
 * @throws {Error} where the map cannot be read.
 */
export function replaceSteps(tokenizer: TextTokenizer, content: StepFields): void {
  for (const part of ['normalizer', 'pre_tokenizer', 'decoder'] as const) {
    const fields = content[part];
    if (fields === null || fields === undefined) continue;
    replaceIn(tokenizer[part] as unknown as Step, fields as StepFields);
  }
}

function replaceIn(step: Step, fields: StepFields): void {
  if (fields['type'] === 'Sequence') {
    for (const [own, listed] of lists) {
      const steps = (step[own] ?? []) as readonly Step[];
      const all = (fields[listed] ?? []) as readonly StepFields[];
      for (const [at, one] of steps.entries()) replaceIn(one, all[at]!);
    }
    return;
  }
  const name = String(fields['type']);
  if (Object.hasOwn(replacements, name)) replacements[name]!(step, fields);
}

// JavaScript's \s has a byte order mark and lacks U+0085; its \w and \d are of ASCII.
const SPACE = '\\p{White_Space}';
const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}';
const PUNCTUATION = '\\p{P}$+<=>^`|~';

const matches = (pattern: RegExp) => (text: string) => text.match(pattern) ?? [];

/** Texts that GPT-2 takes for words. */
const gpt2Words = new RegExp(
  `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${SPACE}\\p{L}\\p{N}]+` +
    `|${SPACE}+(?![^${SPACE}])|${SPACE}+`,
  'gu',
);

const replacements: Readonly<Record<string, (step: Step, fields: StepFields) => void>> = {
  Precompiled: (step, { precompiled_charsmap: map }) => {
    if (typeof map === 'string') step.normalize = characterMap(map);
  },
  ByteLevel: (step) => {
    if ('pattern' in step) step.pattern = gpt2Words;
  },
  WhitespaceSplit: (step) => {
    step.pre_tokenize_text = matches(new RegExp(`[^${SPACE}]+`, 'gu'));
  },
  Whitespace: (step) => {
    step.pre_tokenize_text = matches(new RegExp(`[${WORD}]+|[^${WORD}${SPACE}]+`, 'gu'));
  },
  BertPreTokenizer: (step) => {
    const pattern = new RegExp(`[^${SPACE}${PUNCTUATION}]+|[${PUNCTUATION}]`, 'gu');
    step.pre_tokenize_text = matches(pattern);
  },
  Digits: (step, { individual_digits: isSingle }) => {
    step.pattern = isSingle === true ? /\p{N}|\P{N}+/gu : /\p{N}+|\P{N}+/gu;
  },
  Punctuation: (step, { behavior }) => {
    const isRun = String(behavior).toLowerCase() === 'contiguous';
    step.pattern = new RegExp(`[^${PUNCTUATION}]+|[${PUNCTUATION}]${isRun ? '+' : ''}`, 'gu');
  },
  ByteFallback: (step) => {
    step.decode_chain = joinedBytes;
  },
};

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Runs of byte tokens as the text that they are; where they are none, a mark for every byte. */
function joinedBytes(tokens: readonly string[]): string[] {
  const joined: string[] = [];
  let bytes: number[] = [];
  const flush = () => {
    if (bytes.length > 0) joined.push(textOf(bytes));
    bytes = [];
  };
  for (const token of tokens) {
    const digits = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1];
    if (digits === undefined) {
      flush();
      joined.push(token);
    } else bytes.push(Number.parseInt(digits, 16));
  }
  flush();
  return joined;
}

function textOf(bytes: readonly number[]): string {
  try {
    return strict.decode(Uint8Array.from(bytes));
  } catch {
    return '\ufffd'.repeat(bytes.length);
  }
}
