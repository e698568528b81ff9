import { hasKernel, runSingle } from '../engine.js';
import { assertDtype } from '../shape.js';
import { tf } from '../tfjs.js';

/** Which form of GELU: the exact one, or the one with tanh of older models. */
export interface GeluOptions {
  /** Default `'none'`: exact. */
  readonly approximate?: 'none' | 'tanh';
}

const composedGelu = (x: tf.Tensor): tf.Tensor =>
  tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));

function composedGeluTanh(x: tf.Tensor): tf.Tensor {
  const cubic = tf.add(tf.mul(tf.mul(tf.square(x), x), 0.044715), x);
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(tf.mul(cubic, Math.sqrt(2 / Math.PI))), 1));
}

/**
 * Gaussian error linear unit: `y = x P(x)`, P the distribution function of the standard normal.
 *
 * `'none'`: `P(x) = (1 + erf(x / sqrt 2)) / 2`; `'tanh'`:
 * `P(x) = (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2`. One pass over the values on wasm,
 * forward and backward.
 *
 * @param x - any shape.
 * @returns the shape of `x`.
 * @throws {ShapeError} when `x` is not float32.
 */
export function gelu<T extends tf.Tensor>(x: T, { approximate = 'none' }: GeluOptions = {}): T {
  assertDtype(x, 'float32', 'x');
  const kernel = approximate === 'tanh' ? 'LabGeluTanh' : 'LabGelu';
  if (hasKernel(kernel)) return runSingle(kernel, { x });
  return tf.tidy(() => (approximate === 'tanh' ? composedGeluTanh(x) : composedGelu(x)) as T);
}

/**
 * Sigmoid linear unit, also called swish: `y = x / (1 + exp(-x))`.
 *
 * @param x - any shape.
 * @returns the shape of `x`.
 * @throws {ShapeError} when `x` is not float32.
 */
export function silu<T extends tf.Tensor>(x: T): T {
  assertDtype(x, 'float32', 'x');
  if (hasKernel('LabSilu')) return runSingle('LabSilu', { x });
  return tf.tidy(() => tf.mul(x, tf.sigmoid(x)) as T);
}
