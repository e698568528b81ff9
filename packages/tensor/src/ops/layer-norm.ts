import { hasKernel, runSingle } from '../engine.js';
import { assertDtype, assertShape } from '../shape.js';
import { tf } from '../tfjs.js';
import { assertFeatures } from './features.js';

function kernelLayerNorm(x: tf.Tensor, scaling: tf.NamedTensorMap, epsilon: number): tf.Tensor {
  const width = x.shape.at(-1) as number;
  const rows = width === 0 ? 0 : x.size / width;
  const flat = x.rank === 2 ? x : tf.reshape(x, [rows, width]);
  return tf.reshape(runSingle('LabLayerNorm', { x: flat, ...scaling }, { epsilon }), x.shape);
}

/**
 * Rows brought to mean 0 and variance 1, then scaled and shifted per feature.
 *
 * `y = gain * (x - mean(x)) / sqrt(var(x) + epsilon) + bias`, mean and (biased) variance over the
 * last axis.
 *
 * @param x - `[..., D]`, at least one axis.
 * @param gain - `[D]`.
 * @param bias - `[D]`.
 * @param epsilon - added to the variance; default 1e-5.
 * @returns the shape of `x`.
 * @throws {ShapeError} when shapes or types disagree.
 */
export function layerNorm<T extends tf.Tensor>(
  x: T,
  gain: tf.Tensor1D,
  bias: tf.Tensor1D,
  epsilon = 1e-5,
): T {
  const sizes = assertFeatures(x);
  for (const [name, vector] of Object.entries({ gain, bias })) {
    assertShape(vector, 'D', name, sizes);
    assertDtype(vector, 'float32', name);
  }
  return tf.tidy(() => {
    if (hasKernel('LabLayerNorm')) return kernelLayerNorm(x, { gain, bias }, epsilon) as T;
    const centred = tf.sub(x, tf.mean(x, -1, true));
    const variance = tf.mean(tf.mul(centred, centred), -1, true);
    const scaled = tf.div(centred, tf.sqrt(tf.add(variance, epsilon)));
    return tf.add(tf.mul(scaled, gain), bias) as T;
  });
}
