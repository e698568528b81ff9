import { ShapeError } from '@lab/core';

/** A real matrix, row-major: element (i, j) is `data[i * columns + j]`. */
export interface Matrix {
  rows: number;
  columns: number;
  data: Float64Array;
}

/** What the decompositions take: as {@link Matrix}, in any numeric array. */
export interface MatrixLike {
  rows: number;
  columns: number;
  data: ArrayLike<number>;
}

/**
 * A float64 copy of a matrix, after its parts have been compared.
 *
 * @param matrix - rows, columns and row-major data.
 * @param name - what to call it in an error.
 * @returns a matrix of its own memory.
 * @throws {ShapeError} when the sizes do not fit or a value is not finite.
 */
export function copyMatrix(matrix: MatrixLike, name: string): Matrix {
  const { rows, columns } = matrix;
  const isSize = (n: number) => Number.isSafeInteger(n) && n >= 0;
  const got = `[${rows}, ${columns}] with ${matrix.data.length} values`;
  if (!isSize(rows) || !isSize(columns) || rows * columns !== matrix.data.length) {
    throw new ShapeError(`tensor/linalg: ${name} is ${got}.`, {
      expected: 'rows * columns values',
      got,
      help: 'Give the data row by row.',
    });
  }
  const data = Float64Array.from(matrix.data);
  const badIndex = data.findIndex((value) => !Number.isFinite(value));
  if (badIndex < 0) return { rows, columns, data };
  throw new ShapeError(
    `tensor/linalg: ${name} has ${data[badIndex]} in row ${Math.floor(badIndex / columns)}, ` +
      `column ${badIndex % columns}.`,
    { expected: 'finite values', got: data[badIndex], help: 'Remove NaN and infinite values.' },
  );
}

/** Entries this small beside 1, the scale of the matrix, are taken as zero. */
export const negligible = 1e-290;

/** The transpose. */
export function transpose(matrix: Matrix): Matrix {
  const { rows, columns, data } = matrix;
  const out = new Float64Array(data.length);
  for (let i = 0; i < rows; i += 1) {
    for (let j = 0; j < columns; j += 1) out[j * rows + i] = data[i * columns + j]!;
  }
  return { rows: columns, columns: rows, data: out };
}

/** The product `a b`. */
export function multiply(a: Matrix, b: Matrix): Matrix {
  if (a.columns !== b.rows) {
    throw new ShapeError(
      `tensor/linalg: [${a.rows}, ${a.columns}] times [${b.rows}, ${b.columns}] is not defined.`,
      { expected: a.columns, got: b.rows, help: 'Columns of the first are rows of the second.' },
    );
  }
  const out = new Float64Array(a.rows * b.columns);
  for (let i = 0; i < a.rows; i += 1) {
    for (let k = 0; k < a.columns; k += 1) {
      const factor = a.data[i * a.columns + k]!;
      for (let j = 0; j < b.columns; j += 1) {
        out[i * b.columns + j]! += factor * b.data[k * b.columns + j]!;
      }
    }
  }
  return { rows: a.rows, columns: b.columns, data: out };
}

/**
 * Divides by a power of two, so that the largest entry lies in [1, 2); exact but for entries that
 * become denormal.
 *
 * @param data - changed in place.
 * @returns the power of two.
 */
export function scaleToOne(data: Float64Array): number {
  const largest = data.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  if (largest === 0) return 1;
  const scale = 2 ** Math.max(-1020, Math.floor(Math.log2(largest)));
  for (let i = 0; i < data.length; i += 1) data[i] = data[i]! / scale;
  return scale;
}
