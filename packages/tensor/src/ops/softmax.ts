import { hasKernel, runSingle } from '../engine.js';
import { tf } from '../tfjs.js';
import { assertFeatures } from './features.js';

/**
 * Shares that sum to one along the last axis: `y_d = exp(x_d) / sum_c exp(x_c)`.
 *
 * Values of any size are safe. Minus infinity gets the share 0; a row of nothing but minus infinity
 * is NaN, as in PyTorch, and so is a row with NaN in it. The same kernel as `tf.softmax`.
 *
 * @param x - `[..., D]`, at least one axis.
 * @returns the shape of `x`.
 * @throws {ShapeError} when `x` is a scalar or not float32.
 */
export function softmax<T extends tf.Tensor>(x: T): T {
  assertFeatures(x);
  return tf.softmax(x);
}

/**
 * Logarithms of the softmax along the last axis: `y_d = x_d - log sum_c exp(x_c)`.
 *
 * On wasm one kernel forward and one backward; `tf.logSoftmax` is made of six operations.
 *
 * @param x - `[..., D]`, at least one axis.
 * @returns the shape of `x`.
 * @throws {ShapeError} when `x` is a scalar or not float32.
 */
export function logSoftmax<T extends tf.Tensor>(x: T): T {
  assertFeatures(x);
  return hasKernel('LabLogSoftmax') ? runSingle('LabLogSoftmax', { x }) : tf.logSoftmax(x);
}
