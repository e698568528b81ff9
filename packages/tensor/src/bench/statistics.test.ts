import { describe, expect, it } from 'vitest';
import { median, roundTime, summarizeSamples } from './statistics.js';

describe('median', () => {
  it.each([
    [[7], 7],
    [[3, 1, 2], 2],
    [[10, 1, 3, 2], 2.5],
    [[100, 9, 8, 10, 1, 2, 3], 8],
  ])('of %o is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it('of nothing is NaN, and leaves its input alone', () => {
    expect(median([])).toBeNaN();
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('summarizeSamples', () => {
  it('takes wall and processor time each by itself', () => {
    const samples = [
      { wallMs: 5, cpuMs: 1 },
      { wallMs: 1, cpuMs: 9 },
      { wallMs: 3, cpuMs: 2 },
    ];
    const expected = { wallMs: 3, cpuMs: 2, minWallMs: 1, minCpuMs: 1, samples: 3 };
    expect(summarizeSamples(samples)).toEqual(expected);
  });

  it('keeps four digits', () => {
    expect(roundTime(0.001234567)).toBe(0.001235);
    expect(roundTime(12345.6)).toBe(12350);
  });
});
