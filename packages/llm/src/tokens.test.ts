import { cpuMilliseconds } from '@lab/core/testing';
import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { describe, expect, it } from 'vitest';
import { countMessages, countTokens, createTokenFactor } from './tokens.js';

/** Of the processor; about a second is measured, and without the cut it takes hours. */
const hostileLimitMs = 15_000;

describe('countTokens', () => {
  it.each([
    '',
    'Hello, world!',
    'Ein Satz mit Umlauten: äöü ß.',
    '東京は日本の首都です。',
    'line one\n\n  line two\t\ttabs   ',
    'emoji 👩‍👩‍👧 and numbers 1234567890',
  ])('is that of the encoding for %j', async (text) => {
    expect(await countTokens(text)).toBe(encode(text).length);
  });

  it('is exact across the cuts of a long text', async () => {
    const text = 'The quick brown fox jumps over it.\n  It sleeps, then runs again. '.repeat(3000);
    expect(await countTokens(text)).toBe(encode(text).length);
  });

  it('takes names of special tokens as text', async () => {
    expect(await countTokens('a <|endoftext|> b <|im_start|>')).toBeGreaterThan(8);
  });

  it.each(['a', 'é', ' ', '\n', '漢', '😀', '=', '0'])(
    'ends soon on a megabyte of %j',
    async (letter) => {
      const text = letter.repeat(1_000_000 / letter.length);
      let tokens = 0;
      const spent = await cpuMilliseconds(async () => {
        tokens = await countTokens(text);
      });
      expect(tokens).toBeGreaterThan(1000);
      expect(spent).toBeLessThan(hostileLimitMs);
    },
    hostileLimitMs * 20,
  );

  it('ends soon on a megabyte of changing letters without blanks', async () => {
    let text = '';
    for (let index = 0; text.length < 1_000_000; index += 1) text += (index * 7919).toString(36);
    const counted: number[] = [];
    const count = () =>
      cpuMilliseconds(async () => {
        counted.push(await countTokens(text));
      });
    const spent = await count();
    expect(spent).toBeLessThan(hostileLimitMs);
    // Counts are kept: the second one costs a digest of the text.
    expect(await count()).toBeLessThan(spent / 3);
    expect(counted[0]).toBeGreaterThan(100_000);
    expect(counted[1]).toBe(counted[0]);
  });
});

describe('countMessages', () => {
  it('adds what a chat format adds', async () => {
    const messages = [
      { role: 'system', content: 'Hello' },
      { role: 'user', content: '' },
    ] as const;
    expect(await countMessages(messages)).toBe(1 + 4 + 4 + 3);
  });
});

describe('createTokenFactor', () => {
  it('is the median of 1 and the first 20 ratios', () => {
    const factor = createTokenFactor();
    expect(factor.value).toBe(1);
    factor.learn(1000, 1200);
    expect(factor.value).toBeCloseTo(1.1, 12);
    for (let index = 1; index < 20; index += 1) factor.learn(1000, 1200);
    expect(factor).toMatchObject({ value: 1.2, seen: 20 });
    for (let index = 0; index < 50; index += 1) factor.learn(1000, 5000);
    expect(factor).toMatchObject({ value: 1.2, seen: 20 });
    expect(factor.estimate(11)).toBe(14);
  });

  it('does not learn from short prompts or missing counts', () => {
    const factor = createTokenFactor();
    factor.learn(20, 60);
    factor.learn(1000, 0);
    factor.learn(1000, Number.NaN);
    expect(factor).toMatchObject({ value: 1, seen: 0 });
  });
});
