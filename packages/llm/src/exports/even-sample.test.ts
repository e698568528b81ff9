import { describe, expect, it } from 'vitest';
import { EvenSample } from './even-sample.js';

function sampleOf(
  count: number,
  limit: number,
): { readonly found: number[]; readonly made: number } {
  const sample = new EvenSample<number>(limit);
  let made = 0;
  for (let i = 0; i < count; i += 1) {
    sample.add(() => {
      made += 1;
      return i;
    });
  }
  expect(sample.seen).toBe(count);
  return { found: sample.entries(), made };
}

describe('EvenSample', () => {
  it('keeps all of few', () => {
    expect(sampleOf(0, 3).found).toEqual([]);
    expect(sampleOf(3, 3).found).toEqual([0, 1, 2]);
  });

  it.each([4, 7, 100, 1001, 20_000])('spreads over %i', (count) => {
    const { found, made } = sampleOf(count, 3);
    expect(found).toHaveLength(3);
    expect(found[0]).toBe(0);
    expect(made).toBeLessThan(60);
    const gaps = found.slice(1).map((at, index) => at - (found[index] ?? 0));
    // Even up to one step of the stride.
    expect(Math.max(...gaps)).toBeLessThanOrEqual(2 * Math.min(...gaps));
    expect(found.at(-1)).toBeGreaterThanOrEqual(count / 4);
  });
});
