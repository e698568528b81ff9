/** The result of a training as a small text table. */
import { formatShare } from '@lab/core';
import { table } from '@lab/core/cli';
import { isAutomatic } from '../automatic-seeds.js';
import type { AlignmentMetrics } from '../alignment-metrics.js';
import type { RunSummary } from '../run-summary.js';

const share = (value: unknown) => formatShare(Number(value));

/** A last line that names automatic seeds; empty for others. */
export function seedLine(seedOrigin: string): string {
  return isAutomatic(seedOrigin) ? `\nseeds are ${seedOrigin}` : '';
}

/** Rows per direction, the method's above the baseline, and below them automatic seeds as such. */
export function metricsTable(
  name: string,
  { metrics, baseline, seedOrigin }: Pick<RunSummary, 'metrics' | 'baseline' | 'seedOrigin'>,
): string {
  const rows: Record<string, unknown>[] = [];
  const add = (row: string, found: AlignmentMetrics | null) => {
    if (found === null) return;
    for (const [direction, values] of [
      ['KG1 to KG2', found.forward],
      ['KG2 to KG1', found.backward],
    ] as const) {
      rows.push({ name: row, direction, ...values });
    }
  };
  add(name, metrics);
  add('baseline', baseline);
  const text = table(rows, [
    { key: 'name', heading: 'method' },
    { key: 'direction' },
    { key: 'hits@1', heading: 'H@1', format: share },
    { key: 'hits@5', heading: 'H@5', format: share },
    { key: 'hits@10', heading: 'H@10', format: share },
    { key: 'mrr', heading: 'MRR', format: share },
    { key: 'meanRank', heading: 'mean rank', decimals: 1 },
  ]);
  return `${text}${seedLine(seedOrigin)}`;
}
