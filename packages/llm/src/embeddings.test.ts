import { describe, expect, it } from 'vitest';
import { embeddingBatches, joinEmbeddings, readEmbeddings } from './embeddings.js';

const body = (data: unknown, usage?: object): string => JSON.stringify({ data, usage });

describe('embeddingBatches', () => {
  it('takes 64 texts', () => {
    const texts = Array.from({ length: 130 }, (_, index) => `text ${index}`);
    const batches = embeddingBatches(texts);
    expect(batches.map((batch) => batch.length)).toEqual([64, 64, 2]);
    expect(batches.flat()).toEqual(texts);
    expect(embeddingBatches([])).toEqual([]);
  });

  it('takes 8K tokens, and long texts alone', () => {
    const texts = ['a'.repeat(15_000), 'b'.repeat(9000), 'c'.repeat(90_000), 'd'];
    expect(embeddingBatches(texts).map((batch) => batch.length)).toEqual([2, 1, 1]);
  });
});

describe('readEmbeddings', () => {
  it('orders by index', () => {
    const data = [
      { index: 1, embedding: [3, 4] },
      { index: 0, embedding: [1, 0] },
    ];
    const read = readEmbeddings(body(data, { prompt_tokens: 9 }), 2);
    expect(read).toEqual({
      rows: [
        [1, 0],
        [3, 4],
      ],
      promptTokens: 9,
    });
    if (typeof read === 'string') return;
    const joined = joinEmbeddings([read], ['a', 'b']);
    expect(joined.width).toBe(2);
    expect([...joined.values]).toEqual([1, 0, Math.fround(0.6), Math.fround(0.8)]);
    expect(joined.usage).toMatchObject({ prompt: 9, isEstimated: false });
  });

  it('goes by position where there is no index', () => {
    const read = readEmbeddings(body([{ embedding: [1] }, { embedding: [2] }]), 2);
    expect(read).toEqual({ rows: [[1], [2]], promptTokens: null });
  });

  it.each([
    ['{', 'broken JSON'],
    ['null', 'no list'],
    ['{}', 'no list'],
    [body([{ index: 0, embedding: 'AAAA' }]), 'no list of numbers (0)'],
    [body([{ index: 0, embedding: [] }]), 'no list of numbers (0)'],
    [body([{ index: 0, embedding: [1, null] }]), 'no list of numbers (0)'],
    [body([{ index: 2, embedding: [1] }]), 'index 2 among 2'],
    [body([{ index: 0, embedding: [1] }]), 'no embedding of text 1'],
    [
      body([
        { index: 0, embedding: [1] },
        { index: 0, embedding: [1] },
      ]),
      'index 0',
    ],
  ])('finds what is wrong with %s', (text, problem) => {
    expect(readEmbeddings(text, 2)).toContain(problem);
  });
});

describe('joinEmbeddings', () => {
  it('refuses rows of several widths and rows of zeros', () => {
    const batch = (...rows: number[][]) => [{ rows, promptTokens: 1 }];
    expect(() => joinEmbeddings(batch([1, 2], [1]), ['a', 'b'])).toThrow('has 1 numbers');
    expect(() => joinEmbeddings(batch([0, 0]), ['a'])).toThrow('zeros only');
  });

  it('estimates tokens where the server counts none', () => {
    const joined = joinEmbeddings([{ rows: [[1]], promptTokens: null }], ['six by']);
    expect(joined.usage).toMatchObject({ prompt: 2, isEstimated: true });
    expect(joinEmbeddings([], [])).toMatchObject({ width: 0 });
  });
});
