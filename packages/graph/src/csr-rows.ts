import type { CsrArrays } from '@lab/tensor';

/** A sparse matrix without its empty columns. */
export interface CompactCsr {
  /** As many columns as `columns` has entries. */
  readonly matrix: CsrArrays;
  /** The columns that have entries, by first appearance: column k of `matrix` is `columns[k]`. */
  readonly columns: Int32Array;
}

/**
 * The given rows of a sparse matrix, in the order given; the columns stay as they are.
 *
 * @param matrix - `[R, C]`.
 * @param rows - each in `0 .. R-1`; a row may occur many times.
 * @returns `[rows.length, C]`; linear in its entries.
 */
export function csrRows(matrix: CsrArrays, rows: Int32Array): CsrArrays {
  const rowPointers = new Int32Array(rows.length + 1);
  for (let i = 0; i < rows.length; i += 1) {
    const row = rows[i] as number;
    const length = (matrix.rowPointers[row + 1] as number) - (matrix.rowPointers[row] as number);
    rowPointers[i + 1] = (rowPointers[i] as number) + length;
  }
  const entryCount = rowPointers[rows.length] as number;
  const columns = new Int32Array(entryCount);
  const values = matrix.values === undefined ? null : new Float32Array(entryCount);
  for (let i = 0; i < rows.length; i += 1) {
    const from = matrix.rowPointers[rows[i] as number] as number;
    const [start, end] = [rowPointers[i] as number, rowPointers[i + 1] as number];
    for (let e = start; e < end; e += 1) {
      columns[e] = matrix.columns[from + e - start] as number;
      if (values !== null) values[e] = matrix.values![from + e - start] as number;
    }
  }
  const pattern = { rowCount: rows.length, columnCount: matrix.columnCount, rowPointers, columns };
  return values === null ? pattern : { ...pattern, values };
}

/**
 * Consecutive rows of a sparse matrix; their entries are not copied.
 *
 * @param matrix - `[R, C]`.
 * @param range - `start` and `end`, the row after the last one.
 */
export function csrRange(
  matrix: CsrArrays,
  { start, end }: { readonly start: number; readonly end: number },
): CsrArrays {
  const first = matrix.rowPointers[start] as number;
  const last = matrix.rowPointers[end] as number;
  const pattern = {
    rowCount: end - start,
    columnCount: matrix.columnCount,
    rowPointers: matrix.rowPointers.slice(start, end + 1).map((pointer) => pointer - first),
    columns: matrix.columns.subarray(first, last),
  };
  if (matrix.values === undefined) return pattern;
  return { ...pattern, values: matrix.values.subarray(first, last) };
}

/**
 * A sparse matrix without its empty columns; linear in its entries.
 *
 * @param matrix - `[R, C]`.
 * @param scratch - int32 of at least C zeros, which are zeros again afterwards: blocks of one
 *   matrix share it.
 */
export function compactColumns(
  matrix: CsrArrays,
  scratch = new Int32Array(matrix.columnCount),
): CompactCsr {
  const { values: columns, numbers } = renumber(matrix.columns, scratch);
  return { matrix: { ...matrix, columnCount: columns.length, columns: numbers }, columns };
}

/**
 * The distinct values of an array by first appearance, and the number of each entry among them.
 *
 * @param array - values in `0 .. scratch.length - 1`.
 * @param scratch - zeros, which are zeros again afterwards.
 */
export function renumber(
  array: Int32Array,
  scratch: Int32Array,
): { readonly values: Int32Array; readonly numbers: Int32Array } {
  const numbers = new Int32Array(array.length);
  const values = new Int32Array(array.length);
  let count = 0;
  for (let e = 0; e < array.length; e += 1) {
    const value = array[e] as number;
    if (scratch[value] === 0) {
      values[count] = value;
      count += 1;
      scratch[value] = count; // one more than the number: 0 is "not seen"
    }
    numbers[e] = (scratch[value] as number) - 1;
  }
  for (let k = 0; k < count; k += 1) scratch[values[k] as number] = 0;
  return { values: values.slice(0, count), numbers };
}

/** The distinct rows of a sparse matrix. */
export interface DistinctRows {
  /** Number of each row among the distinct ones, by first appearance. */
  readonly numbers: Int32Array;
  readonly count: number;
}

/**
 * Which rows of a sparse matrix are the same: columns in the same order with the same values.
 *
 * @param matrix - `[R, C]`; linear in its entries.
 */
export function distinctRows(matrix: CsrArrays): DistinctRows {
  let size = 16;
  while (size < 2 * matrix.rowCount) size *= 2;
  const slots = new Int32Array(size); // one more than a row; 0: free
  const numbers = new Int32Array(matrix.rowCount);
  let count = 0;
  for (let row = 0; row < matrix.rowCount; row += 1) {
    let slot = rowHash(matrix, row) & (size - 1);
    while (slots[slot] !== 0 && !isSameRow(matrix, row, (slots[slot] as number) - 1)) {
      slot = (slot + 1) & (size - 1);
    }
    if (slots[slot] === 0) {
      slots[slot] = row + 1;
      numbers[row] = count;
      count += 1;
    } else numbers[row] = numbers[(slots[slot] as number) - 1] as number;
  }
  return { numbers, count };
}

function rowHash({ rowPointers, columns, values }: CsrArrays, row: number): number {
  let hash = 0x811c9dc5;
  for (let e = rowPointers[row] as number; e < (rowPointers[row + 1] as number); e += 1) {
    const value = values === undefined ? 1 : Math.round(1024 * (values[e] as number));
    hash = Math.imul(Math.imul(hash ^ (columns[e] as number), 0x01000193) ^ value, 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash;
}

function isSameRow(
  { rowPointers, columns, values }: CsrArrays,
  one: number,
  other: number,
): boolean {
  const [start, from] = [rowPointers[one] as number, rowPointers[other] as number];
  const length = (rowPointers[one + 1] as number) - start;
  if ((rowPointers[other + 1] as number) - from !== length) return false;
  for (let k = 0; k < length; k += 1) {
    if (columns[start + k] !== columns[from + k]) return false;
    if (values !== undefined && values[start + k] !== values[from + k]) return false;
  }
  return true;
}
