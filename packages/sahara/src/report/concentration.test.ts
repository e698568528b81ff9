import { expect, it } from 'vitest';
import { scoreConcentration } from './concentration.js';

it('is 0 for heads that are alike and near 1 for one head that has all', () => {
  expect(
    scoreConcentration([
      [2, 2],
      [2, 2],
    ]),
  ).toMatchObject({ gini: 0, headsForHalf: 2 });
  const one = scoreConcentration([
    [0, 0],
    [0, 5],
  ]);
  expect(one).toMatchObject({ headsForHalf: 1, firstOverSecond: Number.POSITIVE_INFINITY });
  expect(one!.gini).toBeCloseTo(3 / 4, 12);
});

it('is the mean difference of two heads over twice their mean', () => {
  const values = [0.1, 0.7, 0.2, 1.5, 0.05];
  const differences = values.flatMap((a) => values.map((b) => Math.abs(a - b)));
  const mean = values.reduce((a, b) => a + b) / 5;
  const expected = differences.reduce((a, b) => a + b) / 25 / (2 * mean);
  expect(scoreConcentration([values, [null]])!.gini).toBeCloseTo(expected, 12);
});

it('does not exist where nothing has a score', () => {
  expect(scoreConcentration([[0, 0, null]])).toBeNull();
});
