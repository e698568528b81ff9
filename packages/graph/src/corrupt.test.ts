import { createRandom } from '@lab/core';
import { describe, expect, it } from 'vitest';
import {
  addImageNoise,
  dropImages,
  dropTriples,
  flipAttributes,
  flipFeatures,
  noiseImages,
  swapAttributeRows,
  swapFeatureRows,
  swapImages,
} from './corrupt.js';
import { syntheticPair } from './datasets/synthetic-pair.js';
import { attributeFeatures } from './features.js';
import type { AlignmentData } from './knowledge-graph.js';

const base = syntheticPair({ entities: 500, random: createRandom(1), attributes: 40 });
const data = noiseImages(base, { probability: 0.8, random: createRandom(2), dimension: 4 });

function rows(source: AlignmentData): string[] {
  const bags = source.attributes;
  if (bags === null) return [];
  return Array.from({ length: source.entityCount }, (_, i) =>
    bags.columns.slice(bags.rowPointers[i], bags.rowPointers[i + 1]).join(),
  );
}

function corruption(probability: number) {
  return { probability, random: createRandom(9) };
}

describe('swapAttributeRows', () => {
  it('moves about the given share of rows, within their graph, and loses none', () => {
    const swapped = rows(swapAttributeRows(data, corruption(0.5)));
    const before = rows(data);
    const moved = swapped.filter((row, i) => row !== before[i]).length;
    expect(moved / 1000).toBeGreaterThan(0.4);
    expect(moved / 1000).toBeLessThan(0.6);
    expect(swapped.slice(0, 500).sort()).toEqual(before.slice(0, 500).sort());
  });

  it('leaves everything at 0, keeps data without attributes, refuses 1.5', () => {
    expect(rows(swapAttributeRows(data, corruption(0)))).toEqual(rows(data));
    const bare = { ...data, attributes: null };
    expect(swapAttributeRows(bare, corruption(1))).toBe(bare);
    expect(() => swapAttributeRows(data, corruption(1.5))).toThrow(/probability is 1.5/);
  });
});

describe('flipFeatures', () => {
  // 0: {1: 2}, 1: {}, 2: {0: 4, 2: 6}
  const matrix = {
    rowCount: 3,
    columnCount: 3,
    rowPointers: Int32Array.of(0, 1, 1, 3),
    columns: Int32Array.of(1, 0, 2),
    values: Float32Array.of(2, 4, 6),
  };

  it('turns every cell at 1, with the mean as the value of added ones, and none at 0', () => {
    const turned = flipFeatures(matrix, corruption(1));
    expect([...turned.rowPointers]).toEqual([0, 2, 5, 6]);
    expect([...turned.columns]).toEqual([0, 2, 0, 1, 2, 1]);
    expect([...(turned.values ?? [])]).toEqual([4, 4, 4, 4, 4, 4]);
    expect(flipFeatures(matrix, corruption(0))).toEqual(matrix);
  });

  it('keeps the values of cells that are not flipped, and flips about the given share', () => {
    const bags = attributeFeatures(data);
    if (bags === null) throw new Error('no attributes');
    const numbered = { ...bags, values: Float32Array.from(bags.columns, (_, e) => 1000 + e) };
    const flipped = flipFeatures(numbered, corruption(0.2));
    const kept = [...(flipped.values ?? [])].filter((value) => Number.isInteger(value));
    expect(kept.length / bags.columns.length).toBeGreaterThan(0.75);
    expect(kept.length / bags.columns.length).toBeLessThan(0.85);
    for (const [e, value] of (flipped.values ?? []).entries()) {
      if (Number.isInteger(value)) expect(flipped.columns[e]).toBe(bags.columns[value - 1000]);
    }
    expect(() => flipFeatures(matrix, corruption(-1))).toThrow(/probability is -1/);
  });
});

