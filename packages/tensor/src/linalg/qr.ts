import { largestFrom, makeReflector } from './householder.js';
import {
  copyMatrix,
  type Matrix,
  type MatrixLike,
  negligible,
  scaleToOne,
  transpose,
} from './matrix.js';

/** Factors of {@link qr}; K is the smaller of rows and columns. */
export interface QrFactors {
  /** `[N, K]`, orthonormal columns. */
  q: Matrix;
  /** `[K, D]`, upper triangular, diagonal >= 0. */
  r: Matrix;
}

/**
 * Reduced QR decomposition by Householder reflections: `A = Q R`.
 *
 * Source: Golub and Van Loan, Matrix Computations, algorithm 5.2.1; equation not verified.
 * Deviation: signs are chosen so that the diagonal of R is not negative.
 *
 * @param matrix - `[N, D]`, any real matrix.
 * @returns `q` `[N, K]` and `r` `[K, D]`, K = min(N, D).
 * @throws {ShapeError} when sizes do not fit or a value is not finite.
 *
 * @example
 * const { r } = qr({ rows: 2, columns: 2, data: [3, 0, 4, 5] });
 * Array.from(r.data, Math.round); // => [5, 4, 0, 3]
 */
export function qr(matrix: MatrixLike): QrFactors {
  // Columns lie contiguous in the transpose.
  const work = transpose(copyMatrix(matrix, 'the matrix'));
  const { rows: columns, columns: rows, data } = work;
  const scale = scaleToOne(data);
  const rank = Math.min(rows, columns);
  const scales = new Float64Array(rank);
  const diagonal = new Float64Array(rank);
  for (let k = 0; k < rank; k += 1) {
    const column = data.subarray(k * rows, (k + 1) * rows);
    if (largestFrom(column, k) < negligible) column.fill(0, k);
    else diagonal[k] = makeReflector(column, k, scales);
    for (let j = k + 1; j < columns; j += 1) {
      reflect(data.subarray(j * rows, (j + 1) * rows), column, { from: k, scale: scales[k]! });
    }
  }
  const r = upperTriangle(work, diagonal);
  for (let i = 0; i < r.data.length; i += 1) r.data[i] = r.data[i]! * scale;
  const q = new Float64Array(rank * rows);
  for (let j = 0; j < rank; j += 1) {
    const target = q.subarray(j * rows, (j + 1) * rows);
    target[j] = 1;
    for (let k = rank - 1; k >= 0; k -= 1) {
      reflect(target, data.subarray(k * rows, (k + 1) * rows), { from: k, scale: scales[k]! });
    }
    if (diagonal[j]! < 0) for (let i = 0; i < rows; i += 1) target[i] = -target[i]!;
  }
  return { q: transpose({ rows: rank, columns: rows, data: q }), r };
}

function reflect(
  target: Float64Array,
  reflector: Float64Array,
  by: { from: number; scale: number },
): void {
  if (by.scale === 0) return;
  let dot = 0;
  for (let i = by.from; i < target.length; i += 1) dot += reflector[i]! * target[i]!;
  const factor = by.scale * dot;
  for (let i = by.from; i < target.length; i += 1) target[i] = target[i]! - factor * reflector[i]!;
}

function upperTriangle(work: Matrix, diagonal: Float64Array): Matrix {
  const { rows: columns, columns: rows, data } = work;
  const rank = diagonal.length;
  const r = new Float64Array(rank * columns);
  for (let k = 0; k < rank; k += 1) {
    const sign = diagonal[k]! < 0 ? -1 : 1;
    r[k * columns + k] = sign * diagonal[k]!;
    for (let j = k + 1; j < columns; j += 1) r[k * columns + j] = sign * data[j * rows + k]!;
  }
  return { rows: rank, columns, data: r };
}
