import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer as TextTokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { characterMap } from '../../src/character-map.js';
import { loadTokenizer } from '../../src/index.js';
import { replaceSteps } from '../../src/tokenizer-steps.js';

const folder = join(import.meta.dirname, 'tokenizers');

const { normalised, split, decoded } = JSON.parse(
  readFileSync(join(folder, 'steps.json'), 'utf8'),
) as {
  normalised: [text: string, wanted: string][];
  split: [fields: { type: string }, cases: [text: string, parts: string[]][]][];
  decoded: Record<string, [tokens: string[], wanted: string][]>;
};
const file = JSON.parse(readFileSync(join(folder, 't5/tokenizer.json'), 'utf8')) as {
  normalizer: { precompiled_charsmap: string };
};

describe('characterMap', () => {
  const map = characterMap(file.normalizer.precompiled_charsmap);

  it.each(normalised)('normalises %j as the Python library does', (text, wanted) => {
    expect(map(text)).toBe(wanted);
    expect(map(text)).toBe(wanted);
  });

  it('refuses what is no map', () => {
    for (const bytes of [[], [1], [8, 0, 0, 0, 1], [3, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0]]) {
      expect(() => characterMap(Buffer.from(bytes).toString('base64'))).toThrow('character map');
    }
    // The only unit leads out of the map.
    const far = Buffer.from([4, 0, 0, 0, 0, 0, 0, 0xff]).toString('base64');
    expect(characterMap(far)('abc')).toBe('abc');
  });
});

describe.each(split)('splitting by %j', (fields, cases) => {
  const path = join(folder, 'gpt2/tokenizer.json');
  const content = { ...(JSON.parse(readFileSync(path, 'utf8')) as object), pre_tokenizer: fields };
  const tokenizer = new TextTokenizer(content, {});
  replaceSteps(tokenizer, content);

  it.each(cases)('%j', (text, parts) => {
    expect(tokenizer.pre_tokenizer!.pre_tokenize(text)).toEqual(parts);
  });
});

describe.each(Object.entries(decoded))('decoding of bytes, %s', (name, cases) => {
  const tokenizer = loadTokenizer(join(folder, name));
  it.each(cases)('%j', (tokens, wanted) => {
    const ids = tokens.map((token) => tokenizer.idOf(token)!);
    expect(tokenizer.decode(ids)).toBe(wanted);
  });
});
