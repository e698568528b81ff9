import { hasKernel, runSingle } from '../engine.js';
import { assertDtype, assertShape } from '../shape.js';
import { tf } from '../tfjs.js';

/**
 * Rows brought to mean 0 and variance 1, then scaled and shifted per feature.
 *
 * `y = gain * (x - mean(x)) / sqrt(var(x) + epsilon) + bias`, mean and (biased) variance over D.
 *
 * @param x - `[N, D]`.
 * @param gain - `[D]`.
 * @param bias - `[D]`.
 * @param epsilon - added to the variance; default 1e-5.
 * @returns `[N, D]`.
 * @throws {ShapeError} when shapes disagree.
 */
export function layerNorm(
  x: tf.Tensor2D,
  gain: tf.Tensor1D,
  bias: tf.Tensor1D,
  epsilon = 1e-5,
): tf.Tensor2D {
  const sizes = assertShape(x, 'N D');
  assertDtype(x, 'float32', 'x');
  assertShape(gain, 'D', 'gain', sizes);
  assertShape(bias, 'D', 'bias', sizes);
  if (hasKernel('LabLayerNorm')) return runSingle('LabLayerNorm', { x, gain, bias }, { epsilon });
  return tf.tidy(() => {
    const centred = tf.sub(x, tf.mean(x, 1, true));
    const variance = tf.mean(tf.mul(centred, centred), 1, true);
    const scaled = tf.div(centred, tf.sqrt(tf.add(variance, epsilon)));
    return tf.add(tf.mul(scaled, gain), bias) as tf.Tensor2D;
  });
}
