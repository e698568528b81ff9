import '@lab/core/testing';
import { createRandom } from '@lab/core';
import { afterAll, describe, expect, it } from 'vitest';
import { selectBackend } from '../backend.js';
import { memoryReport, resetAllocationRecord } from '../memory.js';
import { expectNoLeak } from '../testing.js';
import { activeKernels } from '../active-kernels.js';
import { tf } from '../tfjs.js';
import {
  referenceHalfMeans,
  referenceRanks,
  referenceSimilarities,
} from './__fixtures__/reference-ranks.js';
import { mutualNearest, nearestPairs, rankPairs } from './similarity.js';

/** Eighths, so that every product and sum is exact in float32 in any order, with many ties. */
function exactRows(name: string, rowCount: number, width: number): number[][] {
  const random = createRandom(`similarity/${name}`);
  return Array.from({ length: rowCount }, () =>
    Array.from({ length: width }, () => (random.integer(9) - 4) / 8),
  );
}

const tensorOf = (rows: number[][]) => tf.tensor2d(rows);

describe.each(['wasm', 'cpu'] as const)('on %s', (backend) => {
  describe('rankPairs', () => {
    it.each([
      [1, 1, 1],
      [2, 1, 3],
      [5, 9, 2],
      [40, 33, 3],
      [33, 41, 7],
    ])('ranks as the full matrix does, n = %i, m = %i, D = %i', async (n, m, D) => {
      await selectBackend(backend);
      const [left, right] = [exactRows('left', n, D), exactRows('right', m, D)];
      const gold = Int32Array.from({ length: n }, (_, row) => (row % 4 === 3 ? -1 : row % m));
      for (const csls of [true, false]) {
        for (const k of [1, 2, 4]) {
          const similarities = referenceSimilarities([left], [right]);
          const expected = referenceRanks(similarities, { gold, k, csls });
          const sides = { left: tensorOf(left), right: tensorOf(right) };
          const ranks = await rankPairs({ ...sides, gold, k, csls });
          expect([...ranks.forwardRanks]).toEqual(expected.forward);
          expect([...ranks.backwardRanks]).toEqual(expected.backward);
        }
      }
    });

    it('ranks across block borders', async () => {
      await selectBackend(backend);
      const [n, m] = [53, 70];
      const [left, right] = [exactRows('left', n, 6), exactRows('right', m, 6)];
      const gold = Int32Array.from({ length: n }, (_, row) => (row * 7 + m - 9) % m);
      const similarities = referenceSimilarities([left], [right]);
      const expected = referenceRanks(similarities, { gold, k: 4, csls: true });
      const sides = { left: tensorOf(left), right: tensorOf(right) };
      const block = { rows: 9, columns: 22 };
      const ranks = await rankPairs({ ...sides, gold, k: 4, csls: true, block });
      expect([...ranks.forwardRanks]).toEqual(expected.forward);
      expect([...ranks.backwardRanks]).toEqual(expected.backward);
    });

    it('sums the similarities of several samples', async () => {
      await selectBackend(backend);
      const names = ['a', 'b', 'c'];
      const left = names.map((name) => exactRows(`left ${name}`, 11, 3));
      const right = names.map((name) => exactRows(`right ${name}`, 13, 3));
      const gold = Int32Array.from({ length: 11 }, (_, row) => row + 1);
      const expected = referenceRanks(referenceSimilarities(left, right), {
        ...{ gold, k: 2, csls: true },
      });
      const sides = { left: left.map(tensorOf), right: right.map(tensorOf) };
      const ranks = await rankPairs({ ...sides, gold, k: 2, csls: true });
      expect([...ranks.forwardRanks]).toEqual(expected.forward);
      expect([...ranks.backwardRanks]).toEqual(expected.backward);
    });

    it.each([true, false])('gives a constant matrix the mean rank, csls %s', async (csls) => {
      await selectBackend(backend);
      const [n, m] = [21, 34];
      const row = [0.3, -0.1, 0.7, 0.2, 0.1];
      const constant = (count: number) => tf.tile(tf.tensor2d([row]), [count, 1]);
      const gold = Int32Array.from({ length: n }, (_, at) => at);
      const sides = { left: constant(n), right: constant(m) };
      const { forwardRanks, backwardRanks } = await rankPairs({ ...sides, gold, csls });
      expect(new Set(forwardRanks)).toEqual(new Set([(m + 1) / 2]));
      expect(new Set(backwardRanks)).toEqual(new Set([(n + 1) / 2]));
    });

    it('lowers k with a remark where there are fewer candidates', async () => {
      await selectBackend(backend);
      const sides = { left: tf.eye(2), right: tf.eye(2) };
      const gold = Int32Array.of(0, 1);
      const ranks = await rankPairs({ ...sides, gold, k: 5, csls: true });
      expect([...ranks.forwardRanks]).toEqual([1, 1]);
      expect(ranks.remarks).toEqual([
        'CSLS neighbourhoods of 5 were lowered to 2 of the columns and 2 of the rows, ' +
          'as there are no more.',
      ]);
      const enough = await rankPairs({ ...sides, gold, k: 2, csls: true });
      expect(enough.remarks).toEqual([]);
    });

    it('takes rank from a hub', async () => {
      await selectBackend(backend);
      // Column 1 is near to every row; row 0 is nearer to it than to its own column 0.
      const left = tf.tensor2d([
        [0.6, 0.7, 0],
        [0, 1, 0],
        [0, 0.9, 0.1],
      ]);
      const right = tf.tensor2d([
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ]);
      const gold = Int32Array.of(0, -1, -1);
      const plain = await rankPairs({ left, right, gold, csls: false });
      const discounted = await rankPairs({ left, right, gold, csls: true });
      expect([...plain.forwardRanks]).toEqual([2]);
      expect([...discounted.forwardRanks]).toEqual([1]);
    });

    it('names the row of a NaN', async () => {
      await selectBackend(backend);
      const right = tf.tensor2d([
        [1, 0],
        [0, 1],
        [0, Number.NaN],
      ]);
      const call = rankPairs({ left: tf.eye(2), right, gold: Int32Array.of(0, 1), csls: true });
      await expect(call).rejects.toThrow('right row 2 has a value that is not finite at feature 1');
      await expect(call).rejects.toMatchObject({ code: 'LAB_MODEL' });
    });

    it('stops at an aborted signal and frees what it held', async () => {
      await selectBackend(backend);
      const signal = AbortSignal.abort(new Error('enough'));
      const sides = { left: tf.eye(4), right: tf.eye(4), signal };
      const gold = Int32Array.of(0, 1, 2, 3);
      resetAllocationRecord();
      const before = memoryReport().peakHeapBytes;
      const thrown = await expectNoLeak(() => rankPairs({ ...sides, gold, csls: true }));
      expect(String(thrown)).toContain('enough');
      resetAllocationRecord();
      expect(memoryReport().peakHeapBytes).toBe(before);
    });
  });

  describe('nearestPairs', () => {
    it('returns the best columns by cosine, the lower first among equals', async () => {
      await selectBackend(backend);
      const [left, right] = [exactRows('left', 12, 2), exactRows('right', 9, 2)];
      const sides = { left: tensorOf(left), right: tensorOf(right) };
      const { indices, scores } = await nearestPairs({ ...sides, k: 4 });
      referenceSimilarities([left], [right]).forEach((line, row) => {
        const order = line.map((value, at) => ({ value, at }));
        order.sort((a, b) => b.value - a.value || a.at - b.at);
        const best = order.slice(0, 4);
        expect([...indices.subarray(row * 4, row * 4 + 4)]).toEqual(best.map(({ at }) => at));
        expect([...scores.subarray(row * 4, row * 4 + 4)]).toEqual(best.map(({ value }) => value));
      });
    });

    it('orders and scores by CSLS when asked', async () => {
      await selectBackend(backend);
      const [left, right] = [exactRows('left', 12, 3), exactRows('right', 9, 3)];
      const sides = { left: tensorOf(left), right: tensorOf(right) };
      const { indices, scores } = await nearestPairs({ ...sides, k: 2, csls: 4 });
      const matrix = referenceSimilarities([left], [right]);
      const rows = referenceHalfMeans(matrix, 4);
      const columns = referenceHalfMeans(
        right.map((_, j) => matrix.map((line) => line[j] ?? 0)),
        4,
      );
      matrix.forEach((line, row) => {
        const order = line.map((value, at) => ({
          score: 2 * (value - (columns[at] ?? 0) - (rows[row] ?? 0)),
          at,
        }));
        order.sort((a, b) => b.score - a.score || a.at - b.at);
        expect([...indices.subarray(row * 2, row * 2 + 2)]).toEqual(
          order.slice(0, 2).map(({ at }) => at),
        );
        expect(scores.subarray(row * 2, row * 2 + 2)).toBeClose(
          order.slice(0, 2).map(({ score }) => score),
          { atol: 1e-6, rtol: 1e-6 },
        );
      });
    });

    it('averages the scores of samples and fills up where columns are few', async () => {
      await selectBackend(backend);
      const left = [tf.tensor2d([[1, 0]]), tf.tensor2d([[0, 1]])];
      const right = [tf.tensor2d([[1, 0]]), tf.tensor2d([[0.6, 0.8]])];
      const { indices, scores } = await nearestPairs({ left, right, k: 2 });
      expect([...indices]).toEqual([0, -1]);
      expect(scores).toBeClose([0.9, -Infinity], { atol: 1e-6, rtol: 1e-6 });
    });
  });

  describe('mutualNearest', () => {
    it('returns the pairs that choose each other', async () => {
      await selectBackend(backend);
      const left = tf.tensor2d([
        [1, 0],
        [0.8, 0.6],
        [0, 1],
      ]);
      const right = tf.tensor2d([
        [0, 1],
        [0.96, 0.28],
      ]);
      expect([...(await mutualNearest({ left, right }))]).toEqual([0, 1, 2, 0]);
    });

    it('agrees with the full matrix, ties included', async () => {
      await selectBackend(backend);
      const [left, right] = [exactRows('left', 30, 2), exactRows('right', 25, 2)];
      const matrix = referenceSimilarities([left], [right]);
      const firstBest = (line: number[]) => line.indexOf(Math.max(...line));
      const expected = matrix.flatMap((line, row) => {
        const column = firstBest(line);
        return firstBest(matrix.map((other) => other[column] ?? 0)) === row ? [row, column] : [];
      });
      const pairs = await mutualNearest({ left: tensorOf(left), right: tensorOf(right) });
      expect([...pairs]).toEqual(expected);
    });

    it('leaks nothing', async () => {
      await selectBackend(backend);
      const [left, right] = [tf.eye(5), tf.eye(5)];
      await expectNoLeak(() => mutualNearest({ left, right }));
      await expectNoLeak(() => nearestPairs({ left, right, k: 2, csls: 1 }));
    });
  });
});

