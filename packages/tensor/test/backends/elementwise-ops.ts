/**
 * Operations on single elements, sums over axes, and movements, with their twins.
 */
import { dropout, maskedDropout, noiseRows, tf } from '../../src/index.js';
import { normal, type OpCase, positive } from './op-case.js';
import { build, erf, total } from './plain.js';

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

type Unary = (x: tf.Tensor) => tf.Tensor;

/** One line an operation: name, on tensors, on numbers, and whether its input must be positive. */
export type UnaryLine = readonly [string, Unary, (x: number) => number, 'positive'?];

const UNARY: readonly UnaryLine[] = [
  ['abs', tf.abs, Math.abs],
  ['clip', (x) => tf.clipByValue(x, -0.5, 0.7), (x) => Math.min(Math.max(x, -0.5), 0.7)],
  ['cos', tf.cos, Math.cos],
  ['elu', tf.elu, (x) => (x > 0 ? x : Math.expm1(x))],
  ['erf', tf.erf, erf],
  ['exp', tf.exp, Math.exp],
  ['leakyRelu', (x) => tf.leakyRelu(x, 0.2), (x) => (x > 0 ? x : 0.2 * x)],
  ['log', tf.log, Math.log, 'positive'],
  ['neg', tf.neg, (x) => -x],
  ['pow', (x) => tf.pow(x, 3), (x) => x ** 3],
  ['reciprocal', tf.reciprocal, (x) => 1 / x, 'positive'],
  ['relu', tf.relu, (x) => Math.max(x, 0)],
  ['rsqrt', tf.rsqrt, (x) => 1 / Math.sqrt(x), 'positive'],
  ['sigmoid', tf.sigmoid, sigmoid],
  ['sin', tf.sin, Math.sin],
  ['softplus', tf.softplus, softplus],
  ['sqrt', tf.sqrt, Math.sqrt, 'positive'],
  ['square', tf.square, (x) => x * x],
  ['tanh', tf.tanh, Math.tanh],
];

/** More values than one block of a kernel has, so that threads share them. */
const LARGE_ROWS = 257;
const LARGE_COLUMNS = 300;

/** A small case and a large one of a function of one element. */
export function unaryCases([name, compute, number, domain]: UnaryLine): OpCase[] {
  const input = domain === 'positive' ? positive : normal;
  const reference = (x: Float64Array) => x.map((value) => number(value));
  const of = (xs: tf.Tensor[]) => compute(xs[0] as tf.Tensor);
  const large = [input(LARGE_ROWS, LARGE_COLUMNS)];
  return [
    { name, inputs: [input(3, 7)], compute: of, reference },
    { name: `${name}, large`, inputs: large, compute: of, reference, isLarge: true },
  ];
}

type Binary = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;

const BINARY: readonly [string, Binary, (a: number, b: number) => number][] = [
  ['add', (a, b) => tf.add(a, b), (a, b) => a + b],
  ['sub', (a, b) => tf.sub(a, b), (a, b) => a - b],
  ['mul', (a, b) => tf.mul(a, b), (a, b) => a * b],
  ['div', (a, b) => tf.div(a, tf.add(tf.square(b), 1)), (a, b) => a / (b * b + 1)],
  ['maximum', (a, b) => tf.maximum(a, b), Math.max],
  ['minimum', (a, b) => tf.minimum(a, b), Math.min],
  ['squaredDifference', (a, b) => tf.squaredDifference(a, b), (a, b) => (a - b) ** 2],
  ['where', (a, b) => tf.where(tf.greater(a, b), tf.square(a), b), (a, b) => (a > b ? a * a : b)],
];

