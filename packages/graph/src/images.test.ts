import { createRandom, DataError } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { imageFeatures } from './images.js';
import type { AlignmentData } from './knowledge-graph.js';

// 0 - 1 twice, 1 - 2, 3 alone; 0 and 2 have images
const data: Pick<AlignmentData, 'entityCount' | 'triples' | 'images'> = {
  entityCount: 4,
  triples: {
    heads: Int32Array.of(0, 1, 1),
    relations: Int32Array.of(0, 0, 0),
    tails: Int32Array.of(1, 0, 2),
    leftCount: 3,
  },
  images: {
    dimension: 2,
    entities: Int32Array.of(0, 2),
    vectors: Float32Array.of(3, 0, 0, 6),
  },
};

function row(values: Float32Array, index: number): number[] {
  return [...values.subarray(2 * index, 2 * index + 2)];
}

describe('imageFeatures', () => {
  const random = createRandom(1);

  it('fills from neighbours, each as often as triples join them, and normalises rows', () => {
    const { values, present, ...counts } = imageFeatures(data, { fill: 'neighbour-mean', random });
    expect(row(values, 0)).toEqual([1, 0]);
    expect(row(values, 2)).toEqual([0, 1]);
    // mean of (3, 0), (3, 0), (0, 6)
    expect(row(values, 1)[0]).toBeCloseTo(Math.SQRT1_2, 6);
    expect(row(values, 1)[1]).toBeCloseTo(Math.SQRT1_2, 6);
    expect(Math.hypot(...row(values, 3))).toBeCloseTo(1, 6);
    expect([...present]).toEqual([1, 0, 1, 0]);
    expect(counts).toEqual({ dimension: 2, filledFromNeighbours: 1, filledShared: 1 });
  });

  it('shares one random vector among entities without a neighbour that has an image', () => {
    const alone = { ...data, entityCount: 6 };
    const { values, filledShared } = imageFeatures(alone, { fill: 'neighbour-mean', random });
    expect(filledShared).toBe(3);
    expect(row(values, 4)).toEqual(row(values, 3));
    expect(row(values, 5)).toEqual(row(values, 3));
  });

  it('draws one vector each with random, the same for the same stream', () => {
    const options = { fill: 'random', random: createRandom(7) } as const;
    const { values, filledShared } = imageFeatures(data, options);
    expect(filledShared).toBe(2);
    expect(row(values, 1)).not.toEqual(row(values, 3));
    const again = imageFeatures(data, { fill: 'random', random: createRandom(7) });
    expect(again.values).toEqual(values);
  });

  it.each(['zeros', 'mask'] as const)('leaves rows empty with %s, without a stream', (fill) => {
    const { values, filledShared } = imageFeatures(data, { fill });
    expect(row(values, 1)).toEqual([0, 0]);
    expect(filledShared).toBe(0);
  });

  it('refuses data without images, and draws without a stream', () => {
    expect(() => imageFeatures({ ...data, images: null })).toThrow(DataError);
    expect(() => imageFeatures(data)).toThrow(/needs random draws/);
  });
});
