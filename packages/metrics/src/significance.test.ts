import { ConfigError, createRandom, DataError, ShapeError } from '@lab/core';
import { expect, test } from 'vitest';
import { falseDiscoveryRate, mcNemar, permutationTest, welchTest } from './index.js';

const random = createRandom(3);
const ones = Array<number>(30).fill(1);

test('no discordant sample: no evidence', () => {
  expect(mcNemar([true, false], [true, false])).toEqual({
    pValue: 1,
    onlyFirst: 0,
    onlySecond: 0,
  });
});

test('drawn sign flips find a constant difference', () => {
  const result = permutationTest(ones, Array<number>(30).fill(0), { random, permutations: 999 });
  expect(result).toEqual({ difference: 1, pValue: 1 / 1000 });
});

test('unpaired: two far groups differ, a group does not differ from itself', () => {
  const far = { random, permutations: 499, paired: false };
  expect(permutationTest([1, 2, 3, 4, 5, 6], [11, 12, 13, 14, 15, 16], far).pValue).toBeLessThan(
    0.02,
  );
  expect(permutationTest(ones, ones, far).pValue).toBe(1);
});

test('three sign flips counted by hand', () => {
  // Differences 1, 2, 3: only +++ and --- reach a sum of 6 among eight.
  expect(permutationTest([1, 2, 3], [0, 0, 0], { random }).pValue).toBe(2 / 8);
});

test('adjusts by hand-computed steps', () => {
  expect([...falseDiscoveryRate([0.04, 0.01, 0.03])]).toEqual([0.04, 0.03, 0.04]);
  expect([...falseDiscoveryRate([])]).toEqual([]);
});

test('welch without spread decides by equality', () => {
  expect(welchTest([2, 2], [2, 2])).toMatchObject({ pValue: 1, difference: 0 });
  expect(welchTest([3, 3], [2, 2])).toMatchObject({ pValue: 0, difference: 1 });
});

test('says what is wrong', () => {
  expect(() => welchTest([1], [1, 2])).toThrow(DataError);
  expect(() => mcNemar([1], [1, 0])).toThrow(ShapeError);
  expect(() => falseDiscoveryRate([1.5])).toThrow(/p-value 0 is 1.5/);
  expect(() => permutationTest([1], [2], { random, permutations: 0 })).toThrow(ConfigError);
});
