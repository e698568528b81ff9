import { ModelError, ShapeError } from '@lab/core';
import { largestFrom, makeReflector } from './householder.js';
import {
  copyMatrix,
  type Matrix,
  type MatrixLike,
  negligible,
  scaleToOne,
  transpose,
} from './matrix.js';

/** Result of {@link eigh}. */
export interface Eigen {
  /** `[N]`, ascending. */
  values: Float64Array;
  /** `[N, N]`; column j belongs to value j; orthonormal. */
  vectors: Matrix;
}

const maxIterations = 60;

/**
 * Eigenvalues and eigenvectors of a symmetric matrix: `A = V diag(values) V^T`.
 *
 * Householder tridiagonalisation, then implicit QL.
 * Source: Golub and Van Loan, Matrix Computations, sections 8.3.1 and 8.3.3; equation not verified.
 *
 * @param matrix - `[N, N]`; only its lower triangle is used.
 * @returns values in ascending order and vectors in the columns, as `numpy.linalg.eigh`.
 * @throws {ShapeError} when it is not square, a value is not finite, or it is not symmetric.
 * @throws {ModelError} when the iteration does not converge.
 *
 * @example
 * Array.from(eigh({ rows: 2, columns: 2, data: [2, 1, 1, 2] }).values, Math.round); // => [1, 3]
 */
export function eigh(matrix: MatrixLike): Eigen {
  const work = copyMatrix(matrix, 'the matrix');
  assertSymmetric(work);
  const size = work.rows;
  const scale = scaleToOne(work.data);
  const { diagonal, offDiagonal, vectors } = tridiagonalise(work);
  iterate(diagonal, offDiagonal, vectors);
  const order = Array.from(diagonal.keys()).sort((a, b) => diagonal[a]! - diagonal[b]!);
  const sorted = new Float64Array(size * size);
  for (const [target, source] of order.entries()) {
    sorted.set(vectors.subarray(source * size, (source + 1) * size), target * size);
  }
  return {
    values: Float64Array.from(order, (index) => diagonal[index]! * scale),
    vectors: transpose({ rows: size, columns: size, data: sorted }),
  };
}

function assertSymmetric({ rows, columns, data }: Matrix): void {
  if (rows !== columns) {
    const got = `[${rows}, ${columns}]`;
    throw new ShapeError(`tensor/linalg: eigh needs a square matrix, not ${got}.`, {
      expected: '[N, N]',
      got,
      help: 'Use svd for other matrices.',
    });
  }
  const largest = data.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  for (let i = 0; i < rows; i += 1) {
    for (let j = 0; j < i; j += 1) {
      const difference = Math.abs(data[i * rows + j]! - data[j * rows + i]!);
      if (difference <= 1e-6 * largest) continue;
      throw new ShapeError(
        `tensor/linalg: eigh needs a symmetric matrix; (${i}, ${j}) and (${j}, ${i}) differ by ` +
          `${difference}.`,
        { expected: 'A = A^T', got: difference, help: 'Give (A + A^T) / 2, or use svd.' },
      );
    }
  }
}

interface Tridiagonal {
  diagonal: Float64Array;
  /** Element i couples i and i + 1; the last is 0. */
  offDiagonal: Float64Array;
  /** Row j is basis vector j (of the rows of the transposed basis). */
  vectors: Float64Array;
}

/** `A = Q T Q^T` with T tridiagonal; overwrites A. */
function tridiagonalise({ rows: size, data }: Matrix): Tridiagonal {
  const diagonal = new Float64Array(size);
  const offDiagonal = new Float64Array(size);
  const scales = new Float64Array(size);
  for (let k = 0; k < size; k += 1) {
    diagonal[k] = data[k * size + k]!;
    if (k + 1 >= size) break;
    const reflector = new Float64Array(size);
    for (let i = k + 1; i < size; i += 1) reflector[i] = data[i * size + k]!;
    offDiagonal[k] = clearBelow(reflector, k + 1, scales);
    if (scales[k + 1] !== 0)
      reflectBothSides(data, reflector, { from: k + 1, scale: scales[k + 1]! });
    // The reflector is kept in the column that it has cleared.
    for (let i = k + 1; i < size; i += 1) data[i * size + k] = reflector[i]!;
  }
  return { diagonal, offDiagonal, vectors: accumulate(data, scales) };
}

