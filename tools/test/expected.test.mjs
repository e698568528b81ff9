import { expect, test } from 'vitest';
import { differences } from '../expected.mjs';

const result = { metrics: { forward: { 'hits@1': 0.72, count: 40 } }, status: 'success' };

test('nothing differs when every rule holds', () => {
  const expected = {
    'metrics/forward/hits@1': { near: 0.7, within: 0.03 },
    'metrics/forward/count': { atLeast: 40 },
    status: { equals: 'success' },
  };
  expect(differences(result, expected)).toEqual([]);
});

test('a value beyond the tolerance, below the bound, unequal or missing is named', () => {
  const expected = {
    'metrics/forward/hits@1': { near: 0.6, within: 0.03 },
    'metrics/forward/count': { atLeast: 41 },
    status: { equals: 'error' },
    'metrics/backward/mrr': { near: 0, within: 1 },
  };
  expect(differences(result, expected)).toEqual([
    'metrics/forward/hits@1 is 0.72, not 0.6 ± 0.03',
    'metrics/forward/count is 40, not at least 41',
    'status is "success", not equal to "error"',
    'metrics/backward/mrr is undefined, not 0 ± 1',
  ]);
});
