/** `y = x W^T + b` of rows with any axes before them. */
import { tf } from '@lab/tensor';
import type { Linear } from './weights/block-weights.js';
import { rowCount, timesMatrix } from './weights/weight-matrix.js';

/**
 * Rows through a matrix.
 *
 * @param x - `[B, T, in]`.
 * @returns `[B, T, out]`.
 */
export function linear(x: tf.Tensor3D, { weight, bias }: Linear): tf.Tensor3D {
  const [batch, length, inputs] = x.shape;
  const rows = timesMatrix(tf.reshape(x, [batch * length, inputs]), weight, bias);
  return tf.reshape(rows, [batch, length, rowCount(weight)]);
}
