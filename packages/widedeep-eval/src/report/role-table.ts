/**
 * From which angles pairs of each data set were judged.
 */
import { formatPercent } from '@lab/core';
import type { Table } from '@lab/report';
import type { JudgedSample } from '../judged-sample.js';

const shownRoles = 5;

/** The most frequent angles of each data set; undefined where there is one set, or none. */
export function rolesByDataset(samples: readonly JudgedSample[]): Table | undefined {
  const sets = new Map<string, JudgedSample[]>();
  for (const sample of samples) {
    if (sample.roles.length === 0) continue;
    const own = sets.get(sample.dataset);
    if (own === undefined) sets.set(sample.dataset, [sample]);
    else own.push(sample);
  }
  if (sets.size < 2) return undefined;
  return {
    caption: 'Most frequent angles by data set, with the share of its pairs',
    columns: [
      { key: 'dataset', label: 'Data set' },
      { key: 'pairs', label: 'Pairs', kind: 'count' },
      { key: 'mean', label: 'Angles of a pair', kind: 'number', decimals: 1 },
      { key: 'roles', label: 'Angles' },
    ],
    rows: [...sets]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([dataset, own]) => ({
        dataset,
        pairs: own.length,
        mean: own.reduce((sum, { roles }) => sum + roles.length, 0) / own.length,
        roles: frequentRoles(own)
          .map(([name, count]) => `${name} ${formatPercent(count / own.length, 0)}`)
          .join(', '),
      })),
  };
}

function frequentRoles(samples: readonly JudgedSample[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const name of samples.flatMap(({ roles }) => roles)) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts]
    .toSorted(([a, one], [b, two]) => two - one || (a < b ? -1 : 1))
    .slice(0, shownRoles);
}
