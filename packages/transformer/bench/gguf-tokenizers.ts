/**
 * Tokenizers that GGUF can hold, from those of the goldens.
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const golden = join(import.meta.dirname, '../test/golden/tokenizers');

interface TokenizerFile {
  readonly added_tokens: readonly { readonly content: string }[];
  readonly model: {
    readonly vocab: Readonly<Record<string, number>>;
    merges: (string | readonly [string, string])[];
    readonly byte_fallback: boolean;
  };
}

/**
 * Writes a tokenizer of the goldens into a folder. The pieces of those with a vocabulary of
 * SentencePiece get a place of their own for all their merges, as they have where their scores are
 * known.
 */
export function writeTokenizer(name: string, folder: string): void {
  cpSync(join(golden, name), folder, { recursive: true });
  const file = join(folder, 'tokenizer.json');
  const content = JSON.parse(readFileSync(file, 'utf8')) as TokenizerFile;
  if (!content.model.byte_fallback) return;
  const { model } = content;
  const added = new Set(content.added_tokens.map((token) => token.content));
  const isPiece = (text: string) =>
    text in model.vocab && !added.has(text) && !/^<0x[0-9A-F]{2}>$/.test(text);
  const wholes = new Set(
    model.merges.map((merge) =>
      typeof merge === 'string' ? merge.replace(' ', '') : merge.join(''),
    ),
  );
  model.merges = [...wholes].filter(isPiece).flatMap((whole) => {
    const cuts = Array.from({ length: whole.length - 1 }, (_, at) => at + 1);
    const pairs = cuts.map((at) => [whole.slice(0, at), whole.slice(at)] as const);
    return pairs
      .filter(([left, right]) => isPiece(left) && isPiece(right))
      .toSorted((a, b) => b[0].length - a[0].length);
  });
  writeFileSync(file, JSON.stringify(content));
}

/** Writes a tokenizer of single letters: one that any model with 97 tokens or more can have. */
export function writeLetters(folder: string): void {
  const letters = Array.from({ length: 94 }, (_, at) => String.fromCodePoint(33 + at));
  const tokens = [...letters, '\u0120', '\u010a', '<end>'];
  const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  const content = {
    ...{ version: '1.0', added_tokens: [{ id: 96, content: '<end>', special: true }] },
    ...{ normalizer: null, pre_tokenizer: bytes, post_processor: null, decoder: bytes },
    model: {
      type: 'BPE',
      vocab: Object.fromEntries(tokens.map((one, id) => [one, id])),
      merges: [],
    },
  };
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(content));
  writeFileSync(join(folder, 'tokenizer_config.json'), '{ "eos_token": "<end>" }');
}

/** Texts with what tokenizers find hard. */
export const texts: readonly string[] = [
  ...['Hello world, 123!', "it's 12345 don't WE'LL", ' leading', 'two  spaces   three', 'tab\tx'],
  ...[
    'line\n\nnext\r\n',
    'ünï çödé',
    '你好，世界',
    'emoji 👨‍👩‍👧 ok',
    'a1b2c3',
    '   ',
    'x = [1, 2];\n',
  ],
  ...[
    '<s> not </s>',
    'The tokens of the layer are ended at 2024.',
    '$100 + 50% = ?',
    'Köln ist 1,5',
  ],
];
