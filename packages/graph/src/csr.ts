import type { CsrArrays } from '@lab/tensor';
import type { AlignmentData } from './knowledge-graph.js';

/** Entries (row, column) of a sparse matrix in any order. */
export interface SparseEntries {
  readonly rowCount: number;
  readonly columnCount: number;
  readonly rows: Int32Array;
  readonly columns: Int32Array;
}

/** Entries sorted by row, then column, by two counting sorts. */
function sortEntries(entries: SparseEntries): { rows: Int32Array; columns: Int32Array } {
  const byColumn = countingOrder(entries.columns, entries.columnCount);
  const rows = Int32Array.from(byColumn, (e) => entries.rows[e] as number);
  const byRow = countingOrder(rows, entries.rowCount);
  const columns = new Int32Array(byRow.length);
  const sortedRows = new Int32Array(byRow.length);
  for (let e = 0; e < byRow.length; e += 1) {
    const source = byRow[e] as number;
    sortedRows[e] = rows[source] as number;
    columns[e] = entries.columns[byColumn[source] as number] as number;
  }
  return { rows: sortedRows, columns };
}

/** Stable order of positions by key, keys in 0..keyCount-1. */
function countingOrder(keys: Int32Array, keyCount: number): Int32Array {
  const next = new Int32Array(keyCount + 1);
  for (const key of keys) next[key + 1] = (next[key + 1] as number) + 1;
  for (let k = 0; k < keyCount; k += 1) next[k + 1] = (next[k + 1] as number) + (next[k] as number);
  const order = new Int32Array(keys.length);
  for (let e = 0; e < keys.length; e += 1) {
    const key = keys[e] as number;
    order[next[key] as number] = e;
    next[key] = (next[key] as number) + 1;
  }
  return order;
}

/**
 * A sparse matrix whose value at (row, column) is the number of times the entry was given.
 * Columns ascend within a row. Linear time.
 *
 * @param entries - positions in any order, repetitions allowed.
 */
export function countMatrix(entries: SparseEntries): CsrArrays {
  const { rows, columns } = sortEntries(entries);
  const rowPointers = new Int32Array(entries.rowCount + 1);
  const values = new Float32Array(rows.length);
  let count = 0;
  for (let e = 0; e < rows.length; e += 1) {
    const isRepeated = e > 0 && rows[e] === rows[e - 1] && columns[e] === columns[e - 1];
    if (!isRepeated) {
      columns[count] = columns[e] as number; // count <= e: nothing unread is overwritten
      rows[count] = rows[e] as number;
      count += 1;
      rowPointers[(rows[e] as number) + 1] = count;
    }
    values[count - 1] = (values[count - 1] as number) + 1;
  }
  for (let i = 1; i <= entries.rowCount; i += 1) {
    rowPointers[i] = Math.max(rowPointers[i] as number, rowPointers[i - 1] as number);
  }
  return {
    rowCount: entries.rowCount,
    columnCount: entries.columnCount,
    rowPointers,
    columns: columns.slice(0, count),
    values: values.slice(0, count),
  };
}

/**
 * The undirected entity graph of both knowledge graphs as a pattern `[N, N]` without values: row i
 * holds each neighbour of entity i once, in either direction of a triple, ascending.
 *
 * @param data - entity count and triples.
 * @param options - `selfLoops`: also put i into its own row; otherwise i is in its row only when
 *   a triple has i as head and tail.
 */
export function neighbourGraph(
  data: Pick<AlignmentData, 'entityCount' | 'triples'>,
  options: { readonly selfLoops: boolean },
): CsrArrays {
  const { heads, tails } = data.triples;
  const loops = options.selfLoops ? data.entityCount : 0;
  const rows = new Int32Array(2 * heads.length + loops);
  const columns = new Int32Array(rows.length);
  rows.set(heads);
  rows.set(tails, heads.length);
  columns.set(tails);
  columns.set(heads, heads.length);
  for (let i = 0; i < loops; i += 1) {
    rows[2 * heads.length + i] = i;
    columns[2 * heads.length + i] = i;
  }
  const size = { rowCount: data.entityCount, columnCount: data.entityCount };
  const counted = countMatrix({ ...size, rows, columns });
  return { ...size, rowPointers: counted.rowPointers, columns: counted.columns };
}
