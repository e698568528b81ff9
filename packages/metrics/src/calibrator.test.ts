import { DataError } from '@lab/core';
import { expect, test } from 'vitest';
import { applyCalibration, fitIsotonic, fitPlatt } from './index.js';

const scores = [0.1, 0.2, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9];
const labels = [0, 0, 1, 0, 1, 1, 0, 1];

test.each([
  ['platt', fitPlatt],
  ['isotonic', fitIsotonic],
] as const)('%s never falls and comes back from its stored parameters', (_, fit) => {
  const calibrate = fit(scores, labels);
  const stored = JSON.parse(JSON.stringify(calibrate.parameters));
  let before = 0;
  for (let score = -1; score <= 2; score += 0.05) {
    const probability = calibrate(score);
    expect(probability).toBeGreaterThanOrEqual(before);
    expect(probability).toBeLessThanOrEqual(1);
    expect(applyCalibration(stored, score)).toBe(probability);
    before = probability;
  }
  expect(calibrate(2)).toBeGreaterThan(calibrate(-1));
});

test('isotonic pools violators by hand', () => {
  const calibrate = fitIsotonic([1, 2, 3, 4], [0, 1, 0, 1]);
  expect([1, 2, 2.5, 3, 4, 9].map(calibrate)).toEqual([0, 0.5, 0.5, 0.5, 1, 1]);
  expect(calibrate(3.5)).toBe(0.75);
  expect(calibrate(Number.NaN)).toBeNaN();
});

test('platt survives perfectly separated and huge scores', () => {
  const calibrate = fitPlatt([-1e6, -2e6, 1e6, 3e6], [0, 0, 1, 1]);
  expect(calibrate(-1e6)).toBeGreaterThan(0);
  expect(calibrate(-1e6)).toBeLessThan(0.5);
  expect(calibrate(1e6)).toBeGreaterThan(0.5);
});

test('one class alone cannot be calibrated', () => {
  expect(() => fitPlatt([1, 2], [1, 1])).toThrow(DataError);
  expect(() => fitIsotonic([1, 2], [0, 0])).toThrow(DataError);
});
