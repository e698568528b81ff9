import { DataError } from '@lab/core';
import type { CsrArrays } from '@lab/tensor';
import { countMatrix, neighbourGraph } from './csr.js';
import type { AlignmentData } from './knowledge-graph.js';

/** The ordered pairs of neighbours and the relations that join each pair. */
export interface RelationPairs {
  /** Row i lists the neighbours j of entity i, ascending, `[N, N]` with E entries: the pairs. */
  readonly neighbours: CsrArrays;
  /** Set of relations of each pair, in the order of the entries of `neighbours`, `[E]`. */
  readonly sets: Int32Array;
  /**
   * The distinct sets, numbered by first appearance, as means: row u has `1 / |set u|` at each of
   * its directed relations, `[U, R]`.
   */
  readonly averaging: CsrArrays;
}

type Rows = Pick<CsrArrays, 'rowPointers' | 'columns'>;

/**
 * Index of the entry (row, column) of a pattern whose columns ascend within each row; the entry
 * must be there.
 */
export function entryIndex({ rowPointers, columns }: Rows, row: number, column: number): number {
  let low = rowPointers[row] as number;
  let high = (rowPointers[row + 1] as number) - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((columns[middle] as number) < column) low = middle + 1;
    else high = middle;
  }
  return low;
}

function checkTriples(
  { entityCount, triples }: Pick<AlignmentData, 'entityCount' | 'triples'>,
  relationCount: number,
): void {
  const { heads, relations, tails } = triples;
  const check = (e: number, what: string, [value, count]: [number, number]): void => {
    if (value >= 0 && value < count) return;
    throw new DataError(`graph: triple ${e} has ${what} ${value}, outside 0 .. ${count - 1}.`, {
      help: `Entities are 0 .. ${entityCount - 1}, relations 0 .. ${relationCount - 1}.`,
    });
  };
  for (let e = 0; e < heads.length; e += 1) {
    check(e, 'head', [heads[e] as number, entityCount]);
    check(e, 'relation', [relations[e] as number, relationCount]);
    check(e, 'tail', [tails[e] as number, entityCount]);
  }
}

/** Directed relations of each pair, ascending and distinct: `[E, R]`. */
function relationsOfPairs(
  neighbours: CsrArrays,
  { heads, relations, tails }: AlignmentData['triples'],
  relationCount: number,
): CsrArrays {
  const lines = heads.length;
  const rows = new Int32Array(2 * lines);
  const columns = new Int32Array(2 * lines);
  for (let e = 0; e < lines; e += 1) {
    const [head, relation, tail] = [heads[e], relations[e], tails[e]] as [number, number, number];
    rows[e] = entryIndex(neighbours, head, tail);
    columns[e] = relation;
    rows[lines + e] = entryIndex(neighbours, tail, head);
    columns[lines + e] = relation + relationCount;
  }
  const size = { rowCount: neighbours.columns.length, columnCount: 2 * relationCount };
  return countMatrix({ ...size, rows, columns });
}

function rowHash({ rowPointers, columns }: Rows, row: number): number {
  let hash = 0x811c9dc5;
  for (let e = rowPointers[row] as number; e < (rowPointers[row + 1] as number); e += 1) {
    hash = Math.imul(hash ^ (columns[e] as number), 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash;
}

function isSameRow({ rowPointers, columns }: Rows, one: number, other: number): boolean {
  const start = rowPointers[one] as number;
  const length = (rowPointers[one + 1] as number) - start;
  const otherStart = rowPointers[other] as number;
  if ((rowPointers[other + 1] as number) - otherStart !== length) return false;
  for (let k = 0; k < length; k += 1) {
    if (columns[start + k] !== columns[otherStart + k]) return false;
  }
  return true;
}

/** Number of each row among the distinct rows, and the first row of each number. */
function distinctRows(matrix: CsrArrays): { numbers: Int32Array; firsts: Int32Array } {
  let size = 16;
  while (size < 2 * matrix.rowCount) size *= 2;
  const slots = new Int32Array(size).fill(-1);
  const numbers = new Int32Array(matrix.rowCount);
  const firsts = new Int32Array(matrix.rowCount);
  let count = 0;
  for (let row = 0; row < matrix.rowCount; row += 1) {
    let slot = rowHash(matrix, row) & (size - 1);
    let number = slots[slot] as number;
    while (number >= 0 && !isSameRow(matrix, row, firsts[number] as number)) {
      slot = (slot + 1) & (size - 1);
      number = slots[slot] as number;
    }
    if (number < 0) {
      number = count;
      slots[slot] = number;
      firsts[number] = row;
      count += 1;
    }
    numbers[row] = number;
  }
  return { numbers, firsts: firsts.slice(0, count) };
}

/** The given rows of a matrix, each entry `1 / (entries of the row)`. */
function averagingRows(matrix: CsrArrays, rows: Int32Array): CsrArrays {
  const rowPointers = new Int32Array(rows.length + 1);
  rows.forEach((row, u) => {
    const length = (matrix.rowPointers[row + 1] as number) - (matrix.rowPointers[row] as number);
    rowPointers[u + 1] = (rowPointers[u] as number) + length;
  });
  const columns = new Int32Array(rowPointers[rows.length] as number);
  const values = new Float32Array(columns.length);
  rows.forEach((row, u) => {
    const [start, end] = [rowPointers[u], rowPointers[u + 1]] as [number, number];
    const from = matrix.rowPointers[row] as number;
    columns.set(matrix.columns.subarray(from, from + end - start), start);
    values.fill(1 / (end - start), start, end);
  });
  return { rowCount: rows.length, columnCount: matrix.columnCount, rowPointers, columns, values };
}

/**
 * The ordered pairs (i, j) that some triple joins in either direction, and of each pair the set of
 * directed relations, equal sets once: `R = 2 R0` directed relations, U distinct sets, E pairs.
 *
 * A triple (h, r, t) puts r into the set of (h, t) and its inverse r + R0 into the set of (t, h);
 * when h = t, both into that of (h, h). Repeated triples change nothing.
 * Source: LoginMEA (ECAI 2024), released code; equation not verified.
 * Deviation: the released code sorts pairs by `1e11 head + 1e6 tail` in floating point, which
 * mixes pairs up from 90,000 entities on; here pairs are found by counting sorts of integers.
 *
 * @param data - entity count and triples.
 * @param options - `relationCount`: R0, more than the largest relation index of the triples.
 * @throws {DataError} for an entity or relation out of range.
 */
export function relationPairs(
  data: Pick<AlignmentData, 'entityCount' | 'triples'>,
  options: { readonly relationCount: number },
): RelationPairs {
  checkTriples(data, options.relationCount);
  const neighbours = neighbourGraph(data, { selfLoops: false });
  const relations = relationsOfPairs(neighbours, data.triples, options.relationCount);
  const { numbers, firsts } = distinctRows(relations);
  return { neighbours, sets: numbers, averaging: averagingRows(relations, firsts) };
}
