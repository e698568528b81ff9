import { BackendError } from '@lab/core';
import { activeKernels } from '../active-kernels.js';
import { tf } from '../tfjs.js';
import { addressOf, type KernelModule } from '../kernel-module.js';
import { type BenchOperation, floatBytes, normalTensor } from './operation.js';

/** Work of one item of `peak_fma`: 12 chains of 4 values, a multiply-add is two operations. */
const FLOP_PER_ROUND = 12 * 4 * 2;
const ITEMS = 64;
/** Some 60 ms: shorter, the waking of the threads would lower the peak, and shares of it pass 1. */
const ROUNDS = 1_000_000;
const TRIAD_COUNT = 2 ** 24;

function kernelsInUse(): KernelModule {
  const kernels = activeKernels();
  if (kernels !== null) return kernels;
  throw new BackendError('tensor: this operation is a wasm kernel.', {
    help: 'Choose the backend wasm.',
  });
}

/** The first value, to be waited for. */
const firstOf = (x: tf.Tensor) => tf.slice(x, [0], [1]);

/** What no kernel can pass: multiply-adds in registers, and a pass over long arrays. */
export const limitOperations: readonly BenchOperation[] = [
  {
    name: 'peak-fma-128',
    work: { flop: ITEMS * ROUNDS * FLOP_PER_ROUND },
    needsWasm: true,
    prepare() {
      const kernels = kernelsInUse();
      const output = tf.zeros([ITEMS]);
      const work = { kernel: 'peak_fma', count: ITEMS, block: 1 };
      return {
        run() {
          kernels.callBlocks(work, addressOf(kernels, output), ROUNDS, 0.5);
          return firstOf(output);
        },
        dispose: () => output.dispose(),
      };
    },
  },
  {
    name: 'triad',
    work: { flop: 2 * TRIAD_COUNT, bytes: 3 * floatBytes(TRIAD_COUNT) },
    needsWasm: true,
    prepare(random) {
      const kernels = kernelsInUse();
      const arrays = [0, 1, 2].map(() => normalTensor(random, [TRIAD_COUNT]));
      const work = { kernel: 'triad', count: TRIAD_COUNT, block: 2 ** 16 };
      return {
        run() {
          kernels.callBlocks(work, ...arrays.map((x) => addressOf(kernels, x)), 3);
          return firstOf(arrays[0] as tf.Tensor);
        },
        dispose: () => tf.dispose(arrays),
      };
    },
  },
];
