import { gelu, silu } from '../ops/activations.js';
import { dropout } from '../ops/dropout.js';
import { layerNorm } from '../ops/layer-norm.js';
import { l2NormalizeRows } from '../ops/normalize.js';
import { rmsNorm } from '../ops/rms-norm.js';
import { logSoftmax, softmax } from '../ops/softmax.js';
import { createParameters } from '../nn/parameters.js';
import { createAdamW } from '../optim/adamw.js';
import { tf } from '../tfjs.js';
import {
  asDetails,
  type BenchOperation,
  floatBytes,
  gradientsOnNormal,
  normalTensor,
  onNormal,
} from './operation.js';

const LARGE = [4096, 4096];
const LARGE_BYTES = floatBytes(4096 ** 2);
const ROWS = [15_000, 300];
const ROWS_BYTES = floatBytes(15_000 * 300);

const adamw: BenchOperation = {
  name: 'adamw-5m',
  work: { bytes: 7 * floatBytes(5_000_000) },
  prepare(random) {
    const parameters = createParameters();
    const weight = parameters.add('weight', normalTensor(random, [5_000_000]));
    const gradient = normalTensor(random, [5_000_000]);
    const optimizer = createAdamW(parameters);
    return {
      run() {
        optimizer.step({ weight: gradient }, 1e-3);
        return tf.slice(weight, [0], [1]);
      },
      dispose() {
        optimizer.dispose();
        parameters.dispose();
        gradient.dispose();
      },
    };
  },
};

const forwards: readonly BenchOperation[] = [
  {
    name: 'log-softmax-4096',
    work: { bytes: 2 * LARGE_BYTES },
    prepare: onNormal([LARGE], (x) => logSoftmax(x)),
  },
  {
    name: 'rms-norm-4096',
    work: { bytes: 2 * LARGE_BYTES },
    prepare: onNormal([LARGE, [4096]], (x, gain) => rmsNorm(x, gain as tf.Tensor1D)),
  },
  {
    name: 'silu-4m',
    work: { bytes: 2 * floatBytes(4_000_000) },
    prepare: onNormal([[4_000_000]], (x) => silu(x)),
  },
];

const gradients: readonly BenchOperation[] = [
  {
    name: 'softmax-4096-gradient',
    work: { bytes: 5 * LARGE_BYTES },
    prepare: gradientsOnNormal([LARGE], LARGE, (x) => softmax(x)),
  },
  {
    name: 'gelu-4m-gradient',
    work: { bytes: 5 * floatBytes(4_000_000) },
    prepare: gradientsOnNormal([[4_000_000]], [4_000_000], (x) => gelu(x)),
  },
  {
    name: 'layer-norm-15k-300-gradients',
    work: { bytes: 5 * ROWS_BYTES },
    prepare: gradientsOnNormal([ROWS, [300], [300]], ROWS, (x, gain, bias) =>
      layerNorm(x as tf.Tensor2D, gain as tf.Tensor1D, bias as tf.Tensor1D),
    ),
  },
  {
    name: 'l2-normalize-15k-300-gradient',
    work: { bytes: 5 * ROWS_BYTES },
    prepare: gradientsOnNormal([ROWS], ROWS, (x) => l2NormalizeRows(x as tf.Tensor2D)),
  },
  {
    name: 'dropout-15k-300-gradient',
    work: { bytes: 4 * ROWS_BYTES },
    prepare: gradientsOnNormal([ROWS], ROWS, (x) => dropout(x, 0.5, 7)),
  },
];

/** What works row by row: the optimiser, top-k, softmax, norms and GELU. */
export const rowOperations: readonly BenchOperation[] = [
  adamw,
  {
    name: 'topk-10-of-15000',
    work: { bytes: floatBytes(1000 * 15_000) },
    prepare: onNormal([[1000, 15_000]], (x) => {
      const { values, indices } = tf.topk(x, 10);
      return [values, indices];
    }),
  },
  {
    name: 'softmax-4096',
    work: { bytes: 2 * LARGE_BYTES },
    prepare: onNormal([LARGE], (x) => softmax(x)),
  },
  {
    name: 'layer-norm-4096',
    work: { bytes: 2 * LARGE_BYTES },
    prepare: onNormal([LARGE, [4096], [4096]], (x, gain, bias) =>
      layerNorm(x as tf.Tensor2D, gain as tf.Tensor1D, bias as tf.Tensor1D),
    ),
  },
  {
    name: 'gelu-4m',
    work: { bytes: 2 * floatBytes(4_000_000) },
    prepare: onNormal([[4_000_000]], (x) => gelu(x)),
  },
  ...asDetails([...forwards, ...gradients]),
];
