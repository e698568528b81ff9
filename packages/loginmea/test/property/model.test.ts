import { evaluateModel } from '@lab/alignment';
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
  withImages,
} from '../../src/__fixtures__/small-task.js';

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
    images: renumberedImages(data, to),
  };
}

/** The image vectors in the order of the new numbers. */
function renumberedImages(
  { images }: AlignmentData,
  to: Int32Array,
): NonNullable<AlignmentData['images']> {
  const { dimension, entities, vectors } = images!;
  const rows = Array.from(entities, (old, row) => ({ entity: to[old]!, row })).sort(
    (a, b) => a.entity - b.entity,
  );
  const moved = new Float32Array(vectors.length);
  rows.forEach(({ row }, at) => {
    moved.set(vectors.subarray(row * dimension, (row + 1) * dimension), at * dimension);
  });
  return { dimension, entities: Int32Array.from(rows, ({ entity }) => entity), vectors: moved };
}

const COUNT = 60;
const SIZE = 12;

describe('the numbering of entities', () => {
  it('does not matter: a step and the metrics after it stay the same up to rounding', async () => {
    const task = await smallTask(withImages(smallData(COUNT / 2)));
    const config = smallConfig({ 'data.missingImages': 'mask' });
    const original = smallTraining(task, config);
    const start = await original.learner.parameters.toArrays();
    const table = start['entity']!.data as Float32Array;
    /** Metrics after a step, and the loss of the step. */
    const stepAndMeasure = async (state: typeof original) => {
      const { seeds, learner, task: own } = state;
      const { loss } = await learner.step({ epoch: 0, seeds, random: createRandom(3) });
      const input = { pairs: own.split.test, random: createRandom(1) };
      return { loss, ...(await evaluateModel(state, input)) };
    };
    const expected = await stepAndMeasure(original);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), async (seed) => {
        const to = createRandom(seed).permutation(COUNT);
        const data = renumbered(task.data, to);
        const map = (values: Int32Array) => values.map((entity) => to[entity]!);
        const { seeds, test } = task.split;
        const split = { ...task.split, seeds: map(seeds), test: map(test) };
        const moved = smallTraining({ data, split }, config);
        const rows = new Float32Array(table.length);
        for (let old = 0; old < COUNT; old += 1) {
          rows.set(table.subarray(old * SIZE, (old + 1) * SIZE), to[old]! * SIZE);
        }
        const entity = { shape: [COUNT, SIZE], data: rows };
        moved.learner.parameters.load({ ...start, entity });
        const found = await stepAndMeasure(moved);
        moved.dispose();
        expect(found.loss).toBeCloseTo(expected.loss, 4);
        for (const direction of ['forward', 'backward'] as const) {
          expect(found[direction].mrr).toBeCloseTo(expected[direction].mrr, 1);
          expect(found[direction].meanRank).toBeCloseTo(expected[direction].meanRank, 0);
        }
      }),
      { numRuns: 10 },
    );
    original.dispose();
  });
});

describe('weights of the modalities', () => {
  it('sum to 1 in every entity, 0 for an image that is masked, whatever the start', async () => {
    const data = withImages(smallData(20));
    const task = await smallTask(data);
    const owners = new Set(data.images!.entities);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 1e6 }),
        fc.constantFrom('mask', 'zeros', 'random'),
        async (seed, fill) => {
          const state = smallTraining(task, smallConfig({ seed, 'data.missingImages': fill }));
          const encoding = state.learner.encode();
          const { weights } = await encoding.findings();
          encoding.dispose();
          state.dispose();
          for (let entity = 0; entity < data.entityCount; entity += 1) {
            const own = weights!.subarray(3 * entity, 3 * entity + 3);
            expect(own.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
            expect(own[0] === 0).toBe(fill === 'mask' && !owners.has(entity));
          }
        },
      ),
      { numRuns: 10 },
    );
  });
});
