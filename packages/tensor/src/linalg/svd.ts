import { ModelError } from '@lab/core';
import {
  copyMatrix,
  type Matrix,
  type MatrixLike,
  multiply,
  scaleToOne,
  transpose,
} from './matrix.js';
import { qr } from './qr.js';

/** Result of {@link svd}; K is the smaller of rows and columns. */
export interface SingularValues {
  /** `[N, K]`, orthonormal columns. */
  u: Matrix;
  /** `[K]`, descending, >= 0. */
  values: Float64Array;
  /** `[D, K]`, orthonormal columns (NumPy returns its transpose). */
  v: Matrix;
}

const maxSweeps = 60;
/** Rows this small beside 1, the scale of the matrix, are zero: their squares would underflow. */
const negligibleSquare = 1e-280;

/**
 * Reduced singular value decomposition: `A = U diag(values) V^T`.
 *
 * QR first, then one-sided Jacobi rotations on the transposed triangle; small singular values keep
 * their relative accuracy, those below 1e-140 of the largest become zero.
 * Source: Golub and Van Loan, Matrix Computations, section 8.6.3; equation not verified.
 *
 * @param matrix - `[N, D]`, any real matrix.
 * @returns `u` `[N, K]`, `values` `[K]` in descending order, `v` `[D, K]`.
 * @throws {ShapeError} when sizes do not fit or a value is not finite.
 * @throws {ModelError} when the iteration does not converge.
 *
 * @example
 * Array.from(svd({ rows: 2, columns: 2, data: [0, 2, 1, 0] }).values); // => [2, 1]
 */
export function svd(matrix: MatrixLike): SingularValues {
  const copy = copyMatrix(matrix, 'the matrix');
  if (copy.rows < copy.columns) {
    const { u, values, v } = svd(transpose(copy));
    return { u: v, values, v: u };
  }
  const scale = scaleToOne(copy.data);
  const { q, r } = qr(copy);
  // The rows of R are the columns of its transpose, and lie contiguous.
  const size = r.rows;
  const turned = identity(size);
  orthogonalise(r.data, turned, size);
  const norms = Float64Array.from({ length: size }, (_, j) => normalise(r.data, j, size));
  const order = Array.from(norms.keys()).sort((a, b) => norms[b]! - norms[a]!);
  completeBasis(r.data, norms, order);
  return {
    u: multiply(q, columnsOf(turned, order, size)),
    values: Float64Array.from(order, (index) => norms[index]! * scale),
    v: columnsOf(r.data, order, size),
  };
}

function identity(size: number): Float64Array {
  const data = new Float64Array(size * size);
  for (let i = 0; i < size; i += 1) data[i * size + i] = 1;
  return data;
}

/** Rotates pairs of rows of `x`, and of `turned` with them, until the rows are orthogonal. */
function orthogonalise(x: Float64Array, turned: Float64Array, size: number): void {
  const rows = Array.from({ length: size }, (_, i) => row(x, i, size));
  const turnedRows = Array.from({ length: size }, (_, i) => row(turned, i, size));
  for (let sweep = 0; sweep < maxSweeps; sweep += 1) {
    let rotations = 0;
    for (let i = 0; i < size - 1; i += 1) {
      for (let j = i + 1; j < size; j += 1) {
        const angle = jacobiAngle(rows[i]!, rows[j]!);
        if (angle === undefined) continue;
        rotate(rows[i]!, rows[j]!, angle);
        rotate(turnedRows[i]!, turnedRows[j]!, angle);
        rotations += 1;
      }
    }
    if (rotations === 0) return;
  }
  throw new ModelError(`tensor/linalg: svd of ${size} columns has not converged.`, {
    help: 'Scale the matrix, or report it.',
    details: { sweeps: maxSweeps, size },
  });
}

/** Cosine and sine that make two vectors orthogonal, or undefined when they are. */
function jacobiAngle(a: Float64Array, b: Float64Array): { c: number; s: number } | undefined {
  let aa = 0;
  let bb = 0;
  let ab = 0;
  for (let k = 0; k < a.length; k += 1) {
    const ak = a[k]!;
    const bk = b[k]!;
    aa += ak * ak;
    bb += bk * bk;
    ab += ak * bk;
  }
  if (aa < negligibleSquare) a.fill(0);
  if (bb < negligibleSquare) b.fill(0);
  if (aa < negligibleSquare || bb < negligibleSquare) return undefined;
  if (ab === 0 || Math.abs(ab) <= Number.EPSILON * a.length * Math.sqrt(aa) * Math.sqrt(bb)) {
    return undefined;
  }
  const zeta = (bb - aa) / (2 * ab);
  const t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
  const c = 1 / Math.hypot(1, t);
  return { c, s: c * t };
}

function rotate(a: Float64Array, b: Float64Array, { c, s }: { c: number; s: number }): void {
  for (let k = 0; k < a.length; k += 1) {
    const ak = a[k]!;
    const bk = b[k]!;
    a[k] = c * ak - s * bk;
    b[k] = s * ak + c * bk;
  }
}

function row(data: Float64Array, index: number, size: number): Float64Array {
  return data.subarray(index * size, (index + 1) * size);
}

/** Scales a row to length 1 and returns the length it had. */
function normalise(data: Float64Array, index: number, size: number): number {
  const vector = row(data, index, size);
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  if (norm > 0) for (let k = 0; k < size; k += 1) vector[k] = vector[k]! / norm;
  return norm;
}

/** Gives rows of length 0 a direction orthogonal to all others. */
function completeBasis(data: Float64Array, norms: Float64Array, order: readonly number[]): void {
  const size = norms.length;
  const done = order.filter((index) => norms[index]! > 0);
  for (const index of order.filter((candidate) => norms[candidate] === 0)) {
    const target = row(data, index, size);
    for (let unit = 0; unit < size; unit += 1) {
      target.fill(0);
      target[unit] = 1;
      // Twice is enough for orthogonality to rounding.
      for (let pass = 0; pass < 2; pass += 1) {
        for (const other of done) removeComponent(target, row(data, other, size));
      }
      if (normalise(data, index, size) > 0.5 / Math.sqrt(size)) break;
    }
    done.push(index);
  }
}

function removeComponent(target: Float64Array, direction: Float64Array): void {
  let dot = 0;
  for (let k = 0; k < target.length; k += 1) dot += target[k]! * direction[k]!;
  for (let k = 0; k < target.length; k += 1) target[k] = target[k]! - dot * direction[k]!;
}

/** The rows of `data` in the given order as the columns of a matrix. */
function columnsOf(data: Float64Array, order: readonly number[], size: number): Matrix {
  const sorted = new Float64Array(size * size);
  for (const [target, source] of order.entries())
    sorted.set(row(data, source, size), target * size);
  return transpose({ rows: size, columns: size, data: sorted });
}
