import { formatShare } from '@lab/core';
import { type Column, type RichCell, richCell, type CellValue, type Table } from './table.js';

/** Whose numbers a row of the comparison holds. */
export type ComparisonSource = 'ours' | 'baseline' | 'paper' | 'reference';

/** A row of the comparison: a source, what it is called, and its values by metric. */
export interface ComparisonRow {
  readonly source: ComparisonSource;
  readonly label: string;
  /** Missing metrics are printed as not measured, with the note of `RichCell` as the reason. */
  readonly values: Readonly<Record<string, CellValue>>;
}

/** What a comparison table is made of. */
export interface ComparisonSpec {
  readonly caption?: string;
  readonly metrics: readonly Column[];
  readonly rows: readonly ComparisonRow[];
}

const SOURCE_WORDS: Record<ComparisonSource, string> = {
  ours: 'this run',
  baseline: 'baseline, here',
  paper: 'printed in the paper',
  reference: 'reference code',
};

/**
 * Ours beside baseline, paper and reference code, with the difference under each value.
 *
 * A difference is called "within our interval" when the other value lies in the 95 % interval of
 * ours, or within two deviations over seeds; without either it says "not tested".
 */
export function comparisonTable(spec: ComparisonSpec): Table {
  const oursIndex = spec.rows.findIndex(({ source }) => source === 'ours');
  const ours = spec.rows[oursIndex];
  const rows = spec.rows.map((row): Record<string, CellValue> => {
    const cells = spec.metrics.map((column): [string, CellValue] => {
      const cell = row.values[column.key];
      const isOther = ours !== undefined && row.source !== 'ours';
      return [column.key, isOther ? withDifference(column, ours.values[column.key], cell) : cell];
    });
    return {
      name: { value: row.label, note: SOURCE_WORDS[row.source] },
      ...Object.fromEntries(cells),
    };
  });
  return {
    caption:
      spec.caption ??
      'Small print: 95 % interval of ours; of the others, ours minus theirs. ★ best.',
    columns: [{ key: 'name', label: 'Source' }, ...spec.metrics],
    rows,
    ...(oursIndex >= 0 ? { highlightRow: oursIndex } : {}),
  };
}

function withDifference(column: Column, ourCell: CellValue, otherCell: CellValue): RichCell {
  const [ours, other] = [richCell(ourCell), richCell(otherCell)];
  if (typeof ours.value !== 'number' || typeof other.value !== 'number') return other;
  const difference = ours.value - other.value;
  const amount =
    column.kind === 'share'
      ? formatShare(Math.abs(difference), column.decimals)
      : Math.abs(difference).toPrecision(3);
  const sign = difference < 0 ? '−' : '+';
  const note = [other.note, `ours ${sign}${amount}, ${verdict(ours, other.value)}`];
  return { ...other, note: note.filter((part) => part !== undefined).join('; ') };
}

function verdict(ours: RichCell, other: number): string {
  if (typeof ours.value !== 'number') return 'not tested';
  if (ours.low !== undefined && ours.high !== undefined) {
    return other >= ours.low && other <= ours.high ? 'within our interval' : 'outside our interval';
  }
  if (ours.deviation !== undefined && (ours.n ?? 0) > 1) {
    const isNear = Math.abs(ours.value - other) <= 2 * ours.deviation;
    return isNear ? 'within 2 deviations' : 'beyond 2 deviations';
  }
  return 'not tested';
}