/** Of equal shapes, and with a row and a column that is spread. */
function binaryCases([name, compute, number]: (typeof BINARY)[number]): OpCase[] {
  const of = (xs: tf.Tensor[]) => compute(xs[0] as tf.Tensor, xs[1] as tf.Tensor);
  const spread = (of: (i: number, j: number) => number) => (a: Float64Array, b: Float64Array) =>
    build(12, (at) => number(a[at] as number, b[of(Math.floor(at / 4), at % 4)] as number));
  const cases: [string, number[], (i: number, j: number) => number][] = [
    ['', [3, 4], (i, j) => 4 * i + j],
    [', a row spread', [4], (_, j) => j],
    [', a column spread', [3, 1], (i) => i],
  ];
  return cases.map(([suffix, shape, place]) => ({
    name: `${name}${suffix}`,
    inputs: [normal(3, 4), normal(...shape)],
    compute: of,
    reference: spread(place),
  }));
}

/** Reductions of [O, M, I] over the middle, and over all. */
const SHAPE = [3, 5, 7] as const;

function reductionCases(
  name: string,
  compute: (x: tf.Tensor, axis?: number) => tf.Tensor,
  reduce: (values: number[]) => number,
): OpCase[] {
  const [outer, middle, inner] = SHAPE;
  const along = (x: Float64Array) =>
    build(outer * inner, (at) => {
      const start = Math.floor(at / inner) * middle * inner + (at % inner);
      return reduce(Array.from({ length: middle }, (_, m) => x[start + m * inner] as number));
    });
  const all = (x: Float64Array) => [reduce(Array.from(x))];
  const inputs = [normal(...SHAPE)];
  return [
    { name, inputs, compute: ([x]) => compute(x as tf.Tensor, 1), reference: along },
    { name: `${name} of all`, inputs, compute: ([x]) => compute(x as tf.Tensor), reference: all },
  ];
}

const sumOf = (values: number[]): number => values.reduce((a, b) => a + b, 0);

const REDUCTIONS: OpCase[] = [
  ...reductionCases('sum', (x, axis) => tf.sum(x, axis), sumOf),
  ...reductionCases(
    'mean',
    (x, axis) => tf.mean(x, axis),
    (v) => sumOf(v) / v.length,
  ),
  ...reductionCases(
    'max',
    (x, axis) => tf.max(x, axis),
    (v) => Math.max(...v),
  ),
  ...reductionCases(
    'min',
    (x, axis) => tf.min(x, axis),
    (v) => Math.min(...v),
  ),
  {
    name: 'sum, large, over rows',
    inputs: [normal(LARGE_ROWS, LARGE_COLUMNS)],
    compute: ([x]) => tf.sum(x as tf.Tensor, 0),
    reference: (x) =>
      build(LARGE_COLUMNS, (d) => total(LARGE_ROWS, (n) => x[n * LARGE_COLUMNS + d] as number)),
    isLarge: true,
  },
];

/** Place in a [3, 4, 5] of the element that stands at `at` of its transpose [5, 3, 4]. */
const untransposed = (at: number): number => {
  const [i, j, k] = [Math.floor(at / 12), Math.floor(at / 4) % 3, at % 4];
  return j * 20 + k * 5 + i;
};

const MOVEMENTS: OpCase[] = [
  {
    name: 'transpose',
    inputs: [normal(3, 4, 5)],
    compute: ([x]) => tf.transpose(x as tf.Tensor, [2, 0, 1]),
    reference: (x) => build(60, (at) => x[untransposed(at)] as number),
  },
  {
    name: 'transpose, large',
    inputs: [normal(LARGE_ROWS, LARGE_COLUMNS)],
    compute: ([x]) => tf.transpose(x as tf.Tensor),
    reference: (x) =>
      build(x.length, (at) => {
        const [d, n] = [Math.floor(at / LARGE_ROWS), at % LARGE_ROWS];
        return x[n * LARGE_COLUMNS + d] as number;
      }),
    isLarge: true,
  },
  {
    name: 'concat',
    inputs: [normal(2, 3), normal(2, 2)],
    compute: ([a, b]) => tf.concat([a as tf.Tensor, b as tf.Tensor], 1),
    reference: (a, b) =>
      build(10, (at) => {
        const [i, j] = [Math.floor(at / 5), at % 5];
        return (j < 3 ? a[3 * i + j] : b[2 * i + j - 3]) as number;
      }),
  },
  {
    name: 'slice and pad',
    inputs: [normal(4, 6)],
    compute: ([x]) =>
      tf.pad(tf.slice(x as tf.Tensor2D, [1, 2], [2, 3]), [
        [0, 0],
        [1, 0],
      ]),
    reference: (x) =>
      build(8, (at) =>
        at % 4 === 0 ? 0 : (x[6 * (1 + Math.floor(at / 4)) + 1 + (at % 4)] as number),
      ),
  },
  {
    name: 'tile',
    inputs: [normal(2, 3)],
    compute: ([x]) => tf.tile(x as tf.Tensor, [2, 3]),
    reference: (x) => build(36, (at) => x[3 * (Math.floor(at / 9) % 2) + (at % 3)] as number),
  },
];