describe('rankPairs, nearestPairs and mutualNearest refuse', () => {
  const gold = Int32Array.of(0, 1);

  it('sides that do not fit together', async () => {
    await selectBackend('cpu');
    const sides = { left: tf.eye(2), right: tf.zeros<tf.Rank.R2>([3, 5]) };
    await expect(mutualNearest(sides)).rejects.toThrow('left is [2,2], right is [3,5]');
    const samples = { left: [tf.eye(2), tf.eye(2)], right: tf.eye(2) };
    await expect(nearestPairs({ ...samples, k: 1 })).rejects.toMatchObject({ code: 'LAB_SHAPE' });
    await expect(mutualNearest({ left: [], right: [] })).rejects.toThrow('left is empty');
  });

  it('gold that does not fit', async () => {
    await selectBackend('cpu');
    const sides = { left: tf.eye(2), right: tf.eye(2), csls: true };
    await expect(rankPairs({ ...sides, gold: Int32Array.of(0) })).rejects.toThrow(
      'gold has 1 entries, left has 2 rows',
    );
    await expect(rankPairs({ ...sides, gold: Int32Array.of(0, 2) })).rejects.toThrow(
      'gold of row 1 is column 2, there are 2 columns',
    );
  });

  it.each([0, 1.5, -3])('k = %d', async (k) => {
    await selectBackend('cpu');
    const sides = { left: tf.eye(2), right: tf.eye(2) };
    await expect(rankPairs({ ...sides, gold, k, csls: true })).rejects.toThrow(`k is ${k}`);
    await expect(nearestPairs({ ...sides, k })).rejects.toThrow(`k is ${k}`);
    await expect(nearestPairs({ ...sides, k: 1, csls: k })).rejects.toThrow(`csls is ${k}`);
  });
});

describe('with more threads', () => {
  afterAll(() => activeKernels()?.useThreads(1));

  it('finds the same bits', async () => {
    await selectBackend('wasm');
    const kernels = activeKernels()!;
    const [n, m] = [300, 700];
    const left = tf.randomNormal<tf.Rank.R2>([n, 9], 0, 1, 'float32', 1);
    const right = tf.randomNormal<tf.Rank.R2>([m, 9], 0, 1, 'float32', 2);
    const gold = Int32Array.from({ length: n }, (_, row) => row);
    const block = { rows: 110, columns: 600 };
    const all = async () => ({
      ranks: await rankPairs({ left, right, gold, csls: true, block }),
      nearest: await nearestPairs({ left, right, k: 3, block }),
    });
    kernels.useThreads(1);
    const alone = await all();
    kernels.useThreads(3);
    // The workers come up while the main thread works on.
    for (let round = 0; round < 3; round += 1) {
      expect(await all()).toEqual(alone);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    tf.dispose([left, right]);
  });
});
