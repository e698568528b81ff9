import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../src/index.js';

const root = join(import.meta.dirname, 'tokenizers');

interface Golden {
  readonly texts: readonly string[];
  readonly cases: readonly {
    readonly tokenizer: string;
    readonly added: readonly Readonly<Record<string, unknown>>[];
    readonly ids: readonly number[][];
  }[];
}

const { texts, cases } = JSON.parse(
  readFileSync(join(root, 'added-tokens.json'), 'utf8'),
) as Golden;

const named = cases.map(({ tokenizer, added, ...one }) => {
  const flags = added.map((token) =>
    ['single_word', 'lstrip', 'rstrip', 'normalized'].filter((flag) => token[flag] === true).join(),
  );
  return { ...one, tokenizer, added, what: `${tokenizer}, ${[...new Set(flags)].join('; ')}` };
});

describe('tokens that count as whole words', () => {
  it.each(named)('are found as in the Python library: $what', ({ tokenizer, added, ids }) => {
    const folder = join(temporaryFolder(), tokenizer);
    cpSync(join(root, tokenizer), folder, { recursive: true });
    const path = join(folder, 'tokenizer.json');
    const content = JSON.parse(readFileSync(path, 'utf8')) as { added_tokens: unknown[] };
    content.added_tokens.push(...added);
    writeFileSync(path, JSON.stringify(content));
    const { encode } = loadTokenizer(folder);
    const found = texts.map((text) => encode(text, { addSpecialTokens: false }));
    for (const [at, text] of texts.entries()) expect(found[at], text).toEqual(ids[at]);
    const first = added[0]!['id'] as number;
    expect(found.flat().filter((id) => id >= first).length).toBeGreaterThan(texts.length / 3);
  });
});
