/**
 * Pairs that are looked at: each row with the columns that any list names, from both sides.
 */
import type { NearestPairs } from '@lab/tensor';

/** A sparse pattern of pairs, row by row, columns ascending, and column by column. */
export interface PairPattern {
  readonly rowCount: number;
  readonly columnCount: number;
  /** Pairs of row i are `rowPointers[i] .. rowPointers[i + 1] - 1`. */
  readonly rowPointers: Int32Array;
  /** Row and column of each pair, `[E]`. */
  readonly rows: Int32Array;
  readonly columns: Int32Array;
  /** Pairs by column, rows ascending: those of column j from `columnPointers[j]` on. */
  readonly columnPointers: Int32Array;
  readonly byColumn: Int32Array;
}

/** Lists of one kind of evidence: nearest columns of each row, nearest rows of each column. */
export interface NearestLists {
  readonly forward: Pick<NearestPairs, 'indices'>;
  readonly backward: Pick<NearestPairs, 'indices'>;
}

/** All pairs that any list names, each once. */
export function unionPattern(
  lists: readonly NearestLists[],
  { rowCount, columnCount }: { readonly rowCount: number; readonly columnCount: number },
): PairPattern {
  const size = lists.reduce(
    (sum, { forward, backward }) => sum + forward.indices.length + backward.indices.length,
    0,
  );
  const keys = new Float64Array(size).fill(Number.POSITIVE_INFINITY);
  let at = 0;
  for (const { forward, backward } of lists) {
    const [width, backWidth] = [
      forward.indices.length / rowCount,
      backward.indices.length / columnCount,
    ];
    forward.indices.forEach((column, place) => {
      if (column >= 0) keys[at++] = Math.floor(place / width) * columnCount + column;
    });
    backward.indices.forEach((row, place) => {
      if (row >= 0) keys[at++] = row * columnCount + Math.floor(place / backWidth);
    });
  }
  const used = keys.subarray(0, at).sort();
  return patternOf(
    used.filter((key, place) => place === 0 || key !== used[place - 1]),
    { rowCount, columnCount },
  );
}

function patternOf(
  keys: Float64Array,
  { rowCount, columnCount }: { readonly rowCount: number; readonly columnCount: number },
): PairPattern {
  const rows = Int32Array.from(keys, (key) => Math.floor(key / columnCount));
  const columns = Int32Array.from(keys, (key) => key % columnCount);
  const rowPointers = pointersOf(rows, rowCount);
  const columnPointers = pointersOf(columns, columnCount);
  const free = columnPointers.slice();
  const byColumn = new Int32Array(keys.length);
  columns.forEach((column, pair) => {
    byColumn[free[column]!] = pair;
    free[column] = free[column]! + 1;
  });
  return { rowCount, columnCount, rowPointers, rows, columns, columnPointers, byColumn };
}

function pointersOf(lines: Int32Array, count: number): Int32Array {
  const pointers = new Int32Array(count + 1);
  for (const line of lines) pointers[line + 1] = pointers[line + 1]! + 1;
  for (let line = 0; line < count; line += 1) pointers[line + 1]! += pointers[line]!;
  return pointers;
}

/** The pairs of one line, by ascending position on the other side. */
export function linePairs(
  pattern: PairPattern,
  side: 'rows' | 'columns',
  line: number,
): Int32Array {
  if (side === 'columns') {
    const { byColumn, columnPointers } = pattern;
    return byColumn.subarray(columnPointers[line], columnPointers[line + 1]);
  }
  const start = pattern.rowPointers[line]!;
  return Int32Array.from({ length: pattern.rowPointers[line + 1]! - start }, (_, at) => start + at);
}
