import { createRandom } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { syntheticPair } from './datasets/synthetic-pair.js';
import { neighbourhood } from './neighbourhood.js';
import { csrBlocks, cutRows, pairBlocks } from './pair-blocks.js';
import { relationPairs } from './relation-pairs.js';

const matrix = {
  rowCount: 5,
  columnCount: 4,
  rowPointers: Int32Array.of(0, 2, 4, 4, 5, 8),
  columns: Int32Array.of(0, 1, 1, 0, 2, 0, 1, 3),
};
const cost = { row: 0, source: 1, entry: 0 };

describe('cutRows', () => {
  it('counts rows, entries, and what is distinct in a block', () => {
    const starts = (limit: Parameters<typeof cutRows>[1]) =>
      cutRows(matrix, limit).map(({ start, end }) => [start, end]);
    expect(starts({ cost, most: 2 })).toEqual([
      [0, 3],
      [3, 4],
      [4, 5],
    ]);
    expect(starts({ cost, most: 4 })).toEqual([[0, 5]]);
    expect(starts({ cost: { row: 1, source: 0, entry: 0 }, most: 2 })).toEqual([
      [0, 2],
      [2, 4],
      [4, 5],
    ]);
    expect(starts({ cost: { row: 0, source: 0, entry: 1 }, most: 4 })).toEqual([
      [0, 3],
      [3, 5],
    ]);
    expect(() => starts({ cost, most: 0 })).toThrow(/may cost 0/);
  });

  it('counts distinct sets; a row that costs too much is a block of its own', () => {
    const sets = { numbers: Int32Array.of(0, 0, 0, 0, 1, 2, 3, 2), count: 4 };
    const limit = { cost: { row: 0, source: 0, entry: 0, set: 1 }, most: 1 };
    expect(cutRows(matrix, limit, sets).map(({ end }) => end)).toEqual([3, 4, 5]);
  });
});

describe('csrBlocks', () => {
  it('cover all entries with columns of their own', () => {
    const blocks = csrBlocks(matrix, { cost, most: 2 });
    const seen: [number, number][] = [];
    for (let index = 0; index < blocks.count; index += 1) {
      const { start, matrix: own, columns } = blocks.at(index);
      for (let row = 0; row < own.rowCount; row += 1) {
        for (let e = own.rowPointers[row]!; e < own.rowPointers[row + 1]!; e += 1) {
          seen.push([start + row, columns[own.columns[e]!]!]);
        }
      }
    }
    expect(seen.map(([, column]) => column)).toEqual(Array.from(matrix.columns));
    expect(seen.map(([row]) => row)).toEqual([0, 0, 1, 1, 3, 4, 4, 4]);
  });
});

describe('pairBlocks', () => {
  it('give each pair its sender and its relations', () => {
    const pair = syntheticPair({ entities: 300, random: createRandom(5), relations: 8 });
    const pairs = relationPairs(pair, { relationCount: 14 });
    const targets = Int32Array.from({ length: 60 }, (_, i) => 7 * i);
    const near = neighbourhood(pairs, targets, { layers: 1 });
    const layer = near.layers[0]!;
    const limit = { cost: { row: 1, source: 1, entry: 1, set: 1 }, most: 50 };
    const blocks = pairBlocks(layer, pairs, limit);
    expect(blocks.count).toBeGreaterThan(5);
    const relations = (of: typeof pairs.averaging, set: number) =>
      Array.from(of.columns.subarray(of.rowPointers[set], of.rowPointers[set + 1]));
    let entry = 0;
    for (let index = 0; index < blocks.count; index += 1) {
      const { sources, pairs: own } = blocks.at(index);
      expect(new Set(sources).size).toBe(sources.length);
      expect(own.neighbours.columnCount).toBe(sources.length);
      own.neighbours.columns.forEach((column, e) => {
        const global = layer.entries[entry]!;
        expect(near.entities[sources[column]!]).toBe(pairs.neighbours.columns[global]);
        const set = pairs.sets[global]!;
        expect(relations(own.averaging, own.sets[e]!)).toEqual(relations(pairs.averaging, set));
        entry += 1;
      });
    }
    expect(entry).toBe(layer.entries.length);
  });
});