/** Makes the reflector, none where the vector is its image already; returns the image. */
function clearBelow(vector: Float64Array, from: number, scales: Float64Array): number {
  if (largestFrom(vector, from + 1) >= negligible) return makeReflector(vector, from, scales);
  const head = vector[from]!;
  vector.fill(0, from);
  return head;
}

/** `A <- H A H` for `H = I - scale v v^T` on the block that begins at `from`. */
function reflectBothSides(
  data: Float64Array,
  v: Float64Array,
  by: { from: number; scale: number },
): void {
  const size = v.length;
  const w = new Float64Array(size);
  let dot = 0;
  for (let i = by.from; i < size; i += 1) {
    let sum = 0;
    for (let j = by.from; j < size; j += 1) sum += data[i * size + j]! * v[j]!;
    w[i] = by.scale * sum;
    dot += w[i]! * v[i]!;
  }
  const half = (by.scale / 2) * dot;
  for (let i = by.from; i < size; i += 1) w[i] = w[i]! - half * v[i]!;
  for (let i = by.from; i < size; i += 1) {
    const vi = v[i]!;
    const wi = w[i]!;
    const row = i * size;
    for (let j = by.from; j < size; j += 1) data[row + j]! -= vi * w[j]! + wi * v[j]!;
  }
}

/** The transposed product of the reflections whose vectors stand in the columns of `data`. */
function accumulate(data: Float64Array, scales: Float64Array): Float64Array {
  const size = scales.length;
  const basis = new Float64Array(size * size);
  for (let i = 0; i < size; i += 1) basis[i * size + i] = 1;
  for (let k = size - 2; k >= 0; k -= 1) {
    const scale = scales[k + 1]!;
    if (scale === 0) continue;
    for (let row = k + 1; row < size; row += 1) {
      const at = row * size;
      let dot = 0;
      for (let i = k + 1; i < size; i += 1) dot += data[i * size + k]! * basis[at + i]!;
      const factor = scale * dot;
      for (let i = k + 1; i < size; i += 1) basis[at + i]! -= factor * data[i * size + k]!;
    }
  }
  return basis;
}

/** Implicit QL on a tridiagonal matrix; `d` becomes the values, the rows of `z` the vectors. */
function iterate(d: Float64Array, e: Float64Array, z: Float64Array): void {
  const size = d.length;
  const norm = d.reduce((max, value, i) => Math.max(max, Math.abs(value) + Math.abs(e[i]!)), 0);
  for (let low = 0; low < size; low += 1) {
    for (let iteration = 0; ; iteration += 1) {
      let high = low;
      while (high < size - 1 && Math.abs(e[high]!) > Number.EPSILON * norm) high += 1;
      if (high === low) break;
      if (iteration === maxIterations) {
        throw new ModelError(
          `tensor/linalg: eigenvalue ${low} of ${size} has not converged in ${iteration} steps.`,
          { help: 'Scale the matrix, or report it.', details: { index: low } },
        );
      }
      sweep(d, e, { z, low, high });
    }
  }
}

function sweep(
  d: Float64Array,
  e: Float64Array,
  range: { z: Float64Array; low: number; high: number },
): void {
  const { z, low, high } = range;
  const slope = (d[low + 1]! - d[low]!) / (2 * e[low]!);
  const root = Math.hypot(slope, 1);
  let g = d[high]! - d[low]! + e[low]! / (slope + (slope < 0 ? -root : root));
  let s = 1;
  let c = 1;
  let p = 0;
  for (let i = high - 1; i >= low; i -= 1) {
    const f = s * e[i]!;
    const b = c * e[i]!;
    let r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1] = d[i + 1]! - p;
      e[high] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = d[i + 1]! - p;
    r = (d[i]! - g) * s + 2 * c * b;
    p = s * r;
    d[i + 1] = g + p;
    g = c * r - b;
    rotateRows(z, d.length, { row: i, c, s });
  }
  d[low] = d[low]! - p;
  e[low] = g;
  e[high] = 0;
}

function rotateRows(
  z: Float64Array,
  size: number,
  by: { row: number; c: number; s: number },
): void {
  const { c, s } = by;
  const upper = z.subarray(by.row * size, (by.row + 1) * size);
  const lower = z.subarray((by.row + 1) * size, (by.row + 2) * size);
  for (let k = 0; k < size; k += 1) {
    const f = lower[k]!;
    const h = upper[k]!;
    lower[k] = s * h + c * f;
    upper[k] = c * h - s * f;
  }
}
