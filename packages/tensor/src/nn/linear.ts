import { tf } from '../tfjs.js';

/**
 * Affine map of the rows: `y = x W + b`.
 *
 * Deviation: product and bias are two operations, as the fused product of tfjs-backend-wasm adds
 * the bias more than once on its slow path.
 *
 * @param x - inputs `[N, I]`.
 * @param weight - `[I, O]`.
 * @param bias - `[O]`; left out: no bias.
 * @returns `[N, O]`.
 */
export function linear(x: tf.Tensor2D, weight: tf.Tensor, bias?: tf.Tensor): tf.Tensor2D {
  if (bias === undefined) return tf.matMul(x, weight as tf.Tensor2D);
  return tf.tidy(() => tf.add(tf.matMul(x, weight as tf.Tensor2D), bias));
}
