import { hasKernel, runKernel } from '../engine.js';
import { assertDtype, assertShape } from '../shape.js';
import { tf } from '../tfjs.js';

/**
 * Rows scaled to length 1: `y_n = x_n / max(|x_n|, epsilon)`; a row of zeros stays zero.
 *
 * @param x - `[N, D]`.
 * @param epsilon - smallest divisor; default 1e-12.
 * @returns `[N, D]`.
 * @throws {ShapeError} when `x` is not a matrix.
 */
export function l2NormalizeRows(x: tf.Tensor2D, epsilon = 1e-12): tf.Tensor2D {
  assertShape(x, 'N D');
  assertDtype(x, 'float32', 'x');
  if (hasKernel('LabNormalizeRows')) {
    const [rows, norms] = runKernel('LabNormalizeRows', { x }, { epsilon });
    (norms as tf.Tensor).dispose();
    return rows as tf.Tensor2D;
  }
  return tf.tidy(() => {
    const squares = tf.sum(tf.mul(x, x), 1, true);
    return tf.div(x, tf.sqrt(tf.maximum(squares, epsilon * epsilon))) as tf.Tensor2D;
  });
}
