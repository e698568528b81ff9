import { DataError } from '@lab/core';
import { expect, test } from 'vitest';
import { rankingMetrics } from './index.js';

test('counts hits and averages reciprocal ranks', () => {
  const metrics = rankingMetrics([1, 2, 4, 10, 11]);
  expect(metrics).toEqual({
    'hits@1': 0.2,
    'hits@5': 0.6,
    'hits@10': 0.8,
    mrr: (1 + 1 / 2 + 1 / 4 + 1 / 10 + 1 / 11) / 5,
    meanRank: 5.6,
    count: 5,
  });
});

test('a tie for the first place is no hit at 1', () => {
  expect(rankingMetrics([1.5], { hitsAt: [1, 2] })).toMatchObject({ 'hits@1': 0, 'hits@2': 1 });
});

test('a counterpart that was not ranked counts as never found', () => {
  const metrics = rankingMetrics([1, Number.POSITIVE_INFINITY]);
  expect(metrics).toMatchObject({ mrr: 0.5, meanRank: Infinity, 'hits@10': 0.5 });
});

test.each([[[]], [[0.5]], [[1, Number.NaN]]])('refuses %j', (ranks) => {
  expect(() => rankingMetrics(ranks)).toThrow(DataError);
});
