import { expect, test } from 'vitest';
import {
  incompleteBeta,
  logGamma,
  normalQuantile,
  studentQuantile,
  studentTwoSided,
} from './distributions.js';

test('log gamma at factorials and at one half', () => {
  expect(logGamma(1)).toBeCloseTo(0, 13);
  expect(logGamma(11)).toBeCloseTo(Math.log(3628800), 11);
  expect(logGamma(0.25)).toBeCloseTo(Math.log(3.625609908221908), 12);
});

test('quantiles of the printed tables', () => {
  expect(normalQuantile(0.95)).toBeCloseTo(1.959963984540054, 12);
  expect(normalQuantile(0.99)).toBeCloseTo(2.5758293035489004, 12);
  expect(studentQuantile(0.95, 1)).toBeCloseTo(12.706204736432095, 9);
  expect(studentQuantile(0.95, 10)).toBeCloseTo(2.2281388519649385, 10);
});

test('tails and ends', () => {
  expect(studentTwoSided(1, 1)).toBeCloseTo(0.5, 12);
  expect(studentTwoSided(Infinity, 3)).toBe(0);
  expect(studentTwoSided(Number.NaN, 3)).toBeNaN();
  expect([incompleteBeta(0, 2, 3), incompleteBeta(1, 2, 3)]).toEqual([0, 1]);
  expect(incompleteBeta(0.3, 1, 1)).toBeCloseTo(0.3, 14);
});
