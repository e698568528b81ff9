import { describe, expect, it } from 'vitest';
import { createBm25, searchTerms } from './bm25.js';
import { chunkText } from './chunk.js';
import { cosineTopK, reciprocalRankFusion } from './cosine.js';
import { TopK } from './top-k.js';

describe('createBm25', () => {
  const documents = ['the cat sat', 'the dog sat on the cat', 'birds fly', ''];

  it('is the formula, by hand', () => {
    // N = 4, lengths 3, 6, 2, 0, mean 2.75; "cat" is in 2 documents, "fly" in 1.
    const idf = (n: number) => Math.log(1 + (4 - n + 0.5) / (n + 0.5));
    const term = (f: number, length: number) => f / (f + 1.2 * (0.25 + (0.75 * length) / 2.75));
    const index = createBm25(documents);
    const scores = index.scores('Cat fly THE');
    expect(scores[0]).toBeCloseTo(idf(2) * term(1, 3) + idf(2) * term(1, 3), 12);
    expect(scores[1]).toBeCloseTo(idf(2) * term(1, 6) + idf(2) * term(2, 6), 12);
    expect(scores[2]).toBeCloseTo(idf(1) * term(1, 2), 12);
    expect(scores[3]).toBe(0);
    expect(index.scores('cat cat')[0]).toBeCloseTo(2 * index.scores('cat')[0]!, 12);
  });

  it('orders like rank_bm25 up to its constant factor', () => {
    // BM25Plus of rank_bm25 with delta 0 has the factor k1 + 1; here with another k1 and b.
    const index = createBm25(['a b b', 'a', 'b c c c'], { k1: 1.5, b: 0.5 });
    const mean = 8 / 3;
    const norm = (length: number) => 1.5 * (0.5 + (0.5 * length) / mean);
    const idf = Math.log(1 + 1.5 / 2.5);
    expect(index.search('b', 5)).toEqual([
      { index: 0, score: expect.closeTo((idf * 2) / (2 + norm(3)), 12) as number },
      { index: 2, score: expect.closeTo(idf / (1 + norm(4)), 12) as number },
    ]);
    expect(index.search('b', 1)).toHaveLength(1);
    expect(index.search('nothing', 3)).toEqual([]);
    expect(createBm25([]).search('a', 3)).toEqual([]);
  });

  it('takes words of all scripts', () => {
    expect(searchTerms('Der Ärger, 2 km!')).toEqual(['der', 'ärger', '2', 'km']);
    expect(searchTerms('東京都 in Japan')).toEqual(['東京', '京都', 'in', 'japan']);
    expect(searchTerms('水')).toEqual(['水']);
    expect(createBm25(['我住在东京', '他住在北京']).search('东京', 2)).toHaveLength(1);
  });
});

describe('cosineTopK', () => {
  it('finds the nearest rows whatever their length', () => {
    const values = new Float32Array([1, 0, 0, 2, 3, 3, 0, 0, -1, 0]);
    const hits = cosineTopK([2, 0], { width: 2, values }, 4);
    expect(hits.map(({ index }) => index)).toEqual([0, 2, 1, 3]);
    expect(hits[1]!.score).toBeCloseTo(Math.SQRT1_2, 12);
    expect(() => cosineTopK([1], { width: 2, values }, 1)).toThrow(/differ in width/);
    expect(cosineTopK([], { width: 0, values: new Float32Array() }, 1)).toEqual([]);
  });
});

describe('TopK', () => {
  it('is the head of the sorted list', () => {
    const scores = Array.from({ length: 200 }, (_, index) => (index * 37) % 23);
    const top = new TopK(9);
    for (const [index, score] of scores.entries()) top.add(index, score);
    const sorted = scores
      .map((score, index) => ({ index, score }))
      .sort((a, b) => b.score - a.score || a.index - b.index);
    expect(top.hits()).toEqual(sorted.slice(0, 9));
    const none = new TopK(0);
    none.add(1, 1);
    expect(none.hits()).toEqual([]);
  });
});

describe('reciprocalRankFusion', () => {
  it('adds reciprocal ranks', () => {
    const ranking = (...indices: number[]) => indices.map((index) => ({ index, score: 0 }));
    const hits = reciprocalRankFusion([ranking(4, 7), ranking(7, 9)], 3);
    expect(hits.map(({ index }) => index)).toEqual([7, 4, 9]);
    expect(hits[0]!.score).toBeCloseTo(1 / 62 + 1 / 61, 15);
  });
});

describe('chunkText', () => {
  it('keeps sentences whole and repeats the last ones', async () => {
    const text = Array.from({ length: 12 }, (_, index) => `Sentence number ${index} is here.`).join(
      ' ',
    );
    const chunks = await chunkText(text, { maxTokens: 20, overlapTokens: 8 });
    expect(chunks.length).toBeGreaterThan(3);
    for (const [index, chunk] of chunks.entries()) {
      expect(text.slice(chunk.start, chunk.end)).toBe(chunk.text);
      expect(chunk.tokens).toBeLessThanOrEqual(20);
      expect(chunk.text).toMatch(/^Sentence.*\.$/);
      if (index > 0) expect(chunk.start).toBeLessThan(chunks[index - 1]!.end);
    }
    expect(chunks.at(-1)!.end).toBe(text.length);
  });

  it('cuts what is too long, and loses nothing', async () => {
    const text = `${'word '.repeat(50)}${'漢'.repeat(40)} ${'x9'.repeat(60)}`;
    const chunks = await chunkText(text, { maxTokens: 10, overlapTokens: 0 });
    expect(
      chunks
        .map((chunk) => chunk.text)
        .join('')
        .replaceAll(/\s/g, ''),
    ).toBe(text.replaceAll(/\s/g, ''));
    for (const { tokens } of chunks) expect(tokens).toBeLessThanOrEqual(10);
  });

  it('has no chunks of nothing, and refuses an overlap without end', async () => {
    expect(await chunkText(' \n ')).toEqual([]);
    expect(await chunkText('')).toEqual([]);
    await expect(chunkText('x', { maxTokens: 5, overlapTokens: 5 })).rejects.toThrow(
      /overlap by 5/,
    );
  });
});
