import { describe, expect, it } from 'vitest';
import { joinedRanges, writeStretches } from './joined-ranges.js';

const at = (position: number, length: number) => ({ position, target: new Uint8Array(length) });
const limits = { gapBytes: 2, mostBytes: 10 };
const placesOf = (stretches: Parameters<typeof joinedRanges>[0]) =>
  joinedRanges(stretches, limits).map(({ begin, end, parts }) => [begin, end, parts.length]);

describe('joinedRanges', () => {
  it('joins neighbours and near ones, in the order of the file', () => {
    expect(placesOf([at(4, 2), at(0, 4), at(8, 1)])).toEqual([[0, 9, 3]]);
    expect(placesOf([at(0, 4), at(7, 1)])).toEqual([
      [0, 4, 1],
      [7, 8, 1],
    ]);
    expect(placesOf([])).toEqual([]);
  });

  it('keeps ranges small, but for one stretch that is larger', () => {
    expect(placesOf([at(0, 6), at(6, 4), at(10, 1)])).toEqual([
      [0, 10, 2],
      [10, 11, 1],
    ]);
    expect(placesOf([at(0, 50), at(50, 1)])).toEqual([
      [0, 50, 1],
      [50, 51, 1],
    ]);
  });

  it('takes the same bytes wanted twice, and one stretch within another', () => {
    expect(placesOf([at(0, 6), at(0, 6), at(2, 2)])).toEqual([[0, 6, 3]]);
  });
});

it('bytes that come in any pieces reach every stretch', () => {
  const file = Uint8Array.from({ length: 40 }, (_, position) => position);
  const stretches = [at(3, 5), at(8, 9), at(10, 2), at(20, 20)];
  for (const size of [1, 3, 7, 40]) {
    for (const { target } of stretches) target.fill(0);
    for (let from = 3; from < 40; from += size) {
      writeStretches(stretches, from, file.subarray(from, Math.min(from + size, 40)));
    }
    for (const { position, target } of stretches) {
      expect([...target]).toEqual([...file.subarray(position, position + target.length)]);
    }
  }
});
