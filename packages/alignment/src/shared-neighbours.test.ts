import { selectBackend, tf } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Encoding } from './learner.js';
import { createNeighbourIndex } from './neighbour-index.js';
import { knownPairs, sharedNeighbours } from './shared-neighbours.js';
import type { TrainingState } from './training-state.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

/** Source 0 with neighbours 1, 2, 3, 4; target 10 with neighbours 11, 12, 14, 15. */
const links = [
  [0, 1],
  [2, 0],
  [0, 3],
  [0, 4],
  [1, 2],
  [10, 11],
  [12, 10],
  [10, 14],
  [10, 15],
] as const;
const index = createNeighbourIndex({
  entityCount: 20,
  triples: {
    heads: Int32Array.from(links, ([head]) => head),
    relations: new Int32Array(links.length),
    tails: Int32Array.from(links, ([, tail]) => tail),
    leftCount: 5,
  },
  relationNames: ['near'],
});

/** 1 = 11 and 2 = 12 known; 3 = 13, which is not next to 10; 15 = 5, which is not next to 0. */
const seeds = Int32Array.of(1, 11, 3, 13, 5, 15);
const state = {
  seeds: Int32Array.of(...seeds, 2, 12),
  task: { split: { seeds } },
} as unknown as TrainingState;

/** Every entity `e` and `e + 10` have the same unit vector. */
const encoding = {
  embed: ({ left, right }: { left: Int32Array; right: Int32Array }) => {
    const rows = (entities: Int32Array) => {
      const at = tf.tensor1d(
        Array.from(entities, (entity) => entity % 10),
        'int32',
      );
      return tf.cast(tf.oneHot(at, 10), 'float32');
    };
    const both = tf.tidy(() => [rows(left), rows(right)]) as tf.Tensor2D[];
    return { left: [both[0]!], right: [both[1]!], dispose: () => tf.dispose(both) };
  },
} as unknown as Encoding;

const search = { index, known: knownPairs(state), encoding, limit: 5 };

describe('sharedNeighbours', () => {
  it('lists known pairs, the rarest first, then similar ones, and what either lacks', async () => {
    const before = tf.memory().numTensors;
    const found = await sharedNeighbours({ source: 0, target: 10 }, search);
    expect(found.pairs.map(({ source, target, kind }) => [source, target, kind])).toEqual([
      [1, 11, 'seed'],
      [2, 12, 'pseudo-seed'],
      [4, 14, 'similar'],
    ]);
    expect(found.pairs[1]).toMatchObject({
      cosine: 1,
      sourceLinks: [{ relation: 'near', isInverse: true }],
      targetLinks: [{ relation: 'near', isInverse: true }],
    });
    expect(found.knownCount).toBe(2);
    expect([found.targetLacks, found.sourceLacks]).toEqual([[3], [15]]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('lists no more than asked for, and counts all', async () => {
    const found = await sharedNeighbours({ source: 0, target: 10 }, { ...search, limit: 1 });
    expect([found.pairs.length, found.knownCount]).toEqual([1, 2]);
  });

  it('is empty where nothing is around', async () => {
    const found = await sharedNeighbours({ source: 7, target: 17 }, search);
    expect(found).toEqual({ pairs: [], knownCount: 0, targetLacks: [], sourceLacks: [] });
  });

  it('a neighbour whose counterpart is the other entity itself lacks nothing', async () => {
    const found = await sharedNeighbours({ source: 0, target: 13 }, search);
    expect(found.targetLacks).toEqual([1, 2]);
  });
});
