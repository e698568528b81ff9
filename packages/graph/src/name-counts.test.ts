import { describe, expect, it } from 'vitest';
import { NameCounter, nameCountText } from './name-counts.js';

describe('NameCounter', () => {
  it('sorts by frequency, equal ones by their first occurrence', () => {
    const counter = new NameCounter();
    for (const name of ['b', 'a', 'c', 'a']) counter.add(name);
    expect(counter.sorted()).toEqual([
      { name: 'a', count: 2 },
      { name: 'b', count: 1 },
      { name: 'c', count: 1 },
    ]);
  });
});

describe('nameCountText', () => {
  it('shows the first and counts the others', () => {
    const counts = ['a', 'b', 'c'].map((name, at) => ({ name, count: 3 - at }));
    expect(nameCountText(counts, 2)).toBe('a (3), b (2) and 1 more');
    expect(nameCountText(counts)).toBe('a (3), b (2), c (1)');
    expect(nameCountText([])).toBe('');
  });
});
