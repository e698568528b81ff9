import { ConfigError, createRandom, DataError, ShapeError } from '@lab/core';
import { describe, expect, test } from 'vitest';
import {
  bootstrap,
  mean,
  meanDeviation,
  pairedBootstrap,
  quantile,
  tInterval,
  wilson,
} from './index.js';

test('mean and deviation of 2, 4, 4, 4, 5, 5, 7, 9', () => {
  const summary = meanDeviation([2, 4, 4, 4, 5, 5, 7, 9]);
  expect(summary).toMatchObject({ mean: 5, n: 8 });
  expect(summary.deviation).toBeCloseTo(Math.sqrt(32 / 7), 12);
});

test('a single value has no deviation and no bounded interval', () => {
  expect(tInterval([3])).toEqual({ mean: 3, deviation: 0, n: 1, low: -Infinity, high: Infinity });
});

test('quantiles as NumPy: linear between neighbours', () => {
  expect([0, 0.25, 0.5, 1].map((share) => quantile([1, 2, 3, 10], share))).toEqual([
    1, 1.75, 2.5, 10,
  ]);
});

test('wilson stays within 0..1 and knows nothing without trials', () => {
  expect(wilson(0, 0)).toEqual({ low: 0, high: 1 });
  expect(wilson(0, 5).low).toBe(0);
  expect(wilson(5, 5).high).toBe(1);
});

describe('bootstrap', () => {
  const values = createRandom(1).fillNormal(new Float32Array(400), 3, 2);

  test('is as wide as theory says, and the same for the same seed', () => {
    const run = () => bootstrap(values, mean, { random: createRandom(7), resamples: 1000 });
    const result = run();
    const theory = tInterval(values);
    expect(result.estimate).toBeCloseTo(theory.mean, 10);
    expect(result.low).toBeCloseTo(theory.low, 1);
    expect(result.high).toBeCloseTo(theory.high, 1);
    expect(result.deviation).toBeCloseTo(theory.deviation / 20, 2);
    expect(run()).toEqual(result);
  });

  test('pairs: sees a small constant difference, and none where there is none', () => {
    const options = { random: createRandom(2), resamples: 500 };
    const better = Float64Array.from(values, (value) => value + 0.1);
    const clear = pairedBootstrap(better, values, options);
    expect(clear.estimate).toBeCloseTo(0.1, 6);
    expect(clear.pValue).toBeCloseTo(2 / 501, 10);
    expect(pairedBootstrap(values, values, options)).toMatchObject({ pValue: 1, low: 0, high: 0 });
  });
});

test('says what is wrong', () => {
  const random = createRandom(1);
  expect(() => mean([])).toThrow(DataError);
  expect(() => wilson(3, 2)).toThrow(/3 successes of 2 trials/);
  expect(() => wilson(1, 2, 95)).toThrow(ConfigError);
  expect(() => bootstrap([1], mean, { random, resamples: 0 })).toThrow(ConfigError);
  expect(() => pairedBootstrap([1, 2], [1], { random })).toThrow(ShapeError);
});
