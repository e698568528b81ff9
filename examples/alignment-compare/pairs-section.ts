import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunPage } from '@lab/report';
import { comparisonDir } from './contestants.js';

/** What one method reached on one pair of graphs. */
export interface PairRow {
  readonly pair: string;
  readonly label: string;
  readonly entities: number;
  readonly testPairs: number;
  readonly values: Readonly<Record<string, number>>;
}

/** Where the rows of all pairs are kept. */
export const pairsPath = join(comparisonDir, 'pairs.json');

/** Heading of the table. */
export const pairsHeading = 'Pairs of 15,000 entities a side, 30 % of the links as seeds';

type Section = RunPage['sections'][number];

/** The table of all pairs: a row a pair, a column a method. */
export function pairsTable(rows: readonly PairRow[]): NonNullable<Section['table']> {
  const labels = [...new Set(rows.map(({ label }) => label))];
  const pairs = [...new Set(rows.map(({ pair }) => pair))];
  return {
    columns: [
      { key: 'pair', label: 'H@1 on' },
      { key: 'testPairs', label: 'test pairs', kind: 'count' },
      ...labels.map((label) => ({ key: label, label, kind: 'share' as const })),
    ],
    rows: pairs.map((pair) => {
      const own = rows.filter((row) => row.pair === pair);
      const hits = own.map(({ label, values }) => [label, values['H@1'] ?? null]);
      return { pair, testPairs: own[0]?.testPairs ?? 0, ...Object.fromEntries(hits) };
    }),
  };
}

/** The section of the page, where the pairs have been run. */
export function pairsSection(): Section[] {
  if (!existsSync(pairsPath)) return [];
  const rows = JSON.parse(readFileSync(pairsPath, 'utf8')) as PairRow[];
  return [{ heading: pairsHeading, table: pairsTable(rows) }];
}
