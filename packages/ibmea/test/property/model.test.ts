import { evaluateModel } from '@lab/alignment';
import { createRandom } from '@lab/core';
import type { AlignmentData } from '@lab/graph';
import { selectBackend, tf } from '@lab/tensor';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  smallConfig,
  smallData,
  smallModel,
  smallTask,
  smallTraining,
  valuesOf,
} from '../../src/__fixtures__/small-task.js';
import { noDropout } from '../../src/encoders.js';
import { weightedFusion } from '../../src/fusion.js';

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
    const config = smallConfig();
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

describe('fused rows', () => {
  it('have one norm: that of the weights of the present modalities', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: -4, max: 4, noNaN: true }), { minLength: 6, maxLength: 6 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 0, max: 1e9 }),
        (scores, count, seed) => {
          const norms = tf.tidy(() => {
            const random = createRandom(seed);
            const rows = (name: string, width: number) =>
              tf.tensor2d(random.fork(name).fillNormal(new Float32Array(count * width)), [
                count,
                width,
              ]);
            const parts = { graph: rows('g', 5), relation: rows('r', 3), attribute: rows('a', 2) };
            return valuesOf(tf.norm(weightedFusion(tf.tensor1d(scores), parts), 2, 1));
          });
          const exps = scores.map(Math.exp);
          const total = exps.reduce((sum, x) => sum + x, 0);
          const expected = Math.hypot(...[1, 2, 3].map((slot) => exps[slot]! / total));
          for (const norm of norms) expect(norm).toBeCloseTo(expected, 4);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('deviations', () => {
  it('are positive in mode corrected and at least -1 in mode official', async () => {
    const task = await smallTask(smallData(20));
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 1e6 }),
        fc.constantFrom('official' as const, 'corrected' as const),
        async (seed, mode) => {
          const { model, dispose } = smallModel(task, smallConfig({ seed }, mode));
          const low = tf.tidy(() =>
            Object.entries(model.encode(noDropout)).map(
              ([name, { scale }]) => [name, Math.min(...valuesOf(scale!))] as const,
            ),
          );
          dispose();
          for (const [name, value] of low) {
            if (mode === 'official' && name === 'graph') expect(value).toBeGreaterThanOrEqual(-1);
            else expect(value).toBeGreaterThan(0);
          }
        },
      ),
      { numRuns: 10 },
    );
  });
});
