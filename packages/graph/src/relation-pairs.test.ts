import { createRandom, DataError } from '@lab/core';
import '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { syntheticPair } from './datasets/synthetic-pair.js';
import { type RelationPairs, relationPairs } from './relation-pairs.js';

type Line = readonly [head: number, relation: number, tail: number];

const triplesOf = (lines: readonly Line[]) => ({
  heads: Int32Array.from(lines, ([head]) => head),
  relations: Int32Array.from(lines, ([, relation]) => relation),
  tails: Int32Array.from(lines, ([, , tail]) => tail),
  leftCount: lines.length,
});

/** Relations of each pair as text, by pair: `{ 'i j': 'r r' }`. */
function textOf({ neighbours, sets, averaging }: RelationPairs): Record<string, string> {
  const text: Record<string, string> = {};
  for (let i = 0; i < neighbours.rowCount; i += 1) {
    for (let e = neighbours.rowPointers[i]!; e < neighbours.rowPointers[i + 1]!; e += 1) {
      const [start, end] = [sets[e]!, sets[e]! + 1].map((u) => averaging.rowPointers[u]!);
      text[`${i} ${neighbours.columns[e]!}`] = averaging.columns.slice(start, end).join(' ');
    }
  }
  return text;
}

/** The definition with a map of sets, slow and plain. */
function plainText(lines: readonly Line[], relationCount: number): Record<string, string> {
  const found = new Map<string, Set<number>>();
  const put = (pair: string, relation: number): void => {
    found.set(pair, (found.get(pair) ?? new Set()).add(relation));
  };
  for (const [head, relation, tail] of lines) {
    put(`${head} ${tail}`, relation);
    put(`${tail} ${head}`, relation + relationCount);
  }
  const text = (set: Set<number>): string => [...set].sort((a, b) => a - b).join(' ');
  return Object.fromEntries([...found].map(([pair, set]) => [pair, text(set)]));
}

const lines: readonly Line[] = [
  [0, 0, 1],
  [0, 0, 1], // repeated
  [1, 1, 0], // opposite
  [2, 1, 0],
  [3, 2, 3], // head = tail
  [0, 1, 2], // both ways by one relation
  [4, 1, 1],
  [4, 0, 1], // parallel
];

describe('relationPairs', () => {
  const pairs = relationPairs({ entityCount: 6, triples: triplesOf(lines) }, { relationCount: 3 });

  it('lists ordered pairs with their directed relations', () => {
    expect(textOf(pairs)).toEqual({
      '0 1': '0 4',
      '0 2': '1 4',
      '1 0': '1 3',
      '1 4': '3 4',
      '2 0': '1 4',
      '3 3': '2 5',
      '4 1': '0 1',
    });
    expect([...pairs.neighbours.rowPointers]).toEqual([0, 2, 4, 5, 6, 7, 7]);
  });

  it('has each set once, numbered by first appearance, with weights that add up to 1', () => {
    expect([...pairs.sets]).toEqual([0, 1, 2, 3, 1, 4, 5]);
    const { rowCount, columnCount, values } = pairs.averaging;
    expect([rowCount, columnCount]).toEqual([6, 6]);
    expect(values).toEqual(new Float32Array(12).fill(0.5));
  });

  it('gives one set a weight of a third for each of three relations', () => {
    const triples = triplesOf([0, 1, 2].map((relation) => [0, relation, 1]));
    const { averaging } = relationPairs({ entityCount: 2, triples }, { relationCount: 3 });
    expect([...averaging.rowPointers]).toEqual([0, 3, 6]);
    expect(averaging.values).toEqual(new Float32Array(6).fill(1 / 3));
  });

  it('equals the plain definition on a generated pair of graphs', () => {
    const { triples, entityCount, relationIds } = syntheticPair({
      entities: 300,
      random: createRandom(5),
    });
    const found = relationPairs({ entityCount, triples }, { relationCount: relationIds.length });
    const all = Array.from(triples.heads, (head, e): Line => {
      return [head, triples.relations[e]!, triples.tails[e]!];
    });
    expect(textOf(found)).toEqual(plainText(all, relationIds.length));
    const sets = new Set(Object.values(textOf(found)));
    expect(found.averaging.rowCount).toBe(sets.size);
  });

  it('keeps pairs of large entity numbers apart', () => {
    // 1e11 head + 1e6 tail is 2e16 + 1e11 for both of the first two
    const far: readonly Line[] = [
      [200_000, 0, 100_000],
      [200_001, 1, 0],
      [199_999, 2, 200_000],
    ];
    const found = relationPairs(
      { entityCount: 300_000, triples: triplesOf(far) },
      { relationCount: 3 },
    );
    expect(textOf(found)).toEqual(plainText(far, 3));
  });

  it('refuses numbers out of range', () => {
    const read = (line: Line) => () =>
      relationPairs({ entityCount: 2, triples: triplesOf([line]) }, { relationCount: 3 });
    expect(read([0, 3, 1])).toThrow(DataError);
    expect(read([0, 3, 1])).toThrow('graph: triple 0 has relation 3, outside 0 .. 2.');
    expect(read([2, 0, 1])).toThrow('graph: triple 0 has head 2, outside 0 .. 1.');
    expect(read([0, 0, -1])).toThrow('graph: triple 0 has tail -1, outside 0 .. 1.');
  });

  it('has no pairs and no sets without triples', () => {
    const none = relationPairs({ entityCount: 3, triples: triplesOf([]) }, { relationCount: 1 });
    expect(none.sets).toHaveLength(0);
    expect([none.averaging.rowCount, none.averaging.columnCount]).toEqual([0, 2]);
  });
});
