/** `y = x W^T + b` of rows with any axes before them. */
import { tf } from '@lab/tensor';
import type { Linear } from './weights/block-weights.js';
import { rowCount, timesMatrix } from './weights/weight-matrix.js';

/**
 * Rows through a matrix, and through what is trained beside it.
 *
 * @param x - `[B, T, in]`.
 * @returns `[B, T, out]`.
 */
export function linear(x: tf.Tensor3D, { weight, bias, lowRank }: Linear): tf.Tensor3D {
  const [batch, length, inputs] = x.shape;
  const flat = tf.reshape(x, [batch * length, inputs]) as tf.Tensor2D;
  const products = timesMatrix(flat, weight, bias);
  if (lowRank === undefined) return tf.reshape(products, [batch, length, rowCount(weight)]);
  const { a, b, scale } = lowRank;
  const narrow = tf.mul(tf.matMul(flat, a, false, true), scale) as tf.Tensor2D;
  const rows = tf.add(products, tf.matMul(narrow, b, false, true));
  return tf.reshape(rows, [batch, length, rowCount(weight)]);
}
