import type { AdamWStep } from '../kernels/adamw.js';
import { blockOf } from '../kernels/call.js';
import { withHeap } from '../ops/heap.js';
import { tf } from '../tfjs.js';
import { activeKernels } from '../active-kernels.js';
import { addressOf, type KernelModule } from '../kernel-module.js';

/** Both moments of one parameter in the host's memory, row-major. */
export interface HostMoments {
  readonly first: Float32Array;
  readonly second: Float32Array;
}

/** Values of a moment that are on the backend at one time: a multiple of every vector width. */
const BLOCK_VALUES = 2 ** 18;

/** Moments of 0 for a parameter of that many values. */
export function zeroMoments(size: number): HostMoments {
  return { first: new Float32Array(size), second: new Float32Array(size) };
}

/** Whether the present backend can step with moments in the host's memory. */
export function takesHostMoments(): boolean {
  return activeKernels() !== null;
}

/**
 * Makes one AdamW step on a parameter with its moments in host memory; with our kernels only.
 *
 * Blocks of 1 MiB of the moments go to the backend, through the step of `adamwInPlace`, and back:
 * the same values bit for bit. Clones of the parameter that were made before do not change.
 */
export function adamwFromHost(
  { parameter, gradient }: { readonly parameter: tf.Variable; readonly gradient: tf.Tensor },
  { first, second }: HostMoments,
  step: AdamWStep,
): void {
  const kernels = activeKernels() as KernelModule;
  if (kernels.memory.refCount(parameter) > 1) separate(parameter);
  const { beta1, beta2, epsilon, decay, stepSize, secondCorrection } = step;
  const numbers = [beta1, beta2, decay, stepSize, 1 / secondCorrection, epsilon];
  withHeap(kernels, (heap) => {
    const values = Math.min(BLOCK_VALUES, parameter.size);
    const pairs = [first, second].map((host) => ({ host, block: heap.floats(values) }));
    const moments = pairs.map(({ block }) => block.at());
    const [to = 0, from = 0] = [parameter, gradient].map((x) => addressOf(kernels, x));
    for (let start = 0; start < parameter.size; start += BLOCK_VALUES) {
      const count = Math.min(BLOCK_VALUES, parameter.size - start);
      for (const { host, block } of pairs) block.view().set(host.subarray(start, start + count));
      const addresses = [to + 4 * start, from + 4 * start, ...moments];
      kernels.callBlocks({ kernel: 'adamw', count, block: blockOf(4) }, ...addresses, ...numbers);
      for (const { host, block } of pairs) host.set(block.view().subarray(0, count), start);
    }
  });
}

/** Gives the variable a buffer of its own. */
function separate(parameter: tf.Variable): void {
  const own = tf.mul(parameter, 1);
  parameter.assign(own);
  own.dispose();
}