describe('swapFeatureRows', () => {
  it('moves rows with their values', () => {
    const matrix = attributeFeatures(data);
    if (matrix === null) throw new Error('no attributes');
    const numbered = { ...matrix, values: Float32Array.from(matrix.columns, (_, e) => e) };
    const swapped = swapFeatureRows(numbered, data, corruption(1));
    expect(swapped.columns).toHaveLength(matrix.columns.length);
    for (const [e, value] of (swapped.values ?? []).entries()) {
      expect(swapped.columns[e]).toBe(matrix.columns[value]);
    }
    expect(swapped.rowPointers).not.toEqual(matrix.rowPointers);
  });
});

describe('flipAttributes', () => {
  it('changes the given share of all bits', () => {
    const flipped = flipAttributes(data, corruption(0.1));
    let changed = 0;
    const before = rows(data).map((row) => new Set(row.split(',').filter(Boolean)));
    for (const [i, row] of rows(flipped).entries()) {
      const after = new Set(row.split(',').filter(Boolean));
      const union = new Set([...after, ...(before[i] as Set<string>)]);
      for (const bit of union) if (after.has(bit) !== before[i]?.has(bit)) changed += 1;
    }
    expect(changed / (1000 * 40)).toBeCloseTo(0.1, 2);
  });

  it('changes nothing at 0 and everything at 1', () => {
    expect(rows(flipAttributes(data, corruption(0)))).toEqual(rows(data));
    const all = flipAttributes(data, corruption(1)).attributes;
    expect(all?.columns.length).toBe(40_000 - (data.attributes?.columns.length ?? 0));
  });
});

describe('image corruption', () => {
  const images = data.images;
  if (images === null) throw new Error('no images');

  it('drops images', () => {
    const left = dropImages(data, corruption(0.5)).images;
    expect((left?.entities.length ?? 0) / images.entities.length).toBeCloseTo(0.5, 1);
    const entity = left?.entities[3] as number;
    const row = images.entities.indexOf(entity);
    expect(left?.vectors.slice(12, 16)).toEqual(images.vectors.slice(4 * row, 4 * row + 4));
    expect(dropImages(data, corruption(1)).images).toBeNull();
  });

  it('adds noise of the asked strength to the asked share', () => {
    const noisy = addImageNoise(data, { ...corruption(1), strength: 0.5 }).images;
    const change = images.vectors.map((value, i) => ((noisy?.vectors[i] ?? 0) - value) ** 2);
    const deviation = Math.sqrt(change.reduce((a, b) => a + b) / change.length);
    const size = Math.sqrt(images.vectors.reduce((a, b) => a + b * b, 0) / change.length);
    expect(deviation / size).toBeCloseTo(0.5, 1);
    expect(addImageNoise(data, corruption(0)).images?.vectors).toEqual(images.vectors);
  });

  it('swaps images within a graph and loses none', () => {
    const swapped = swapImages(data, corruption(1)).images;
    expect(swapped?.entities).toEqual(images.entities);
    expect(swapped?.vectors).not.toEqual(images.vectors);
    const leftCount = images.entities.filter((entity) => data.sides[entity] === 1).length;
    const sum = (vectors: Float32Array): number =>
      vectors.subarray(0, 4 * leftCount).reduce((a, b) => a + b, 0);
    expect(sum(swapped?.vectors ?? new Float32Array(0))).toBeCloseTo(sum(images.vectors), 2);
  });

  it('keeps data without images', () => {
    const bare = { ...data, images: null };
    for (const change of [dropImages, addImageNoise, swapImages]) {
      expect(change(bare, corruption(1))).toBe(bare);
    }
    expect(noiseImages(bare, corruption(0)).images).toBeNull();
  });
});

describe('dropTriples', () => {
  it('drops the given share in both graphs', () => {
    const { triples } = dropTriples(data, corruption(0.25));
    expect(triples.heads.length / data.triples.heads.length).toBeCloseTo(0.75, 1);
    expect(triples.heads.slice(0, triples.leftCount).every((head) => head < 500)).toBe(true);
    expect(triples.heads.slice(triples.leftCount).every((head) => head >= 500)).toBe(true);
  });
});
