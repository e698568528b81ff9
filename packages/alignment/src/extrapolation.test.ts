import { describe, expect, it } from 'vitest';
import { rankingSecondsAt, secondsAt } from './extrapolation.js';

const point = (linear: number, squared: number, seconds: number) => ({ linear, squared, seconds });

describe('secondsAt', () => {
  it('is what was measured at a size that was measured, and 0 without any', () => {
    expect(secondsAt([point(10, 4, 3), point(20, 16, 7)], { linear: 10, squared: 4 })).toBe(3);
    expect(secondsAt([], { linear: 10, squared: 4 })).toBe(0);
  });

  it('grows as the parts do, and a little more for what caches do not hold', () => {
    const truth = (linear: number, squared: number) => 2e-5 * linear + 1e-7 * squared;
    const points = [1000, 3000, 9000].map((n) => point(n, n * n, truth(n, n * n)));
    const whole = { linear: 90_000, squared: 9000 ** 2 * 20 };
    const found = secondsAt(points, whole) / truth(whole.linear, whole.squared);
    expect(found).toBeCloseTo(9 ** 0.12, 5);
  });

  it('starts from the largest part, where smaller ones were cheaper by the row', () => {
    const points = [point(1000, 0, 0.1), point(10_000, 0, 2)];
    expect(secondsAt(points, { linear: 20_000, squared: 0 })).toBeCloseTo(4 * 2 ** 0.12, 6);
  });
});

describe('rankingSecondsAt', () => {
  it('lies between a line with a part that is always there and one without', () => {
    const points = [point(1000, 0, 1.2), point(2000, 0, 1.4)];
    expect(rankingSecondsAt(points, { linear: 11_000, squared: 0 })).toBeCloseTo(
      (7.7 + 3.2) / 2,
      6,
    );
    expect(rankingSecondsAt(points, { linear: 2000, squared: 0 })).toBe(1.4);
  });

  it('is half level with one point, and through the origin where the larger took less', () => {
    expect(rankingSecondsAt([point(1000, 0, 2)], { linear: 3000, squared: 0 })).toBe(4);
    const noisy = [point(1000, 0, 2), point(2000, 0, 1)];
    expect(rankingSecondsAt(noisy, { linear: 4000, squared: 0 })).toBe(2);
  });
});
