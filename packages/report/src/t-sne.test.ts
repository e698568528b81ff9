import { ConfigError, createRandom } from '@lab/core';
import { describe, expect, test } from 'vitest';
import { matrix, threeClouds } from './__fixtures__/points.js';
import { tSne } from './t-sne.js';

describe('tSne', () => {
  const points = threeClouds(90);
  const layout = tSne(points, { random: createRandom(1) });

  test('keeps three clouds apart: every nearest neighbour is of the same cloud', () => {
    const { positions } = layout;
    for (let i = 0; i < 90; i += 1) {
      const distance = (j: number) =>
        Math.hypot(
          positions[2 * i]! - positions[2 * j]!,
          positions[2 * i + 1]! - positions[2 * j + 1]!,
        );
      const others = Array.from({ length: 90 }, (_, j) => j).filter((j) => j !== i);
      const nearest = others.reduce((best, j) => (distance(j) < distance(best) ? j : best));
      expect(nearest % 3).toBe(i % 3);
    }
  });

  test('falls in divergence after the exaggerated start, to a small value', () => {
    const [early, end] = layout.divergences;
    expect(end).toBeLessThan(early);
    expect(end).toBeGreaterThan(0);
    expect(end).toBeLessThan(0.5);
  });

  test('is the same at the same stream, and centred', () => {
    const again = tSne(points, { random: createRandom(1) });
    expect(again.positions).toEqual(layout.positions);
    const sum = layout.positions.reduce((total, value) => total + value, 0);
    expect(Math.abs(sum)).toBeLessThan(1e-6);
  });

  test('lays out duplicates and points of one dimension', () => {
    const twins = matrix([[0], [0], [0], [5], [5], [5]]);
    const { positions } = tSne(twins, { random: createRandom(2), iterations: 300 });
    expect(positions.every(Number.isFinite)).toBe(true);
  });

  test('refuses too many points and a perplexity that they cannot have', () => {
    const random = createRandom(1);
    const many = { rowCount: 2001, columnCount: 1, values: new Float64Array(2001) };
    expect(() => tSne(many, { random })).toThrow(/2001 points/);
    expect(() => tSne(points, { random, perplexity: 89 })).toThrow(ConfigError);
    expect(() => tSne(points, { random, perplexity: Number.NaN })).toThrow(ConfigError);
  });
});
