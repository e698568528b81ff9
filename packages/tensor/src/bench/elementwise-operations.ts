import { tf } from '../tfjs.js';
import { asDetails, type BenchOperation, floatBytes, onNormal } from './operation.js';

const ROWS = [15_000, 300];
const COUNT = 15_000 * 300;
const LARGE = [4096, 4096];
const LARGE_BYTES = floatBytes(4096 ** 2);

const unaryFunctions: Readonly<Record<string, (x: tf.Tensor) => tf.Tensor>> = {
  exp: (x) => tf.exp(x),
  elu: (x) => tf.elu(x),
  relu: (x) => tf.relu(x),
  sigmoid: (x) => tf.sigmoid(x),
  tanh: (x) => tf.tanh(x),
  softplus: (x) => tf.softplus(x),
  sqrt: (x) => tf.sqrt(x),
  square: (x) => tf.square(x),
};

const unary = Object.entries(unaryFunctions).map(
  ([name, f]): BenchOperation => ({
    name: `${name}-15k-300`,
    work: { bytes: floatBytes(COUNT, COUNT) },
    prepare: onNormal([ROWS], f),
  }),
);

function binary(
  name: string,
  shapes: readonly (readonly number[])[],
  f: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
): BenchOperation {
  const sizes = shapes.map((shape) => tf.util.sizeFromShape([...shape]));
  return {
    name,
    work: { bytes: floatBytes(...sizes, Math.max(...sizes)) },
    prepare: onNormal(shapes, (a, b) => f(a, b as tf.Tensor)),
  };
}

const details: readonly BenchOperation[] = [
  binary('add-15k-300', [ROWS, ROWS], (a, b) => tf.add(a, b)),
  binary('mul-row-15k-300', [ROWS, [300]], (a, b) => tf.mul(a, b)),
  binary('mul-column-15k-300', [ROWS, [15_000, 1]], (a, b) => tf.mul(a, b)),
  {
    name: 'sum-axis-0-4096',
    work: { bytes: LARGE_BYTES },
    prepare: onNormal([LARGE], (x) => tf.sum(x, 0)),
  },
  {
    name: 'sum-axis-1-4096',
    work: { bytes: LARGE_BYTES },
    prepare: onNormal([LARGE], (x) => tf.sum(x, 1)),
  },
  {
    name: 'transpose-4096',
    work: { bytes: 2 * LARGE_BYTES },
    prepare: onNormal([LARGE], (x) => tf.transpose(x)),
  },
  {
    name: 'concat-3-15k-300',
    work: { bytes: floatBytes(COUNT, 3 * COUNT) },
    prepare: onNormal([ROWS], (x) => tf.concat([x, x, x], 1)),
  },
  {
    name: 'slice-half-15k-300',
    work: { bytes: floatBytes(COUNT / 2, COUNT / 2) },
    prepare: onNormal([ROWS], (x) => tf.slice(x, [0, 0], [-1, 150])),
  },
  ...unary,
];

/** Element by element, sums over an axis, and copies; the small addition is the cost of a call. */
export const elementwiseOperations: readonly BenchOperation[] = [
  binary(
    'small-add',
    [
      [16, 16],
      [16, 16],
    ],
    (a, b) => tf.add(a, b),
  ),
  ...asDetails(details),
];
