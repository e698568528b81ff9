/**
 * The factor of an inverse that second-order pruning goes along.
 */
import { DataError } from '@lab/core';

/**
 * Upper triangular U with `H^-1 = U^T U`, of a symmetric positive definite H, `[n, n]` row-major.
 *
 * H is split as `R R^T` with R upper triangular, from its last row to its first; then `U = R^-1`.
 * U is the upper Cholesky factor of the inverse, without the inverse. Float64, in `n^3 / 3`
 * multiplications.
 *
 * @throws {DataError} where H is not positive definite.
 */
export function inverseFactor(matrix: Float64Array, size: number): Float64Array {
  return invertedUpper(upperSplit(matrix, size), size);
}

/** R with `H = R R^T`. */
function upperSplit(matrix: Float64Array, size: number): Float64Array {
  const split = new Float64Array(size * size);
  for (let column = size - 1; column >= 0; column -= 1) {
    const own = column * size;
    for (let row = column; row >= 0; row -= 1) {
      const at = row * size;
      let sum = matrix[at + column]!;
      for (let k = column + 1; k < size; k += 1) sum -= split[at + k]! * split[own + k]!;
      if (row < column) {
        split[at + column] = sum / split[own + column]!;
        continue;
      }
      if (!(sum > 0)) {
        throw new DataError(
          `sahara/sparse-gpt: products of inputs are not positive definite (column ${column}).`,
          { help: 'Give more text, or a larger damping.' },
        );
      }
      split[at + column] = Math.sqrt(sum);
    }
  }
  return split;
}

/** The inverse of an upper triangular matrix, row by row from below. */
function invertedUpper(upper: Float64Array, size: number): Float64Array {
  const inverse = new Float64Array(size * size);
  for (let row = size - 1; row >= 0; row -= 1) {
    const at = row * size;
    const diagonal = upper[at + row]!;
    for (let k = row + 1; k < size; k += 1) {
      const factor = upper[at + k]!;
      if (factor === 0) continue;
      const other = k * size;
      for (let column = k; column < size; column += 1) {
        inverse[at + column]! -= factor * inverse[other + column]!;
      }
    }
    for (let column = row + 1; column < size; column += 1) inverse[at + column]! /= diagonal;
    inverse[at + row] = 1 / diagonal;
  }
  return inverse;
}
