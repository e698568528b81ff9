import { describe, expect, it } from 'vitest';
import { createIdLookup, parseId } from './records.js';
import { dropDuplicateTriples } from './triple-table.js';

describe('parseId', () => {
  it.each([
    ['0', 0],
    ['2147483647', 2_147_483_647],
    ['2147483648', -1],
    ['', -1],
    [' 1', -1],
    ['1.0', -1],
    ['-1', -1],
    ['+1', -1],
    ['00000000001', -1],
    ['٣', -1],
  ])('reads %j as %d', (text, id) => {
    expect(parseId(text, 0, text.length)).toBe(id);
  });
});

describe('createIdLookup', () => {
  it.each([1, 1_000_000])('finds ids with gaps of %d and refuses others', (gap) => {
    const ids = Int32Array.from({ length: 50 }, (_, i) => i * gap + 3);
    const lookup = createIdLookup(ids);
    expect(lookup(3 + 7 * gap)).toBe(7);
    expect([lookup(2), lookup(-1), lookup(3 + 50 * gap)]).toEqual([-1, -1, -1]);
  });
});

describe('dropDuplicateTriples', () => {
  it('keeps the first of equal triples, in order, per graph', () => {
    const triples = {
      heads: Int32Array.of(1, 1, 2, 1, 9, 9),
      relations: Int32Array.of(0, 0, 0, 1, 5, 5),
      tails: Int32Array.of(2, 2, 1, 2, 8, 8),
      leftCount: 4,
    };
    const rest = dropDuplicateTriples(triples);
    expect([...rest.heads]).toEqual([1, 2, 1, 9]);
    expect([...rest.relations]).toEqual([0, 0, 1, 5]);
    expect([...rest.tails]).toEqual([2, 1, 2, 8]);
    expect(rest.leftCount).toBe(3);
  });
});
