import type { Random } from '@lab/core';
import { ShapeError } from '@lab/core';
import { filledTensor } from '../kernels/in-place.js';
import type { tf } from '../tfjs.js';

/**
 * Normal values with standard deviation `sqrt(2 / (fan_in + fan_out))` (Glorot and Bengio 2010).
 *
 * Source: PyTorch/torch/nn/init.py, `xavier_normal_`; equation not verified.
 *
 * @param shape - `[I, O]` (or `[O]`, taken as `[1, O]`; further axes count as receptive field).
 * @param random - the stream the values are drawn from.
 * @returns float32 tensor of that shape.
 */
export function xavierNormal(shape: readonly number[], random: Random): tf.Tensor {
  const { fanIn, fanOut } = fans(shape);
  return normal(shape, Math.sqrt(2 / Math.max(1, fanIn + fanOut)), random);
}

/**
 * Uniform values in `±sqrt(6 / (fan_in + fan_out))` (Glorot and Bengio 2010).
 *
 * Source: PyTorch/torch/nn/init.py, `xavier_uniform_`; equation not verified.
 *
 * @param shape - `[I, O]` (or `[O]`, taken as `[1, O]`).
 * @param random - the stream the values are drawn from.
 * @returns float32 tensor of that shape.
 */
export function xavierUniform(shape: readonly number[], random: Random): tf.Tensor {
  const { fanIn, fanOut } = fans(shape);
  return uniform(shape, Math.sqrt(6 / Math.max(1, fanIn + fanOut)), random);
}

/**
 * The default weight of `torch.nn.Linear`: uniform in `±1 / sqrt(fan_in)`.
 *
 * This is `kaiming_uniform_(a = sqrt(5))`: gain `sqrt(2 / (1 + 5))`, bound `sqrt(3) gain /
 * sqrt(fan_in)`.
 * Source: PyTorch/torch/nn/modules/linear.py, `reset_parameters`; equation not verified.
 *
 * @param shape - `[I, O]`, as {@link linear} takes it (PyTorch holds the transpose).
 * @param random - the stream the values are drawn from.
 * @returns float32 tensor `[I, O]`.
 */
export function torchLinear(shape: readonly number[], random: Random): tf.Tensor {
  return uniform(shape, 1 / Math.sqrt(Math.max(1, fans(shape).fanIn)), random);
}

/**
 * The default bias of `torch.nn.Linear`: uniform in `±1 / sqrt(fan_in)`.
 *
 * Source: PyTorch/torch/nn/modules/linear.py, `reset_parameters`; equation not verified.
 *
 * @param shape - the shape `[I, O]` of the weight that the bias belongs to.
 * @param random - the stream the values are drawn from.
 * @returns float32 tensor `[O]`.
 */
export function torchLinearBias(shape: readonly [number, number], random: Random): tf.Tensor {
  return uniform([shape[1]], 1 / Math.sqrt(Math.max(1, shape[0])), random);
}

/**
 * Normal values with mean 0.
 *
 * @param shape - any shape.
 * @param deviation - standard deviation, >= 0.
 * @param random - the stream the values are drawn from.
 * @returns float32 tensor of that shape.
 */
export function normal(shape: readonly number[], deviation: number, random: Random): tf.Tensor {
  return initial(shape, (values) => random.fillNormal(values, 0, deviation));
}

/**
 * Uniform values in `[-bound, bound)`.
 *
 * @param shape - any shape.
 * @param bound - half the width of the interval, >= 0.
 * @param random - the stream the values are drawn from.
 * @returns float32 tensor of that shape.
 */
export function uniform(shape: readonly number[], bound: number, random: Random): tf.Tensor {
  return initial(shape, (values) => random.fillUniform(values, -bound, bound));
}

/**
 * Ones.
 *
 * @param shape - any shape.
 * @returns float32 tensor of that shape.
 */
export function ones(shape: readonly number[]): tf.Tensor {
  return initial(shape, (values) => values.fill(1));
}

/**
 * Zeros.
 *
 * @param shape - any shape.
 * @returns float32 tensor of that shape.
 */
export function zeros(shape: readonly number[]): tf.Tensor {
  return initial(shape, (values) => values.fill(0));
}

/** A tensor with the values that `fill` writes. */
function initial(shape: readonly number[], fill: (values: Float32Array) => void): tf.Tensor {
  sizeOf(shape); // throws for what is no shape
  return filledTensor(shape, fill);
}

function sizeOf(shape: readonly number[]): number {
  const size = shape.reduce((product, length) => product * length, 1);
  if (!Number.isSafeInteger(size) || shape.some((length) => length < 0)) {
    const got = `[${shape.join(', ')}]`;
    throw new ShapeError(`tensor/init: ${got} is not a shape.`, {
      expected: 'integers >= 0',
      got,
      help: 'Give the length of every axis as an integer >= 0.',
    });
  }
  return size;
}

function fans(shape: readonly number[]): { fanIn: number; fanOut: number } {
  if (shape.length < 2) return { fanIn: 1, fanOut: shape[0] ?? 1 };
  const field = sizeOf(shape.slice(2));
  return { fanIn: shape[0]! * field, fanOut: shape[1]! * field };
}
