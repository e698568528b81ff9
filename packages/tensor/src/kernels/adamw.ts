import type { tf } from '../tfjs.js';
import { kernelRunner } from '../active-kernels.js';
import { addressOf } from '../kernel-module.js';
import { blockOf } from './call.js';

/** Two, so that a thread that was held up leaves half of its share to the others. */
const RUNS_PER_THREAD = 2;
/** Values of a cache line: no two threads write the same one. */
const RUN_MULTIPLE = 16;

/** The four buffers of one parameter; all but the gradient are changed. */
export interface AdamWBuffers {
  readonly parameter: tf.Tensor;
  readonly gradient: tf.Tensor;
  readonly first: tf.Tensor;
  readonly second: tf.Tensor;
}

/** The numbers of one step. */
export interface AdamWStep {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** `1 - learningRate * weightDecay`. */
  readonly decay: number;
  /** `learningRate / (1 - beta1^t)`. */
  readonly stepSize: number;
  /** `sqrt(1 - beta2^t)`. */
  readonly secondCorrection: number;
}

/**
 * Makes one AdamW step in place where our kernels are in use; whether it did.
 *
 * Buffers that a clone shares are left alone (false): the clone would change too. The product
 * kernel of this package keeps no packed copy of its inputs, so in-place updates are safe there.
 *
 * `m = b1 m + (1 - b1) g`; `v = b2 v + (1 - b2) g^2`;
 * `p = decay p - stepSize m / (sqrt(v) / secondCorrection + epsilon)`.
 */
export function adamwInPlace(buffers: AdamWBuffers, step: AdamWStep): boolean {
  const kernels = kernelRunner();
  if (kernels === null) return false;
  const { parameter, gradient, first, second } = buffers;
  if ([parameter, first, second].some((x) => kernels.memory.refCount(x) > 1)) return false;
  const addresses = [parameter, gradient, first, second].map((x) => addressOf(kernels, x));
  const { beta1, beta2, epsilon, decay, stepSize, secondCorrection } = step;
  const numbers = [beta1, beta2, decay, stepSize, 1 / secondCorrection, epsilon];
  const count = parameter.size;
  // Four long arrays are read and three written: few long runs keep the processor reading ahead.
  const run = Math.ceil(count / (RUNS_PER_THREAD * kernels.threads) / RUN_MULTIPLE) * RUN_MULTIPLE;
  const work = { kernel: 'adamw', count, block: Math.max(blockOf(4), run) };
  kernels.callBlocks(work, ...addresses, ...numbers);
  for (const changed of [parameter, first, second]) kernels.memory.tellChanged?.(changed);
  return true;
}
