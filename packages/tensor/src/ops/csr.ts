import { DataError, ShapeError } from '@lab/core';
import { tf } from '../tfjs.js';

/**
 * A sparse matrix in compressed rows: row i has the entries `rowPointers[i] .. rowPointers[i+1]-1`.
 *
 * Without `values` every entry is 1.
 */
export interface CsrArrays {
  readonly rowCount: number;
  readonly columnCount: number;
  readonly rowPointers: Int32Array;
  readonly columns: Int32Array;
  readonly values?: Float32Array;
}

/** A sparse matrix as tensors, with the pattern of its transpose for the backward pass. */
export interface CsrTensors {
  readonly rowCount: number;
  readonly columnCount: number;
  readonly entryCount: number;
  /** int32 `[rowCount + 1]`. */
  readonly rowPointers: tf.Tensor1D;
  /** int32 `[E]`. */
  readonly columns: tf.Tensor1D;
  /** int32 `[E]`, the row of each entry. */
  readonly rows: tf.Tensor1D;
  /** The transposed pattern; entry t of it is entry `permutation[t]` of this one. */
  readonly transpose: {
    readonly rowPointers: tf.Tensor1D;
    readonly columns: tf.Tensor1D;
    readonly permutation: tf.Tensor1D;
  };
  readonly values: tf.Tensor1D | null;
  dispose(): void;
}

function checkLengths(arrays: CsrArrays): void {
  const { rowCount, rowPointers, columns, values } = arrays;
  if (rowPointers.length !== rowCount + 1) {
    throw new ShapeError(
      `tensor: a matrix of ${rowCount} rows needs ${rowCount + 1} row pointers, ` +
        `got ${rowPointers.length}.`,
      { expected: String(rowCount + 1), got: String(rowPointers.length) },
    );
  }
  const last = rowPointers[rowCount] as number;
  if (rowPointers[0] !== 0 || last !== columns.length) {
    throw new ShapeError(
      `tensor: row pointers run from ${rowPointers[0]} to ${last}, expected 0 to the number ` +
        `of columns entries, ${columns.length}.`,
      { expected: String(columns.length), got: String(last) },
    );
  }
  if (values !== undefined && values.length !== columns.length) {
    throw new ShapeError(
      `tensor: ${values.length} values for ${columns.length} entries; pass one value an entry.`,
      { expected: String(columns.length), got: String(values.length) },
    );
  }
}

function checkEntries({ rowCount, columnCount, rowPointers, columns }: CsrArrays): void {
  for (let i = 0; i < rowCount; i++) {
    if ((rowPointers[i + 1] as number) < (rowPointers[i] as number)) {
      throw new DataError(`tensor: row pointers fall from row ${i} to row ${i + 1}.`);
    }
  }
  for (let e = 0; e < columns.length; e++) {
    const column = columns[e] as number;
    if (column < 0 || column >= columnCount) {
      throw new DataError(
        `tensor: entry ${e} is in column ${column}, outside 0 .. ${columnCount - 1}.`,
      );
    }
  }
}

/** Pattern of the transpose by a counting sort, and the row of each entry. */
function transposePattern({ rowCount, columnCount, rowPointers, columns }: CsrArrays) {
  const pointers = new Int32Array(columnCount + 1);
  for (const column of columns) (pointers[column + 1] as number)++;
  for (let j = 0; j < columnCount; j++) {
    pointers[j + 1] = (pointers[j + 1] as number) + (pointers[j] as number);
  }
  const next = pointers.slice(0, columnCount);
  const rows = new Int32Array(columns.length);
  const targets = new Int32Array(columns.length);
  const permutation = new Int32Array(columns.length);
  for (let i = 0; i < rowCount; i++) {
    for (let e = rowPointers[i] as number; e < (rowPointers[i + 1] as number); e++) {
      const column = columns[e] as number;
      const place = next[column] as number;
      next[column] = place + 1;
      rows[e] = i;
      targets[place] = i;
      permutation[place] = e;
    }
  }
  return { pointers, rows, targets, permutation };
}

/**
 * A sparse matrix as tensors, for {@link csrMatMul} and {@link graphAttention}.
 *
 * The tensors outlive `tf.tidy` and `scope`; call `dispose()` when the matrix is done with, and
 * not before a backward pass that uses it.
 *
 * @param arrays - the matrix; entries of a row in any order, the same place may occur twice.
 * @throws {ShapeError} when lengths disagree.
 * @throws {DataError} when a pointer falls or a column is out of range.
 */
export function createCsr(arrays: CsrArrays): CsrTensors {
  checkLengths(arrays);
  checkEntries(arrays);
  const { pointers, rows, targets, permutation } = transposePattern(arrays);
  const kept: tf.Tensor1D[] = [];
  const hold = (values: Int32Array | Float32Array, type: 'int32' | 'float32'): tf.Tensor1D => {
    const tensor = tf.keep(tf.tensor1d(values, type));
    kept.push(tensor);
    return tensor;
  };
  return {
    rowCount: arrays.rowCount,
    columnCount: arrays.columnCount,
    entryCount: arrays.columns.length,
    rowPointers: hold(arrays.rowPointers, 'int32'),
    columns: hold(arrays.columns, 'int32'),
    rows: hold(rows, 'int32'),
    transpose: {
      rowPointers: hold(pointers, 'int32'),
      columns: hold(targets, 'int32'),
      permutation: hold(permutation, 'int32'),
    },
    values: arrays.values === undefined ? null : hold(arrays.values, 'float32'),
    dispose() {
      for (const tensor of kept) tensor.dispose();
    },
  };
}
