/**
 * Weights in the host's memory with the numbers of their file: float32, or patterns of 16 bits.
 */
import { numbersOfBytes } from '@lab/tensor/io';

/** Types of weights that a model can have. */
export type StoredDtype = 'bfloat16' | 'float16' | 'float32';

/** Numbers of a weight, row by row. */
export interface StoredNumbers {
  readonly dtype: StoredDtype;
  /** Patterns where the type has 16 bits. */
  readonly values: Float32Array | Uint16Array;
}

/** A matrix, `[rows, columns]`. */
export interface StoredMatrix extends StoredNumbers {
  readonly rows: number;
  readonly columns: number;
}

/** Rows that lie one after the other. */
export interface RowRun {
  readonly start: number;
  readonly count: number;
}

/** Numbers of stored bytes; those of 64 bits become float32. */
export function storedNumbers(dtype: StoredDtype | 'float64', bytes: Uint8Array): StoredNumbers {
  if (dtype === 'bfloat16' || dtype === 'float16') {
    return { dtype, values: numbersOfBytes('uint16', bytes) as Uint16Array };
  }
  const values = numbersOfBytes(dtype, bytes);
  const isShort = values instanceof Float32Array;
  return { dtype: 'float32', values: isShort ? values : Float32Array.from(values as Float64Array) };
}

/** The numbers as float32. */
export function floatsOf({ dtype, values }: StoredNumbers): Float32Array {
  if (values instanceof Float32Array) return values;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return numbersOfBytes(dtype, bytes) as Float32Array;
}

const emptyLike = (values: Float32Array | Uint16Array, length: number) =>
  values instanceof Float32Array ? new Float32Array(length) : new Uint16Array(length);

/** Some rows of a matrix, as a new one. */
export function pickedRows(matrix: StoredMatrix, runs: readonly RowRun[]): StoredMatrix {
  const { dtype, values, columns } = matrix;
  const rows = runs.reduce((sum, { count }) => sum + count, 0);
  const picked = emptyLike(values, rows * columns);
  let row = 0;
  for (const { start, count } of runs) {
    picked.set(values.subarray(start * columns, (start + count) * columns), row * columns);
    row += count;
  }
  return { dtype, values: picked, rows, columns };
}

/** Side of the squares that are turned one by one: two of them lie in the cache. */
const SQUARE = 64;

/** The matrix with rows for columns. */
export function transposed({ dtype, values, rows, columns }: StoredMatrix): StoredMatrix {
  const turned = emptyLike(values, values.length);
  for (let top = 0; top < rows; top += SQUARE) {
    const bottom = Math.min(top + SQUARE, rows);
    for (let left = 0; left < columns; left += SQUARE) {
      const right = Math.min(left + SQUARE, columns);
      for (let column = left; column < right; column += 1) {
        for (let row = top; row < bottom; row += 1) {
          turned[column * rows + row] = values[row * columns + column]!;
        }
      }
    }
  }
  return { dtype, values: turned, rows: columns, columns: rows };
}
