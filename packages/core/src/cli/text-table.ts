import { formatNumber } from '../format.js';

/** One column of a text table. */
export interface TableColumn {
  /** Field of the row. */
  readonly key: string;
  /** Default: the key. */
  readonly heading?: string | undefined;
  /** Fixed digits after the point; default three significant digits. */
  readonly decimals?: number | undefined;
  /** Text of a value; default by type. */
  readonly format?: ((value: unknown) => string) | undefined;
}

/**
 * An aligned text table with headings: numbers to the right, texts to the left, two spaces between
 * columns, no lines.
 *
 * @param rows - plain objects.
 * @param columns - keys or columns, in order; default the keys of the first row.
 */
export function table(
  rows: readonly Readonly<Record<string, unknown>>[],
  columns: readonly (string | TableColumn)[] = Object.keys(rows[0] ?? {}),
): string {
  const wanted = columns.map((column) => (typeof column === 'string' ? { key: column } : column));
  const texts = wanted.map((column: TableColumn) => {
    const cells = rows.map((row) => cellText(row[column.key], column));
    return [column.heading ?? column.key, ...cells];
  });
  const widths = texts.map((cells) => Math.max(...cells.map(displayWidth)));
  const isRight = wanted.map(({ key }) => rows.some((row) => typeof row[key] === 'number'));
  const lines = Array.from({ length: rows.length + 1 }, (_, line) =>
    texts
      .map((cells, index) => pad(cells[line] ?? '', widths[index] ?? 0, isRight[index] === true))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

function cellText(value: unknown, column: TableColumn): string {
  if (column.format) return column.format(value);
  if (value === undefined || value === null) return '';
  if (typeof value !== 'number') return String(value);
  if (column.decimals !== undefined && Number.isFinite(value))
    return value.toFixed(column.decimals);
  return Number.isSafeInteger(value) ? value.toLocaleString('en-US') : formatNumber(value);
}

function pad(text: string, width: number, isRight: boolean): string {
  const space = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return isRight ? space + text : text + space;
}

/** Characters on the screen: East Asian wide ones count twice, combining marks not at all. */
function displayWidth(text: string): number {
  let width = 0;
  for (const letter of text) {
    if (/\p{Mn}|\p{Cf}/u.test(letter)) continue;
    width += isWide(letter.codePointAt(0) ?? 0) ? 2 : 1;
  }
  return width;
}

function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  );
}
