/**
 * Matrices of weights on the backend: float32, or 16 bits where it keeps them so.
 */
import {
  createHalfMatrix,
  gatherRows,
  type HalfMatrix,
  halfMatMul,
  halfRows,
  pullBack,
  tf,
} from '@lab/tensor';
import type { StoredMatrix } from './stored-numbers.js';

/** `[rows, columns]` on the backend. */
export type WeightMatrix = HalfMatrix | tf.Tensor2D;

/** A matrix as it was read: in the host's memory, or on the backend already. */
export type ReadMatrix = HalfMatrix | StoredMatrix;

const isHalf = (matrix: WeightMatrix): matrix is HalfMatrix => 'columns' in matrix;

/** Rows of a matrix. */
export const rowCount = (matrix: WeightMatrix): number =>
  isHalf(matrix) ? matrix.rows : matrix.shape[0];

/** A stored matrix on the backend; 16 bits stay 16 bits on wasm. */
export function matrixOnBackend({ dtype, values, rows, columns }: StoredMatrix): WeightMatrix {
  if (values instanceof Float32Array) return tf.tensor2d(values, [rows, columns]);
  const half = dtype === 'float16' ? 'float16' : 'bfloat16';
  return createHalfMatrix(values, { rows, columns, dtype: half });
}

/** `x W^T + b` of rows `[n, columns]`. */
export function timesMatrix(
  x: tf.Tensor2D,
  matrix: WeightMatrix,
  bias: tf.Tensor1D | null,
): tf.Tensor2D {
  if (isHalf(matrix)) return halfMatMul(x, matrix, bias === null ? {} : { bias });
  const products = tf.matMul<tf.Tensor2D>(x, matrix, false, true);
  return bias === null ? products : tf.add(products, bias);
}

/** Gradients of rows `[n, columns]` whose products with a matrix have the gradients `[n, rows]`. */
export function pulledRows(dy: tf.Tensor2D, matrix: WeightMatrix): tf.Tensor2D {
  if (!isHalf(matrix)) return tf.matMul<tf.Tensor2D>(dy, matrix);
  return tf.tidy(() => {
    // Products are linear: any rows have the same gradient.
    const rows = tf.zeros<tf.Rank.R2>([dy.shape[0], matrix.columns]);
    return pullBack(() => halfMatMul(rows, matrix), [rows], dy).gradients[0] as tf.Tensor2D;
  });
}

/** Rows by their numbers, as float32 `[n, columns]`. */
export function matrixRows(matrix: WeightMatrix, rows: Int32Array): tf.Tensor2D {
  return tf.tidy(() => {
    const indices = tf.tensor1d(rows, 'int32');
    return isHalf(matrix)
      ? halfRows(matrix, indices)
      : (gatherRows(matrix, indices) as tf.Tensor2D);
  });
}

/** All of a matrix as float32. */
export function matrixFloats(matrix: WeightMatrix): tf.Tensor2D {
  if (!isHalf(matrix)) return matrix;
  return matrixRows(
    matrix,
    Int32Array.from({ length: matrix.rows }, (_, row) => row),
  );
}
