import { cellText, type CellValue, type Column, isNumeric, richCell, type Table } from './table.js';
import { textWidth } from './series-labels.js';

/** px that a table may take on the narrowest screen that pages are made for. */
const NARROW_ROOM = 368;
/** px of padding in a cell, and of the interval under a number. */
const PADDING = 27;
const INTERVAL = 138;
/** Beyond so many cells a stacked table takes more turning of the page than scrolling sideways. */
const MOST_STACKED = 80;
/** Text of a table is so much larger than what `textWidth` measures. */
const SIZE = 14.9 / 12;

/**
 * Whether rows should stand as blocks on a narrow screen: when columns have no room beside each
 * other, unless the table is so long that it scrolls sideways instead.
 */
export function isBetterStacked(table: Table): boolean {
  const { columns, rows, pageRows } = table;
  if (pageRows !== undefined || columns.some(({ kind }) => kind === 'block')) return true;
  if (columns.length * rows.length > MOST_STACKED) return false;
  const needed = columns.reduce((sum, column, index) => {
    const cells = rows.map((row) => row[column.key]);
    return sum + columnWidth(column, cells, { isHeading: index === 0 });
  }, 0);
  return needed > NARROW_ROOM;
}

/** px that a column needs at least: numbers in one line, words broken between words. */
function columnWidth(
  column: Column,
  cells: readonly CellValue[],
  { isHeading }: { isHeading: boolean },
): number {
  const isWords = !isNumeric(column);
  const label = longestWord(column.label) * 1.1;
  const widths = cells.map((cell) => {
    const { low, note } = richCell(cell);
    const text = cellText(column, cell);
    const own = isWords ? longestWord(text) : textWidth(text) * SIZE;
    const small = note === undefined ? 0 : longestWord(note) * 0.86;
    return Math.max(own, low === undefined ? small : INTERVAL);
  });
  const least = isHeading && isWords ? 144 - PADDING : 72 - PADDING;
  return PADDING + widths.reduce((most, width) => Math.max(most, width), Math.max(label, least));
}

function longestWord(text: string): number {
  const words = text.split(/[\s-]+/);
  return words.reduce((most, word) => Math.max(most, textWidth(word)), 0) * SIZE;
}
