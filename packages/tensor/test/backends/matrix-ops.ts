/**
 * Products of matrices, and normalisations of their rows, with their twins.
 */
import { hostMatMul, l2NormalizeRows, layerNorm, linear, recompute, tf } from '../../src/index.js';
import { normal, type OpCase, positive } from './op-case.js';
import { build, mapRows, product, total } from './plain.js';

type Size = readonly [m: number, k: number, n: number];

/** Around the tiles of our product, and one that several threads share. */
const SIZES: readonly (readonly [Size, isLarge: boolean])[] = [
  [[1, 1, 1], false],
  [[5, 7, 3], false],
  [[4, 50, 9], false],
  [[10, 333, 301], true],
  [[129, 67, 70], true],
];

const TRANSPOSES = [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
] as const;

function productCase(size: Size, transposes: readonly [boolean, boolean], isLarge: boolean) {
  const [m, k, n] = size;
  const [transposeA, transposeB] = transposes;
  const op: OpCase = {
    name: `matMul ${size.join(' x ')}${transposeA ? ', A^T' : ''}${transposeB ? ', B^T' : ''}`,
    inputs: [
      transposeA ? normal(k, m) : normal(m, k), //
      transposeB ? normal(n, k) : normal(k, n),
    ],
    compute: ([a, b]) => tf.matMul(a as tf.Tensor, b as tf.Tensor, transposeA, transposeB),
    reference: (a, b) => product(a, b, { size, transposeA, transposeB }),
    isLarge,
  };
  return op;
}

const PRODUCTS: OpCase[] = SIZES.flatMap(([size, isLarge]) =>
  TRANSPOSES.map((transposes) => productCase(size, transposes, isLarge)),
);

const BATCHES: OpCase[] = [
  ...TRANSPOSES.map(([transposeA, transposeB]): OpCase => {
    const [batch, m, k, n] = [3, 4, 5, 6];
    return {
      name: `batch of products${transposeA ? ', A^T' : ''}${transposeB ? ', B^T' : ''}`,
      inputs: [
        transposeA ? normal(batch, k, m) : normal(batch, m, k),
        transposeB ? normal(batch, n, k) : normal(batch, k, n),
      ],
      compute: ([a, b]) => tf.matMul(a as tf.Tensor, b as tf.Tensor, transposeA, transposeB),
      reference: (a, b) => product(a, b, { batch, size: [m, k, n], transposeA, transposeB }),
    };
  }),
  {
    name: 'attention scores and values, 4 heads',
    inputs: [normal(4, 6, 8), normal(4, 6, 8)],
    compute: ([q, v]) => {
      const scores = tf.matMul(q as tf.Tensor, v as tf.Tensor, false, true);
      return tf.matMul(scores, v as tf.Tensor);
    },
    reference: (q, v) => {
      const scores = product(q, v, { batch: 4, size: [6, 8, 6], transposeB: true });
      return product(scores, v, { batch: 4, size: [6, 6, 8] });
    },
  },
];

/** The stock kernel of wasm adds the bias once per 48 inner places on transposed inputs. */
const FUSED: OpCase[] = TRANSPOSES.map(([transposeA, transposeB]): OpCase => {
  const [m, k, n] = [3, 100, 5];
  return {
    name: `fused.matMul with bias${transposeA ? ', A^T' : ''}${transposeB ? ', B^T' : ''}`,
    inputs: [
      transposeA ? normal(k, m) : normal(m, k),
      transposeB ? normal(n, k) : normal(k, n),
      normal(n),
    ],
    compute: ([a, b, bias]) =>
      tf.fused.matMul({
        ...{ a: a as tf.Tensor, b: b as tf.Tensor, bias: bias as tf.Tensor },
        ...{ transposeA, transposeB, activation: 'relu' },
      }),
    reference: (a, b, bias) =>
      product(a, b, { size: [m, k, n], transposeA, transposeB }).map((value, at) =>
        Math.max(value + (bias[at % n] as number), 0),
      ),
  };
});

const FUSED_BATCH: OpCase = {
  name: 'fused.matMul of a batch with bias',
  inputs: [normal(2, 3, 100), normal(2, 100, 5), normal(5)],
  compute: ([a, b, bias]) =>
    tf.fused.matMul({ a: a as tf.Tensor, b: b as tf.Tensor, bias: bias as tf.Tensor }),
  reference: (a, b, bias) =>
    product(a, b, { batch: 2, size: [3, 100, 5] }).map((v, at) => v + (bias[at % 5] as number)),
};

const [ROWS, WIDTH] = [6, 7];
const HOST = build(ROWS * WIDTH, (at) => Math.fround(Math.sin(at)));

const LAYERS: OpCase[] = [
  {
    name: 'linear',
    inputs: [normal(3, 4), normal(4, 2), normal(2)],
    compute: ([x, w, b]) => linear(x as tf.Tensor2D, w as tf.Tensor, b),
    reference: (x, w, b) =>
      product(x, w, { size: [3, 4, 2] }).map((value, at) => value + (b[at % 2] as number)),
  },
  {
    name: 'hostMatMul',
    inputs: [normal(WIDTH, 3)],
    compute: ([w]) => {
      const values = Float32Array.from(HOST);
      return hostMatMul({ rowCount: ROWS, columnCount: WIDTH, values }, w as tf.Tensor2D);
    },
    reference: (w) => product(HOST, w, { size: [ROWS, WIDTH, 3] }),
  },
  {
    name: 'recompute',
    inputs: [normal(3, 4), normal(4, 2)],
    compute: (xs) => recompute(xs, (x, w) => tf.tanh(tf.matMul(x as tf.Tensor, w as tf.Tensor))),
    reference: (x, w) => product(x, w, { size: [3, 4, 2] }).map(Math.tanh),
  },
];

/** Rows brought to mean 0 and variance 1. */
export function layerNormOf(row: Float64Array, epsilon: number): Float64Array {
  const mean = total(row.length, (d) => row[d] as number) / row.length;
  const variance = total(row.length, (d) => ((row[d] as number) - mean) ** 2) / row.length;
  return row.map((value) => (value - mean) / Math.sqrt(variance + epsilon));
}

function layerNormCase(rows: number, width: number, isLarge = false): OpCase {
  return {
    name: `layerNorm, ${rows} x ${width}`,
    inputs: [normal(rows, width), normal(width), normal(width)],
    compute: ([x, gain, bias]) =>
      layerNorm(x as tf.Tensor2D, gain as tf.Tensor1D, bias as tf.Tensor1D, 1e-3),
    reference: (x, gain, bias) =>
      mapRows(x, width, (row) =>
        layerNormOf(row, 1e-3).map((v, d) => v * (gain[d] as number) + (bias[d] as number)),
      ),
    isLarge,
  };
}

function normalizeCase(rows: number, width: number, isLarge = false): OpCase {
  return {
    name: `l2NormalizeRows, ${rows} x ${width}`,
    inputs: [positive(rows, width)],
    compute: ([x]) => l2NormalizeRows(x as tf.Tensor2D),
    reference: (x) =>
      mapRows(x, width, (row) => {
        const length = Math.hypot(...row);
        return row.map((value) => value / length);
      }),
    isLarge,
  };
}

/** Products and normalisations. */
export const MATRIX_OPS: readonly OpCase[] = [
  ...[...PRODUCTS, ...BATCHES, ...FUSED, FUSED_BATCH, ...LAYERS],
  ...[layerNormCase(3, 7), layerNormCase(2, 1), layerNormCase(701, 97, true)],
  ...[normalizeCase(3, 5), normalizeCase(701, 97, true)],
];
