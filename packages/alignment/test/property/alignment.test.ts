import { createRandom } from '@lab/core';
import type { AlignmentData } from '@lab/graph';
import { selectBackend } from '@lab/tensor';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  smallConfig,
  smallData,
  smallTask,
  smallTraining,
} from '../../src/__fixtures__/small-task.js';
import { confidenceOf } from '../../src/confidence.js';
import { evaluateModel, rankedPairs } from '../../src/evaluate.js';
import { seedBatches } from '../../src/train.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

/** The same graphs with entities numbered in another order; `to[old]` is the new number. */
function renumbered(data: AlignmentData, to: Int32Array): AlignmentData {
  const map = (values: Int32Array) => values.map((entity) => to[entity]!);
  const from = new Int32Array(to.length);
  to.forEach((next, old) => {
    from[next] = old;
  });
  const bags = data.attributes!;
  const rowPointers = new Int32Array(to.length + 1);
  const columns: number[] = [];
  from.forEach((old, next) => {
    columns.push(...bags.columns.subarray(bags.rowPointers[old]!, bags.rowPointers[old + 1]!));
    rowPointers[next + 1] = columns.length;
  });
  return {
    ...data,
    entityNames: Array.from(from, (old) => data.entityNames[old]!),
    entityIds: from.map((old) => data.entityIds[old]!),
    sides: Uint8Array.from(from, (old) => data.sides[old]!),
    left: map(data.left),
    right: map(data.right),
    links: map(data.links),
    triples: {
      ...data.triples,
      heads: map(data.triples.heads),
      tails: map(data.triples.tails),
    },
    attributes: { ...bags, rowPointers, columns: Int32Array.from(columns) },
  };
}

describe('the numbering of entities', () => {
  it('does not matter: metrics stay up to rounding', async () => {
    const task = await smallTask(smallData(30));
    const config = smallConfig({ 'model.noise': 0 });
    const original = smallTraining(task, config);
    const { parameters } = original.learner;
    const table = parameters.get('entity').arraySync() as number[][];
    const pairs = task.split.test;
    const evaluate = (state: typeof original) =>
      evaluateModel(state, { pairs: state.task.split.test, random: createRandom(1) });
    const expected = await evaluate(original);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), async (seed) => {
        const to = createRandom(seed).permutation(60);
        const data = renumbered(task.data, to);
        const map = (values: Int32Array) => values.map((entity) => to[entity]!);
        const split = { ...task.split, seeds: map(task.split.seeds), test: map(pairs) };
        const moved = smallTraining({ data, split }, config);
        const start = await parameters.toArrays();
        const rows = new Float32Array(60 * 12);
        table.forEach((row, old) => rows.set(row, to[old]! * 12));
        moved.learner.parameters.load({ ...start, entity: { shape: [60, 12], data: rows } });
        const found = await evaluate(moved);
        moved.dispose();
        for (const direction of ['forward', 'backward'] as const) {
          expect(found[direction].mrr).toBeCloseTo(expected[direction].mrr, 1);
          expect(found[direction].meanRank).toBeCloseTo(expected[direction].meanRank, 0);
        }
      }),
      { numRuns: 12 },
    );
    original.dispose();
  });
});

describe('metrics', () => {
  it('stay within their bounds, and follow the pairs', () => {
    const ranks = fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(ranks, fc.integer({ min: 0, max: 1e9 }), (values, seed) => {
        const rows = createRandom(seed).permutation(values.length);
        const list = Float64Array.from(values);
        const found = rankedPairs({ forwardRanks: list, backwardRanks: list, remarks: [] }, rows);
        const { mrr, meanRank } = found.forward;
        const hits = [1, 5, 10, 50].map((k) => found.forward[`hits@${k}`]!);
        for (const share of [mrr, ...hits]) {
          expect(share).toBeGreaterThanOrEqual(0);
          expect(share).toBeLessThanOrEqual(1);
        }
        expect(hits).toEqual([...hits].sort((a, b) => a - b));
        expect(mrr).toBeGreaterThanOrEqual(hits[0]!);
        expect(meanRank).toBeGreaterThanOrEqual(1);
        rows.forEach((row, pair) => expect(found.forwardRanks[pair]).toBe(values[row]));
      }),
    );
  });

  it('confidences are probabilities for any finite evidence', () => {
    const number = fc.double({ min: -1e3, max: 1e3, noNaN: true });
    fc.assert(
      fc.property(fc.tuple(number, number, number), fc.boolean(), number, (values, mutual, b) => {
        const [score, margin, backwardMargin] = values;
        const model = { coefficients: [b, 1, -2, 3], intercept: -b, pairs: 30 };
        const probability = confidenceOf(model, { score, margin, backwardMargin, mutual });
        expect(probability).toBeGreaterThanOrEqual(0);
        expect(probability).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('seed batches', () => {
  it('hold every pair once, none of one pair alone', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 200 }),
        fc.integer({ min: 2, max: 50 }),
        fc.integer({ min: 0, max: 1e9 }),
        (pairs, size, seed) => {
          const seeds = Int32Array.from({ length: 2 * pairs }, (_, at) => at);
          const batches = seedBatches(seeds, size, createRandom(seed));
          const lefts = batches.flatMap(({ left }) => Array.from(left));
          expect(new Set(lefts).size).toBe(pairs);
          for (const { left, right } of batches) {
            expect(left.length).toBeGreaterThanOrEqual(2);
            expect(left.length).toBeLessThanOrEqual(size + 1);
            left.forEach((entity, row) => expect(right[row]).toBe(entity + 1));
          }
        },
      ),
    );
  });
});
