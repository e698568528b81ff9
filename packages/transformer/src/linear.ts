/** `y = x W^T + b` of rows with any axes before them. */
import { tf } from '@lab/tensor';
import type { Linear } from './weights/block-weights.js';

/**
 * Rows through a matrix.
 *
 * @param x - `[B, T, in]`.
 * @returns `[B, T, out]`.
 */
export function linear(x: tf.Tensor3D, { weight, bias }: Linear): tf.Tensor3D {
  const [batch, length, inputs] = x.shape;
  const rows = tf.matMul(tf.reshape(x, [batch * length, inputs]), weight, false, true);
  const shifted = bias === null ? rows : tf.add(rows, bias);
  return tf.reshape(shifted, [batch, length, weight.shape[0]]);
}
