import { hasKernel, runSingle } from '../engine.js';
import { assertDtype, assertShape } from '../shape.js';
import { tf } from '../tfjs.js';
import { assertFeatures } from './features.js';

/**
 * Rows divided by their root mean square, then scaled per feature.
 *
 * `y = gain * x / sqrt(mean(x^2) + epsilon)`, the mean over the last axis.
 *
 * @param x - `[..., D]`, at least one axis.
 * @param gain - `[D]`.
 * @param epsilon - added to the mean square; default 1e-6.
 * @returns the shape of `x`.
 * @throws {ShapeError} when shapes or types disagree.
 */
export function rmsNorm<T extends tf.Tensor>(x: T, gain: tf.Tensor1D, epsilon = 1e-6): T {
  const sizes = assertFeatures(x);
  assertShape(gain, 'D', 'gain', sizes);
  assertDtype(gain, 'float32', 'gain');
  if (hasKernel('LabRmsNorm')) return runSingle('LabRmsNorm', { x, gain }, { epsilon });
  return tf.tidy(() => {
    const square = tf.mean(tf.square(x), -1, true);
    return tf.mul(tf.mul(x, tf.rsqrt(tf.add(square, epsilon))), gain) as T;
  });
}
