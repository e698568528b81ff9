import { describe, expect, it } from 'vitest';
import { lengthBatches, lengthGroups } from './length-batches.js';

/** What groups cost by the rule, all ways to cut sorted lengths tried. */
function leastCost(lengths: readonly number[], most: number): number {
  if (lengths.length === 0) return 0;
  const costs = lengths.map((length, at) => {
    const count = at + 1;
    if (count > 1 && count * length > most) return Infinity;
    return count * length + 64 + leastCost(lengths.slice(count), most);
  });
  return Math.min(...costs);
}

const costOf = (groups: readonly number[][], lengths: readonly number[]) =>
  groups.reduce(
    (sum, own) => sum + own.length * Math.max(...own.map((place) => lengths[place]!)) + 64,
    0,
  );

describe('lengthGroups', () => {
  it.each([
    [[5, 200, 6, 190, 7, 40, 41, 5], 4096],
    [[5, 200, 6, 190, 7, 40, 41, 5], 210],
    [[300, 1, 2, 3, 100, 101], 256],
    [[9], 4],
    [[], 4],
  ])('cuts %j into groups of at most %i tokens at the least cost', (lengths, most) => {
    const groups = lengthGroups(lengths, { most });
    expect(groups.flat().toSorted((a, b) => a - b)).toEqual(lengths.map((_, place) => place));
    const sorted = lengths.toSorted((a, b) => a - b);
    expect(costOf(groups, lengths)).toBe(leastCost(sorted, most));
    for (const own of groups) {
      const longest = Math.max(...own.map((place) => lengths[place]!));
      expect(own.length === 1 || own.length * longest <= most).toBe(true);
    }
  });

  it('makes as few groups as it can where it is asked to', () => {
    const lengths = [5, 200, 6, 190];
    expect(lengthGroups(lengths, { most: 4096 })).toEqual([
      [0, 2],
      [3, 1],
    ]);
    expect(lengthGroups(lengths, { most: 4096, isFewest: true })).toEqual([[0, 2, 3, 1]]);
  });

  it('puts together what fits, and a text alone in any case', () => {
    const lengths = [4, 4, 4, 9];
    const groups = (most: number) =>
      lengthGroups(lengths, {
        most: 4096,
        fits: ({ batchSize, length }) => batchSize * length ** 2 <= most,
      });
    expect(groups(32)).toEqual([[0, 1], [2], [3]]);
    expect(groups(48)).toEqual([[0, 1, 2], [3]]);
    expect(groups(1)).toEqual([[0], [1], [2], [3]]);
    expect(groups(1000)).toEqual([[0, 1, 2, 3]]);
  });

  it('refuses groups of no tokens', () => {
    expect(() => lengthGroups([1], { most: 0 })).toThrow('a batch has 0 tokens');
  });
});

describe('lengthBatches', () => {
  it('fills texts up on the left', () => {
    const batches = lengthBatches([[1, 2, 3], [4], [5, 6]], { most: 100 });
    expect(batches).toEqual([
      {
        places: [1, 2, 0],
        ids: [Int32Array.of(0, 0, 4), Int32Array.of(0, 5, 6), Int32Array.of(1, 2, 3)],
        mask: [Uint8Array.of(0, 0, 1), Uint8Array.of(0, 1, 1), Uint8Array.of(1, 1, 1)],
      },
    ]);
  });
});
