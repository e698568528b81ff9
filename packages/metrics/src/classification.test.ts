import { DataError, ShapeError } from '@lab/core';
import { expect, test } from 'vitest';
import { accuracy, confusionMatrix, precisionRecallF1 } from './index.js';

const actual = ['cat', 'cat', 'dog', 'none', 'none'];
const predicted = ['cat', 'dog', 'dog', 'cat', 'none'];

test('accuracy and confusion by hand', () => {
  expect(accuracy(predicted, actual)).toBe(0.6);
  expect(confusionMatrix(predicted, actual)).toEqual({
    labels: ['cat', 'dog', 'none'],
    counts: [
      [1, 1, 0],
      [0, 1, 0],
      [1, 0, 1],
    ],
  });
});

test('numbers sort as numbers', () => {
  expect(confusionMatrix([10, 2], [2, 10]).labels).toEqual([2, 10]);
});

test('leaving out the class "none" changes the pooled scores', () => {
  const { micro, macro, classes } = precisionRecallF1(predicted, actual, {
    labels: ['cat', 'dog'],
  });
  expect(micro).toEqual({ precision: 0.5, recall: 2 / 3, f1: 4 / 7 });
  expect(macro.f1).toBeCloseTo((0.5 + 2 / 3) / 2, 12);
  expect(classes[0]).toMatchObject({ label: 'cat', support: 2, precision: 0.5, recall: 0.5 });
});

test('a class that never occurs scores 0, not NaN', () => {
  const { classes } = precisionRecallF1(predicted, actual, { labels: ['bird'] });
  expect(classes[0]).toEqual({ label: 'bird', support: 0, precision: 0, recall: 0, f1: 0 });
});

test('says what is wrong', () => {
  expect(() => accuracy([], [])).toThrow(DataError);
  expect(() => accuracy([1], [1, 2])).toThrow(ShapeError);
  expect(() => confusionMatrix(['x'], ['cat'], { labels: ['cat'] })).toThrow(/unknown label x/);
});
