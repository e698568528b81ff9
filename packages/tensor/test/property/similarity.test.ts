import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { mutualNearest, nearestPairs, rankPairs, selectBackend, tf } from '../../src/index.js';
import {
  referenceRanks,
  referenceSimilarities,
} from '../../src/ops/__fixtures__/reference-ranks.js';

/** Quarters: exact in float32 whatever the order of summation, and full of ties. */
const matrixOf = (rowCount: number, width: number) =>
  fc.array(
    fc.array(
      fc.integer({ min: -3, max: 3 }).map((x) => x / 4),
      { minLength: width, maxLength: width },
    ),
    { minLength: rowCount, maxLength: rowCount },
  );

const problems = fc
  .record({
    n: fc.integer({ min: 1, max: 30 }),
    m: fc.integer({ min: 1, max: 30 }),
    width: fc.integer({ min: 1, max: 4 }),
  })
  .chain(({ n, m, width }) =>
    fc.record({
      left: matrixOf(n, width),
      right: matrixOf(m, width),
      gold: fc.array(fc.integer({ min: -1, max: m - 1 }), { minLength: n, maxLength: n }),
      k: fc.constantFrom(1, 2, 4),
      csls: fc.boolean(),
      cacheBytes: fc.constantFrom(0, 500, 1e6),
      block: fc.record({
        rows: fc.integer({ min: 1, max: 32 }),
        columns: fc.integer({ min: 1, max: 32 }),
      }),
    }),
  );

async function ranksOf(problem: {
  left: number[][];
  right: number[][];
  gold: number[];
  k: number;
  csls: boolean;
  cacheBytes: number;
  block: { rows: number; columns: number };
}) {
  const sides = { left: tf.tensor2d(problem.left), right: tf.tensor2d(problem.right) };
  const gold = Int32Array.from(problem.gold);
  const ranks = await rankPairs({ ...problem, ...sides, gold });
  tf.dispose(sides);
  return { forward: [...ranks.forwardRanks], backward: [...ranks.backwardRanks] };
}

describe('rankPairs', () => {
  beforeAll(() => selectBackend('wasm'));

  it('streams the ranks of the full matrix exactly, ties included', async () => {
    await fc.assert(
      fc.asyncProperty(problems, async (problem) => {
        const matrix = referenceSimilarities([problem.left], [problem.right]);
        const expected = referenceRanks(matrix, problem);
        expect(await ranksOf(problem)).toEqual(expected);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it('gives the same ranks when the columns are permuted', async () => {
    await fc.assert(
      fc.asyncProperty(problems, fc.integer(), async (problem, salt) => {
        const m = problem.right.length;
        const order = Array.from({ length: m }, (_, at) => at);
        order.sort((a, b) => Math.sin(salt + a) - Math.sin(salt + b));
        const right = order.map((column) => problem.right[column] ?? []);
        const gold = problem.gold.map((column) => order.indexOf(column));
        expect(await ranksOf({ ...problem, right, gold })).toEqual(await ranksOf(problem));
      }),
      { numRuns: 30, seed: 2 },
    );
  });

  it('swaps its directions when the sides are swapped', async () => {
    await fc.assert(
      fc.asyncProperty(problems, async ({ left, right, ...settings }) => {
        const size = Math.min(left.length, right.length);
        const gold = Array.from({ length: size }, (_, at) => size - 1 - at);
        const [a, b] = [left.slice(0, size), right.slice(0, size)];
        const ranks = await ranksOf({ ...settings, left: a, right: b, gold });
        const turned = await ranksOf({ ...settings, left: b, right: a, gold });
        expect(turned.forward).toEqual([...ranks.backward].reverse());
        expect(turned.backward).toEqual([...ranks.forward].reverse());
      }),
      { numRuns: 30, seed: 3 },
    );
  });
});

describe('mutualNearest', () => {
  it('holds only pairs in which the column is the best of its row', async () => {
    await fc.assert(
      fc.asyncProperty(problems, async ({ left, right, block }) => {
        const sides = { left: tf.tensor2d(left), right: tf.tensor2d(right), block };
        const pairs = await mutualNearest(sides);
        const { indices } = await nearestPairs({ ...sides, k: 1 });
        for (let at = 0; at < pairs.length; at += 2) {
          expect(indices[pairs[at] ?? -1]).toBe(pairs[at + 1]);
        }
        expect(new Set(pairs.filter((_, at) => at % 2 === 1)).size).toBe(pairs.length / 2);
        tf.dispose([sides.left, sides.right]);
      }),
      { numRuns: 30, seed: 4 },
    );
  });
});
