import { createRandom } from '@lab/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  countMatrix,
  greedyOneToOne,
  neighbourGraph,
  relationFeatures,
  sinkhorn,
  syntheticPair,
} from '../../src/index.js';
import { dropDuplicateTriples } from '../../src/triple-table.js';

const entityCount = 12;
const triple = fc.tuple(fc.nat(entityCount - 1), fc.nat(4), fc.nat(entityCount - 1));
const triplesOf = (list: readonly (readonly [number, number, number])[]) => ({
  heads: Int32Array.from(list, ([head]) => head),
  relations: Int32Array.from(list, ([, relation]) => relation),
  tails: Int32Array.from(list, ([, , tail]) => tail),
  leftCount: list.length,
});
const relationIds = Int32Array.of(0, 1, 2, 3, 4);

describe('neighbourGraph', () => {
  it('is symmetric, sorted, without repetitions, and knows every triple', () => {
    fc.assert(
      fc.property(fc.array(triple, { maxLength: 40 }), fc.boolean(), (list, selfLoops) => {
        const graph = neighbourGraph({ entityCount, triples: triplesOf(list) }, { selfLoops });
        const pairs = new Set<string>();
        for (let i = 0; i < entityCount; i += 1) {
          const row = [...graph.columns.slice(graph.rowPointers[i], graph.rowPointers[i + 1])];
          expect(row).toEqual([...new Set(row)].sort((a, b) => a - b));
          for (const j of row) pairs.add(`${i} ${j}`);
          if (selfLoops) expect(row).toContain(i);
        }
        for (const pair of pairs) expect(pairs).toContain(pair.split(' ').reverse().join(' '));
        for (const [head, , tail] of list) expect(pairs).toContain(`${head} ${tail}`);
      }),
      { numRuns: 60 },
    );
  });
});

describe('relationFeatures', () => {
  it('does not change under a new order of entities, but for the order of rows', () => {
    fc.assert(
      fc.property(fc.array(triple, { maxLength: 30 }), fc.nat(1000), (list, seed) => {
        const order = createRandom(seed).permutation(entityCount);
        const renamed = list.map(([h, r, t]): [number, number, number] => [
          order[h] as number,
          r,
          order[t] as number,
        ]);
        const plain = relationFeatures({ entityCount, relationIds, triples: triplesOf(list) });
        const moved = relationFeatures({ entityCount, relationIds, triples: triplesOf(renamed) });
        const row = (matrix: typeof plain, i: number): string => {
          const range = [matrix.rowPointers[i], matrix.rowPointers[i + 1]] as const;
          return `${matrix.columns.slice(...range)} ${matrix.values?.slice(...range)}`;
        };
        for (let i = 0; i < entityCount; i += 1) {
          expect(row(moved, order[i] as number)).toBe(row(plain, i));
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('dropDuplicateTriples', () => {
  it('keeps each distinct triple once, in order', () => {
    fc.assert(
      fc.property(fc.array(triple, { maxLength: 60 }), (list) => {
        const rest = dropDuplicateTriples(triplesOf(list));
        const kept = Array.from(rest.heads, (h, e) => `${h} ${rest.relations[e]} ${rest.tails[e]}`);
        expect(kept).toEqual([...new Set(list.map((one) => one.join(' ')))]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('countMatrix', () => {
  it('has as many counts as entries', () => {
    const entry = fc.tuple(fc.nat(5), fc.nat(7));
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 50 }), (list) => {
        const rows = Int32Array.from(list, ([row]) => row);
        const columns = Int32Array.from(list, ([, column]) => column);
        const matrix = countMatrix({ rowCount: 6, columnCount: 8, rows, columns });
        expect((matrix.values ?? new Float32Array(0)).reduce((a, b) => a + b, 0)).toBe(list.length);
        expect(matrix.rowPointers.at(-1)).toBe(matrix.columns.length);
      }),
      { numRuns: 60 },
    );
  });
});

describe('matching', () => {
  const score = fc.integer({ min: -50, max: 50 }).map((value) => value / 50);
  const matrix = fc.array(fc.array(score, { minLength: 6, maxLength: 6 }), {
    minLength: 1,
    maxLength: 8,
  });

  it('is one-to-one, and Sinkhorn keeps column sums at or below one', () => {
    fc.assert(
      fc.property(matrix, (rows) => {
        const indices = Int32Array.from(rows.flatMap(() => [0, 1, 2, 3, 4, 5]));
        const scores = Float32Array.from(rows.flat());
        const candidates = { indices, scores, rowCount: rows.length, columnCount: 6 };
        const balanced = sinkhorn(candidates, { temperature: 0.1 });
        const sums = new Float64Array(6);
        for (const [e, column] of balanced.indices.entries()) {
          sums[column] = (sums[column] as number) + (balanced.scores[e] as number);
        }
        expect(Math.max(...sums)).toBeLessThan(1 + 1e-4);
        for (const { pairs } of [greedyOneToOne(candidates), greedyOneToOne(balanced)]) {
          const left = pairs.filter((_, i) => i % 2 === 0);
          const right = pairs.filter((_, i) => i % 2 === 1);
          expect(new Set(left).size).toBe(left.length);
          expect(new Set(right).size).toBe(right.length);
          expect(left.length).toBe(Math.min(rows.length, 6));
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('syntheticPair', () => {
  it('is well formed for any size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 60 }), fc.nat(99), (entities, seed) => {
        const { triples, links } = syntheticPair({ entities, random: createRandom(seed) });
        for (const ends of [triples.heads, triples.tails]) {
          expect(ends.every((end, e) => end < entities === e < triples.leftCount)).toBe(true);
        }
        expect(new Set(links).size).toBe(2 * entities);
      }),
      { numRuns: 40 },
    );
  });
});
