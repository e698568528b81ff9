import { LabError } from '@lab/core';
import { tf } from '../tfjs.js';

/** Settings of {@link checkGradient}. */
export interface GradientCheckOptions {
  /** Allowed error relative to the largest entry of a gradient; default 1e-3. */
  readonly rtol?: number;
  /**
   * The same function on plain float64 arrays, one per input; its value is summed with the weights
   * of {@link outputWeight}. Without it the float32 function itself is differenced, with a larger
   * step and less accuracy.
   */
  readonly reference?: (...inputs: Float64Array[]) => ArrayLike<number>;
  /** Step of the central differences; default 1e-5 with a reference, 1e-2 without. */
  readonly step?: number;
}

/** Fixed weight of output element i: makes one scalar of a tensor, none of them alike. */
export function outputWeight(i: number): number {
  return Math.sin(1 + 1.7 * i);
}

function weightedSum(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += outputWeight(i) * (values[i] as number);
  return sum;
}

function weightedOutput(y: tf.Tensor): tf.Scalar {
  const weights = Float32Array.from({ length: y.size }, (_, i) => outputWeight(i));
  return tf.sum(tf.mul(y, tf.tensor(weights, y.shape))) as tf.Scalar;
}

type TensorFunction = (...inputs: tf.Tensor[]) => tf.Tensor;

/** The scalar as a function of plain arrays: the reference, or `f` itself in float32. */
function scalarOf(f: TensorFunction, inputs: readonly tf.Tensor[], options: GradientCheckOptions) {
  const { reference } = options;
  if (reference !== undefined) {
    return (arrays: Float64Array[]) => weightedSum(reference(...arrays));
  }
  return (arrays: Float64Array[]) =>
    tf.tidy(() => {
      const tensors = arrays.map((array, i) =>
        tf.tensor(Float32Array.from(array), (inputs[i] as tf.Tensor).shape),
      );
      return weightedSum(f(...tensors).dataSync());
    });
}

function centralDifferences(
  scalar: (arrays: Float64Array[]) => number,
  arrays: Float64Array[],
  which: number,
  step: number,
): Float64Array {
  const x = arrays[which] as Float64Array;
  return x.map((value, i) => {
    x[i] = value + step;
    const above = scalar(arrays);
    x[i] = value - step;
    const below = scalar(arrays);
    x[i] = value;
    return (above - below) / (2 * step);
  });
}

function compare(which: number, got: ArrayLike<number>, wanted: Float64Array, rtol: number): void {
  const scale = wanted.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-3);
  wanted.forEach((value, i) => {
    const error = Math.abs((got[i] as number) - value);
    if (error <= rtol * scale) return;
    throw new LabError(
      `tensor: gradient of input ${which} at ${i} is ${got[i]}, central differences give ` +
        `${value} (error ${error.toExponential(2)}, allowed ${(rtol * scale).toExponential(2)}).`,
      { code: 'LAB_GRADIENT', details: { input: which, index: i, error } },
    );
  });
}

/**
 * Nothing when the gradient of `f` agrees with central differences in every input.
 *
 * The output is made a scalar by fixed weights. Errors are relative to the largest entry of each
 * input's gradient, so that entries near zero do not fail by rounding.
 *
 * @param f - function of tensors, differentiable at the inputs.
 * @param inputs - float32 tensors; keep them small, each element costs two evaluations.
 * @throws {LabError} naming the input and element that disagrees.
 */
export async function checkGradient(
  f: TensorFunction,
  inputs: readonly tf.Tensor[],
  options: GradientCheckOptions = {},
): Promise<void> {
  const gradients = tf.tidy(() => tf.grads((...xs) => weightedOutput(f(...xs)))([...inputs]));
  const arrays = inputs.map((x) => Float64Array.from(x.dataSync()));
  const step = options.step ?? (options.reference === undefined ? 1e-2 : 1e-5);
  const scalar = scalarOf(f, inputs, options);
  for (let which = 0; which < inputs.length; which++) {
    const gradient = gradients[which] as tf.Tensor;
    const got = await gradient.data();
    gradient.dispose();
    compare(which, got, centralDifferences(scalar, arrays, which, step), options.rtol ?? 1e-3);
  }
}
