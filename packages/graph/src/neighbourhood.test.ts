import { createRandom } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { syntheticPair } from './datasets/synthetic-pair.js';
import { neighbourhood } from './neighbourhood.js';
import { relationPairs } from './relation-pairs.js';

/** 0 - 1 - 2 - 3 - 4 in a line; 5 has a triple with itself, 6 has none. */
const line = relationPairs(
  {
    entityCount: 7,
    triples: {
      heads: Int32Array.of(0, 1, 2, 3, 5),
      relations: Int32Array.of(0, 0, 0, 0, 0),
      tails: Int32Array.of(1, 2, 3, 4, 5),
      leftCount: 5,
    },
  },
  { relationCount: 1 },
);

const pair = syntheticPair({ entities: 400, random: createRandom(5) });
const pairs = relationPairs(pair, { relationCount: 350 });

describe('neighbourhood', () => {
  it('numbers the targets first, then one hop after the other', () => {
    const near = neighbourhood(line, Int32Array.of(6, 2), { layers: 2 });
    expect(near.entities).toEqual(Int32Array.of(6, 2, 1, 3, 0, 4));
    expect(near.rowCounts).toEqual([6, 4, 2]);
    const [first, second] = near.layers;
    expect(second!.pattern).toEqual({
      ...{ rowCount: 2, columnCount: 4 },
      rowPointers: Int32Array.of(0, 0, 2),
      columns: Int32Array.of(2, 3),
    });
    expect(first!.pattern.rowPointers).toEqual(Int32Array.of(0, 0, 2, 4, 6));
    expect(first!.pattern.columns).toEqual(Int32Array.of(2, 3, 4, 1, 1, 5));
  });

  it('keeps every pair of every row that is read, and its place in the graph', () => {
    const targets = Int32Array.from({ length: 40 }, (_, i) => 19 * i);
    const { entities, rowCounts, layers } = neighbourhood(pairs, targets, { layers: 3 });
    expect(new Set(entities).size).toBe(entities.length);
    for (const [at, { pattern, entries }] of layers.entries()) {
      expect([pattern.columnCount, pattern.rowCount]).toEqual(rowCounts.slice(at, at + 2));
      for (let row = 0; row < pattern.rowCount; row += 1) {
        const own = entries.subarray(pattern.rowPointers[row], pattern.rowPointers[row + 1]);
        const { rowPointers, columns } = pairs.neighbours;
        const start = rowPointers[entities[row]!]!;
        expect(Array.from(own)).toEqual(Array.from(own, (_, k) => start + k));
        expect(own).toHaveLength(rowPointers[entities[row]! + 1]! - start);
        own.forEach((entry, k) => {
          const local = pattern.columns[pattern.rowPointers[row]! + k]!;
          expect(entities[local]).toBe(columns[entry]);
        });
      }
    }
  });

  it('takes a uniform choice of a fan-out, the same for the same stream', () => {
    const hub = degrees().indexOf(Math.max(...degrees()));
    const options = (seed: number) => ({ layers: 1, fanOut: 3, random: createRandom(seed) });
    const counts = new Map<number, number>();
    const draws = 3000;
    for (let seed = 0; seed < draws; seed += 1) {
      const { entries } = neighbourhood(pairs, Int32Array.of(hub), options(seed)).layers[0]!;
      expect(new Set(entries).size).toBe(3);
      for (const entry of entries) counts.set(entry, (counts.get(entry) ?? 0) + 1);
    }
    const expected = (3 * draws) / Math.max(...degrees());
    expect(counts.size).toBe(Math.max(...degrees()));
    // Five deviations of a binomial count.
    for (const count of counts.values()) {
      expect(Math.abs(count - expected)).toBeLessThan(5 * Math.sqrt(expected));
    }
    const once = neighbourhood(pairs, Int32Array.of(hub), options(9));
    expect(neighbourhood(pairs, Int32Array.of(hub), options(9))).toEqual(once);
  });

  it('caps rows by layer and leaves smaller ones alone', () => {
    const targets = Int32Array.from({ length: 100 }, (_, i) => i);
    const options = { layers: 2, fanOut: [2, 5], random: createRandom(1) };
    const { layers, entities } = neighbourhood(pairs, targets, options);
    for (const [at, { pattern }] of layers.entries()) {
      for (let row = 0; row < pattern.rowCount; row += 1) {
        const count = pattern.rowPointers[row + 1]! - pattern.rowPointers[row]!;
        expect(count).toBe(Math.min(options.fanOut[at]!, degrees()[entities[row]!]!));
      }
    }
  });

  it('has no layer for L = 0, and refuses what cannot be', () => {
    const targets = Int32Array.of(3, 1);
    const near = neighbourhood(line, targets, { layers: 0 });
    expect(near).toEqual({ entities: targets, rowCounts: [2], layers: [] });
    expect(() => neighbourhood(line, Int32Array.of(3, 3), { layers: 1 })).toThrow(/twice/);
    expect(() => neighbourhood(line, Int32Array.of(7), { layers: 1 })).toThrow(/outside 0 .. 6/);
    expect(() => neighbourhood(line, targets, { layers: 1, fanOut: 2 })).toThrow(/random stream/);
    expect(() => neighbourhood(line, targets, { layers: 2, fanOut: [1] })).toThrow(/2 layers/);
    expect(() => neighbourhood(line, targets, { layers: 1, fanOut: 0 })).toThrow(/fan-out is 0/);
  });
});

function degrees(): number[] {
  const { rowPointers, rowCount } = pairs.neighbours;
  return Array.from({ length: rowCount }, (_, i) => rowPointers[i + 1]! - rowPointers[i]!);
}
