import { formatCount, formatNumber, formatPercent, formatShare } from '@lab/core';
import { meanDeviation } from '@lab/metrics';

/**
 * How a column's values read; `block` is text from outside, such as an answer of a model:
 * monospace, with its line ends, the rest of a long one folded.
 */
export type ColumnKind = 'text' | 'code' | 'block' | 'share' | 'percent' | 'count' | 'number';

/** A column: its key in the rows, its heading, how values read and which end is best. */
export interface Column {
  readonly key: string;
  readonly label: string;
  /** Default: `text`. */
  readonly kind?: ColumnKind;
  /** Decimals of shares and numbers; default 3. */
  readonly decimals?: number;
  /** Marks the best value of the column, in bold and with a star. */
  readonly best?: 'highest' | 'lowest';
}

/** A cell with more than a value: its spread, and a remark such as how far it is from ours. */
export interface RichCell {
  readonly value: string | number | null;
  /** Standard deviation over `n` runs, printed behind ±. */
  readonly deviation?: number | undefined;
  readonly n?: number | undefined;
  /** Ends of the 95 % interval. */
  readonly low?: number | undefined;
  readonly high?: number | undefined;
  /** Small print; for `value: null` the reason why there is none. */
  readonly note?: string | undefined;
}

/** What a cell may hold; null and undefined are printed as missing. */
export type CellValue = string | number | boolean | null | undefined | RichCell;

/** Rows and columns for the terminal, for Markdown and for a page. */
export interface Table {
  readonly caption?: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Readonly<Record<string, CellValue>>[];
  /** Index of the row that is ours; it is set apart. */
  readonly highlightRow?: number;
  /** On a page: a box that filters the rows, and so many rows at a time where scripts run. */
  readonly pageRows?: number;
}

/** What stands where nothing was measured. */
export const missingText = 'not measured';

/** Mean and deviation over seeds as a cell; missing when there are no values. */
export function meanCell(values: ArrayLike<number>): RichCell {
  if (values.length === 0) return { value: null };
  const { mean, deviation, n } = meanDeviation(values);
  return n > 1 ? { value: mean, deviation, n } : { value: mean, n };
}

/** The cell with all its parts present, whatever form it was given in. */
export function richCell(cell: CellValue): RichCell {
  if (cell === null || cell === undefined) return { value: null };
  if (typeof cell === 'boolean') return { value: cell ? 'yes' : 'no' };
  return typeof cell === 'object' ? cell : { value: cell };
}

/** The number or text of a cell as its column writes it, with ± where there is a deviation. */
export function cellText(column: Column, cell: CellValue): string {
  const { value, deviation } = richCell(cell);
  if (value === null || (typeof value === 'number' && Number.isNaN(value))) return missingText;
  if (typeof value === 'string') return value;
  const spread = deviation === undefined ? '' : ` ± ${numberText(column, deviation)}`;
  return `${numberText(column, value)}${spread}`;
}

/** A number as its column writes it. */
export function numberText(column: Column, value: number): string {
  const { kind, decimals = 3 } = column;
  if (kind === 'share') return formatShare(value, decimals);
  if (kind === 'percent') return formatPercent(value);
  if (kind === 'count') return formatCount(value);
  if (kind === 'number' && column.decimals !== undefined) return value.toFixed(decimals);
  return formatNumber(value)
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '');
}

/** Whether a column is set flush right. */
export function isNumeric(column: Column): boolean {
  const { kind = 'text' } = column;
  return kind !== 'text' && kind !== 'code' && kind !== 'block';
}

/** Indices of the rows with the best value of a column: several when they read the same. */
export function bestRows(table: Table, column: Column): Set<number> {
  if (!column.best) return new Set();
  const sign = column.best === 'highest' ? 1 : -1;
  const numbers = table.rows.map((row) => {
    const { value } = richCell(row[column.key]);
    return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
  });
  const known = numbers.filter((value) => value !== undefined);
  if (known.length < 2) return new Set();
  const best = known.reduce((most, value) => (sign * value > sign * most ? value : most));
  const text = numberText(column, best);
  return new Set(
    numbers.flatMap((value, index) =>
      value !== undefined && numberText(column, value) === text ? [index] : [],
    ),
  );
}

/** The table as Markdown; the best values of a column are bold. */
export function markdownTable(table: Table): string {
  const escape = (text: string) => text.replace(/[\\|<>&]/g, '\\$&').replace(/\s+/g, ' ');
  const best = table.columns.map((column) => bestRows(table, column));
  const rows = table.rows.map((row, rowIndex) =>
    table.columns.map((column, index) => {
      const text = escape(cellText(column, row[column.key]));
      const { note } = richCell(row[column.key]);
      const shown = best[index]!.has(rowIndex) ? `**${text}**` : text;
      return note ? `${shown} (${escape(note)})` : shown;
    }),
  );
  const header = table.columns.map(({ label }) => escape(label));
  const rule = table.columns.map((column) => (isNumeric(column) ? '---:' : '---'));
  return `${[header, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}

/** The table as aligned text for a terminal; the best values of a column carry a star. */
export function textTable(table: Table): string {
  const best = table.columns.map((column) => bestRows(table, column));
  const cells = table.rows.map((row, rowIndex) =>
    table.columns.map((column, index) => {
      const text = cellText(column, row[column.key]);
      if (!column.best) return text;
      return best[index]!.has(rowIndex) ? `${text} *` : `${text}  `;
    }),
  );
  const header = table.columns.map(({ label, best: end }) => (end ? `${label}  ` : label));
  const widths = header.map((label, index) =>
    cells.reduce((most, row) => Math.max(most, row[index]!.length), label.length),
  );
  const lines = [header, ...cells].map((row) =>
    row
      .map((text, index) =>
        isNumeric(table.columns[index]!)
          ? text.padStart(widths[index]!)
          : text.padEnd(widths[index]!),
      )
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}
