import { DataError } from '@lab/core';
import { expect, test } from 'vitest';
import { cohenKappa, fleissKappa, kendall, meanRanks, pearson, spearman } from './index.js';

test('kappa: perfect, chance, one label', () => {
  expect(cohenKappa(['a', 'b', 'a'], ['a', 'b', 'a'])).toBe(1);
  expect(cohenKappa([0, 0, 1, 1], [0, 1, 0, 1])).toBe(0);
  expect(cohenKappa([2, 2], [2, 2])).toBe(1);
});

test("Fleiss' own example: fourteen raters, ten samples, five classes", () => {
  const counts = [
    [0, 0, 0, 0, 14],
    [0, 2, 6, 4, 2],
    [0, 0, 3, 5, 6],
    [0, 3, 9, 2, 0],
    [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0],
    [2, 5, 3, 2, 2],
    [6, 5, 2, 1, 0],
    [0, 2, 2, 3, 7],
  ];
  expect(fleissKappa(counts)).toBeCloseTo(0.20993, 5);
});

test('fleiss refuses unequal numbers of raters and a single rater', () => {
  expect(() =>
    fleissKappa([
      [2, 1],
      [1, 1],
    ]),
  ).toThrow(/sample 1 has 2 ratings, the first has 3/);
  expect(() => fleissKappa([[1, 0]])).toThrow(DataError);
  expect(fleissKappa([[2], [2]])).toBe(1);
});

test('ranks share ties', () => {
  expect([...meanRanks([3, 1, 3, 2])]).toEqual([3.5, 1, 3.5, 2]);
});

test('correlations: monotone, reversed, constant', () => {
  const x = [1, 2, 3, 4, 5];
  const cubes = x.map((value) => value ** 3);
  expect(spearman(x, cubes)).toBeCloseTo(1, 14);
  expect(
    kendall(
      x,
      cubes.map((value) => -value),
    ),
  ).toBeCloseTo(-1, 14);
  expect(pearson(x, cubes)).toBeCloseTo(0.9431175138077005, 12);
  expect(pearson(x, [1, 1, 1, 1, 1])).toBeNaN();
  expect(kendall(x, [1, 1, 1, 1, 1])).toBeNaN();
});
