import { expect, test } from 'vitest';
import { metricLabel } from './index.js';

test.each([
  ['hits@1', 'H@1'],
  ['metrics.forward.hits@10', 'H@10, forward'],
  ['baseline.backward.mrr', 'MRR, baseline backward'],
  ['loss.total', 'loss total'],
  ['meanRank', 'mean rank'],
])('%s is shown as %s', (path, label) => expect(metricLabel(path)).toBe(label));
