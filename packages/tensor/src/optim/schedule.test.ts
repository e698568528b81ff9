import { describe, expect, it } from 'vitest';
import { warmupCosine } from './schedule.js';

describe('warmupCosine', () => {
  it('rises linearly, then falls as half a cosine, then stays at zero', () => {
    const factor = warmupCosine({ warmup: 4, horizon: 12 });
    expect([0, 1, 2, 3, 4].map(factor)).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(factor(8)).toBeCloseTo(0.5, 12);
    expect([12, 13, 1000].map(factor)).toEqual([0, 0, 0]);
  });

  it('works without a warm-up and without a fall', () => {
    expect(warmupCosine({ warmup: 0, horizon: 10 })(0)).toBe(1);
    expect(warmupCosine({ warmup: 3, horizon: 3 })(3)).toBe(1);
    expect(warmupCosine({ warmup: 0, horizon: 0 })(0)).toBe(1);
  });

  it.each([
    [-1, 5],
    [6, 5],
    [Number.NaN, 5],
    [0, Number.POSITIVE_INFINITY],
  ])('refuses warm-up %d and horizon %d', (warmup, horizon) => {
    expect(() => warmupCosine({ warmup, horizon })).toThrow('0 <= warm-up <= horizon');
  });
});
