import { DataError, ShapeError } from '@lab/core';
import { expect, test } from 'vitest';
import { hungarian } from './index.js';

test('the textbook square', () => {
  expect([
    ...hungarian([
      [4, 1, 3],
      [2, 0, 5],
      [3, 2, 2],
    ]),
  ]).toEqual([1, 0, 2]);
});

test('greedy would be wrong', () => {
  expect([
    ...hungarian([
      [1, 2],
      [1, 9],
    ]),
  ]).toEqual([1, 0]);
});

test('more rows than columns: the dearest row is left over', () => {
  expect([...hungarian([[1], [0], [5]])]).toEqual([-1, 0, -1]);
});

test('empty', () => {
  expect([...hungarian([])]).toEqual([]);
  expect([...hungarian([[], []])]).toEqual([-1, -1]);
});

test('says what is wrong', () => {
  expect(() => hungarian([[1, 2], [1]])).toThrow(ShapeError);
  expect(() => hungarian([[1, Number.POSITIVE_INFINITY]])).toThrow(DataError);
});
