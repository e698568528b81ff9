import { ConfigError, DataError, ShapeError } from '@lab/core';
import { expect, test } from 'vitest';
import { auroc, brier, expectedCalibrationError } from './index.js';

test('auroc: perfect, reversed, constant', () => {
  expect(auroc([1, 2, 3, 4], [0, 0, 1, 1])).toBe(1);
  expect(auroc([1, 2, 3, 4], [1, 1, 0, 0])).toBe(0);
  expect(auroc([5, 5, 5], [true, false, true])).toBe(0.5);
});

test('calibration error by hand: bins (0, .5] and (.5, 1]', () => {
  const { ece, bins } = expectedCalibrationError([0, 0.4, 0.5, 0.9], [0, 1, 0, 1], { bins: 2 });
  // Bin 1: confidence .3, accuracy 1/3, 3 of 4 samples; bin 2: confidence .9, accuracy 1.
  expect(ece).toBeCloseTo(0.75 * (1 / 3 - 0.3) + 0.25 * 0.1, 12);
  expect(bins.map((bin) => bin.count)).toEqual([3, 1]);
  expect(bins[1]).toMatchObject({ low: 0.5, high: 1, accuracy: 1 });
});

test('empty bins have no mean', () => {
  const { bins } = expectedCalibrationError([0.95], [1]);
  expect(bins[0]).toMatchObject({ count: 0, confidence: Number.NaN });
});

test('brier of a coin and of the truth', () => {
  expect(brier([0.5, 0.5], [0, 1])).toBe(0.25);
  expect(brier([0, 1], [0, 1])).toBe(0);
});

test('says what is wrong', () => {
  expect(() => auroc([1, 2], [1, 1])).toThrow(/2 positive and 0 negative/);
  expect(() => auroc([Number.NaN, 2], [1, 0])).toThrow(DataError);
  expect(() => auroc([1], [1, 0])).toThrow(ShapeError);
  expect(() => brier([], [])).toThrow(DataError);
  expect(() => brier([1.1], [1])).toThrow(/probability 0 is 1.1/);
  expect(() => expectedCalibrationError([0.5], [1], { bins: 0 })).toThrow(ConfigError);
});
