import type { Random } from '@lab/core';
import { tf } from '../tfjs.js';

/** What an operation does at least, for rates. */
export interface Work {
  /** Floating-point operations; a multiply-add is two. */
  readonly flop?: number;
  /** Bytes that must be read and written when nothing is touched twice. */
  readonly bytes?: number;
}

/** Inputs that are ready, and the operation on them. */
export interface PreparedOperation {
  /** Does it once; the results belong to the caller. */
  run(): tf.Tensor | tf.Tensor[];
  dispose(): void;
}

/** One operation of the bench. */
export interface BenchOperation {
  /** Kebab-case, unique; the Python side knows it by the same name. */
  readonly name: string;
  readonly work: Work;
  /** Where our wasm kernels are needed. */
  readonly needsWasm?: boolean;
  /** Left out of short tables. */
  readonly isDetail?: boolean;
  prepare(random: Random): PreparedOperation;
}

/** Normal numbers of a shape. */
export function normalTensor<T extends tf.Tensor = tf.Tensor>(
  random: Random,
  shape: readonly number[],
): T {
  const values = random.fillNormal(new Float32Array(tf.util.sizeFromShape([...shape])));
  return tf.tensor(values, [...shape]) as T;
}

/** An operation on tensors that live until `dispose`. */
export function onTensors<T extends tf.Tensor[]>(
  inputs: [...T],
  run: (...inputs: T) => tf.Tensor | tf.Tensor[],
): PreparedOperation {
  return {
    run: () => tf.tidy(() => run(...inputs)),
    dispose: () => tf.dispose(inputs),
  };
}

/** An operation on normal tensors of these shapes. */
export function onNormal(
  shapes: readonly (readonly number[])[],
  run: (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[],
): BenchOperation['prepare'] {
  return (random) =>
    onTensors(
      shapes.map((shape) => normalTensor(random, shape)),
      run,
    );
}

/** All gradients of `f` on normal tensors of these shapes, for a normal output gradient. */
export function gradientsOnNormal(
  shapes: readonly (readonly number[])[],
  outputShape: readonly number[],
  f: (...inputs: tf.Tensor[]) => tf.Tensor,
): BenchOperation['prepare'] {
  const gradients = tf.grads(f);
  return onNormal([outputShape, ...shapes], (dy, ...inputs) => gradients(inputs, dy));
}

/** Bytes of that many float32 values. */
export const floatBytes = (...counts: number[]): number =>
  4 * counts.reduce((sum, count) => sum + count, 0);

/** The operations, to be left out of short tables. */
export const asDetails = (operations: readonly BenchOperation[]): BenchOperation[] =>
  operations.map((operation) => ({ ...operation, isDetail: true }));