/** One round of the hash that random numbers are made of, from its definition. */
function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) | 0;
}

/** The mask of the seed, in every backend. */
function keeps(at: number, seed: number, rate: number): boolean {
  return mix(mix(at ^ mix(seed)) + seed) >>> 0 >= Math.floor(rate * 2 ** 32);
}

const DROPOUTS: OpCase[] = [
  {
    name: 'dropout',
    inputs: [normal(LARGE_ROWS, 11)],
    compute: ([x]) => dropout(x as tf.Tensor, 0.3, 5),
    reference: (x) => x.map((value, at) => (keeps(at, 5, 0.3) ? value / 0.7 : 0)),
  },
  {
    name: 'maskedDropout',
    inputs: [normal(2, 2)],
    compute: ([x]) => maskedDropout(x as tf.Tensor, tf.tensor2d([1, 0, 0, 1], [2, 2]), 0.5),
    reference: (x) => x.map((value, at) => (at === 0 || at === 3 ? 2 * value : 0)),
  },
];

/** Uniform numbers of a row from their definition: a key of the row, then a hash of the column. */
function noiseAt(row: number, column: number, seed: number): number {
  const key = (mix(row ^ mix(seed)) + seed) | 0;
  return (mix(mix(column ^ key) + key) >>> 8) * 2 ** -24;
}

const NOISE_OPTIONS = { seed32: 9, distribution: 'uniform' } as const;

const NOISE: OpCase = {
  name: 'noiseRows, uniform, added',
  inputs: [normal(3, 11)],
  compute: ([x]) => {
    const rows = tf.tensor1d([5, 0, 5], 'int32');
    return tf.add(x as tf.Tensor, noiseRows(rows, { ...NOISE_OPTIONS, width: 11 }));
  },
  reference: (x) =>
    x.map((value, at) => value + noiseAt([5, 0, 5][Math.floor(at / 11)]!, at % 11, 9)),
};

/** Sums and joins of more tensors than a shader of webgpu may read at once. */
const MANY: OpCase[] = [2, 8, 25].flatMap((count) => {
  const copies = (x: tf.Tensor) => Array.from({ length: count }, (_, k) => tf.mul(x, k + 1));
  return [
    {
      name: `addN of ${count}`,
      inputs: [normal(4, 3)],
      compute: ([x]) => tf.addN(copies(x as tf.Tensor)),
      reference: (x) => x.map((value) => (value * count * (count + 1)) / 2),
    },
    {
      name: `concat of ${count}`,
      inputs: [normal(4, 3)],
      compute: ([x]) => tf.concat(copies(x as tf.Tensor), 0),
      reference: (x) =>
        build(12 * count, (at) => (x[at % 12] as number) * (Math.floor(at / 12) + 1)),
    },
  ] satisfies OpCase[];
});

/** Operations element by element, reductions and movements. */
export const ELEMENTWISE_OPS: readonly OpCase[] = [
  ...UNARY.flatMap(unaryCases),
  ...BINARY.flatMap(binaryCases),
  ...REDUCTIONS,
  ...MOVEMENTS,
  ...DROPOUTS,
  NOISE,
  ...MANY,
];
