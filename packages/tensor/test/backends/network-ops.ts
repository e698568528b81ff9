/**
 * Operations of language models and of the bottleneck, with their twins.
 */
import {
  appendKeyValues,
  cachedAttention,
  createHalfMatrix,
  createKeyValueCache,
  gaussianKl,
  gelu,
  halfMatMul,
  logSoftmax,
  rmsNorm,
  rotaryEmbedding,
  scaledDotProductAttention,
  silu,
  softmax,
  tf,
} from '../../src/index.js';
import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
} from '../../src/io/half.js';
import { unaryCases, type UnaryLine } from './elementwise-ops.js';
import { normal, type OpCase, positive } from './op-case.js';
import { build, erf, logSumExp, mapRows, product, softmaxRow, total } from './plain.js';

const tanhGelu = (x: number): number =>
  (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

const ACTIVATIONS: readonly UnaryLine[] = [
  ['gelu', (x) => gelu(x), (x) => (x / 2) * (1 + erf(x / Math.SQRT2))],
  ['gelu by tanh', (x) => gelu(x, { approximate: 'tanh' }), tanhGelu],
  ['silu', (x) => silu(x), (x) => x / (1 + Math.exp(-x))],
];

/** Operations on rows, on a small matrix and on a large one. */
function rowCases(
  name: string,
  compute: (x: tf.Tensor) => tf.Tensor,
  twin: (row: Float64Array) => Float64Array,
): OpCase[] {
  return [[3, 7] as const, [401, 203] as const].map(([rows, width]) => ({
    name: `${name}, ${rows} x ${width}`,
    inputs: [normal(rows, width)],
    compute: ([x]) => compute(x as tf.Tensor),
    reference: (x) => mapRows(x, width, twin),
    isLarge: rows > 100,
  }));
}

const logSoftmaxRow = (row: Float64Array): Float64Array => {
  const log = logSumExp(row);
  return row.map((value) => value - log);
};

function rmsNormCase(rows: number, width: number): OpCase {
  return {
    name: `rmsNorm, ${rows} x ${width}`,
    inputs: [normal(rows, width), normal(width)],
    compute: ([x, gain]) => rmsNorm(x as tf.Tensor, gain as tf.Tensor1D, 1e-3),
    reference: (x, gain) =>
      mapRows(x, width, (row) => {
        const root = Math.sqrt(total(width, (d) => (row[d] as number) ** 2) / width + 1e-3);
        return row.map((value, d) => ((gain[d] as number) * value) / root);
      }),
    isLarge: rows > 100,
  };
}

/** The k largest of each row, in their order. */
const topOf = (k: number) => (row: Float64Array) => row.toSorted((a, b) => b - a).slice(0, k);

const [HEADS, TOKENS, WIDTH] = [2, 5, 6];

function rotaryCase(interleaved: boolean): OpCase {
  return {
    name: `rotaryEmbedding${interleaved ? ', interleaved' : ''}`,
    inputs: [normal(HEADS, TOKENS, WIDTH)],
    compute: ([x]) => rotaryEmbedding(x as tf.Tensor, { offset: 2, interleaved }),
    reference: (x) =>
      mapRows(x, WIDTH, (row, index) =>
        build(WIDTH, (d) => {
          const half = WIDTH / 2;
          const pair = interleaved ? Math.floor(d / 2) : d % half;
          const [a, b] = interleaved ? [2 * pair, 2 * pair + 1] : [pair, pair + half];
          const angle = (2 + (index % TOKENS)) * 10_000 ** (-pair / half);
          const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
          const [first, second] = [row[a] as number, row[b] as number];
          return d === a ? first * cosine - second * sine : second * cosine + first * sine;
        }),
      ),
  };
}

function attentionOf(
  sides: readonly [q: Float64Array, k: Float64Array, v: Float64Array],
  sizes: { readonly tokens: number; readonly width: number; readonly causal: boolean },
): Float64Array {
  const { tokens, width, causal } = sizes;
  const [q, k, v] = sides;
  return mapRows(q, width, (row, index) => {
    const [head, i] = [Math.floor(index / tokens), index % tokens];
    const seen = causal ? i + 1 : tokens;
    const from = (j: number, d: number) => (head * tokens + j) * width + d;
    const scores = build(seen, (j) => {
      const dot = total(width, (d) => (row[d] as number) * (k[from(j, d)] as number));
      return dot / Math.sqrt(width);
    });
    const shares = softmaxRow(scores);
    return build(width, (d) =>
      total(seen, (j) => (shares[j] as number) * (v[from(j, d)] as number)),
    );
  });
}

function attentionCase(tokens: number, causal: boolean): OpCase {
  const side = normal(HEADS, tokens, WIDTH);
  return {
    name: `scaledDotProductAttention, ${tokens} tokens${causal ? ', causal' : ''}`,
    inputs: [side, side, side],
    compute: ([q, k, v]) =>
      scaledDotProductAttention(q as tf.Tensor, k as tf.Tensor, v as tf.Tensor, { causal }),
    reference: (...sides) =>
      attentionOf(sides as [Float64Array, Float64Array, Float64Array], {
        ...{ tokens, width: WIDTH, causal },
      }),
    isLarge: tokens > 100,
  };
}

/** Heads `[H, T, F]` one step after the other through a cache. */
function steppedAttention(sides: readonly tf.Tensor[], steps: readonly number[]): tf.Tensor {
  const [heads, , width] = sides[0]!.shape as [number, number, number];
  const cache = createKeyValueCache({ headCount: heads, width, capacity: 1 });
  try {
    return tf.tidy(() => {
      let start = 0;
      const parts = steps.map((count) => {
        const [q, k, v] = sides.map((x) =>
          tf.expandDims(tf.slice(x, [0, start, 0], [heads, count, width]), 0),
        ) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
        start += count;
        appendKeyValues(k, v, [{ cache }]);
        return cachedAttention(q, [{ cache }]);
      });
      return tf.squeeze(tf.concat(parts, 2), [0]);
    });
  } finally {
    cache.dispose();
  }
}

function cachedCase(steps: readonly number[]): OpCase {
  const tokens = steps.reduce((sum, count) => sum + count, 0);
  const side = normal(HEADS, tokens, WIDTH);
  return {
    name: `cachedAttention, ${steps.join(' + ')} tokens`,
    inputs: [side, side, side],
    compute: (sides) => steppedAttention(sides, steps),
    reference: (...sides) =>
      attentionOf(sides as [Float64Array, Float64Array, Float64Array], {
        ...{ tokens, width: WIDTH, causal: true },
      }),
    isFlat: true,
    isLarge: tokens > 100,
  };
}

const CODES = {
  float16: { to: float32ToFloat16, from: float16ToFloat32 },
  bfloat16: { to: float32ToBfloat16, from: bfloat16ToFloat32 },
} as const;

/** Rows times the transpose of a matrix `[n, k]` of 16 bits. */
function halfCase(dtype: keyof typeof CODES, size: readonly [m: number, k: number, n: number]) {
  const [m, k, n] = size;
  const values = Float32Array.from(build(n * k, Math.sin));
  const patterns = CODES[dtype].to(values);
  const op: OpCase = {
    name: `halfMatMul, ${dtype}, ${size.join(' x ')}`,
    inputs: [normal(m, k)],
    half: () => createHalfMatrix(patterns, { rows: n, columns: k, dtype }),
    compute: ([x], { half }) => halfMatMul(x as tf.Tensor2D, half!),
    reference: (x) => product(x, CODES[dtype].from(patterns), { size, transposeB: true }),
    isLarge: n > 100,
  };
  return op;
}

/** Rows that are multiplied as they lie, by groups; and more, in strips. */
const HALF_PRODUCTS: readonly OpCase[] = [
  halfCase('float16', [3, WIDTH, 7]),
  halfCase('bfloat16', [1, 35, 9]),
  halfCase('bfloat16', [11, 35, 9]),
  halfCase('float16', [1, 333, 401]),
  halfCase('bfloat16', [7, 333, 401]),
  halfCase('bfloat16', [17, 333, 201]),
];

const KL: OpCase = {
  name: 'gaussianKl',
  inputs: [normal(5, 4), positive(5, 4)],
  compute: ([mean, spread]) =>
    gaussianKl(mean as tf.Tensor2D, spread as tf.Tensor2D, { prior: 0.7 }),
  reference: (mean, spread) => [
    total(20, (at) => {
      const [m, s] = [mean[at] as number, spread[at] as number];
      return Math.log(0.7 / s) + (s * s + m * m) / (2 * 0.49) - 0.5;
    }) / 5,
  ],
};

/** Activations, softmax and norms of rows, top-k, rotary embedding, attention, 16-bit weights. */
export const NETWORK_OPS: readonly OpCase[] = [
  ...ACTIVATIONS.flatMap(unaryCases),
  ...rowCases('softmax', (x) => softmax(x), softmaxRow),
  ...rowCases('logSoftmax', (x) => logSoftmax(x), logSoftmaxRow),
  ...rowCases('topk, 3', (x) => tf.topk(x, 3).values, topOf(3)),
  ...[rmsNormCase(3, 7), rmsNormCase(401, 203)],
  ...[rotaryCase(false), rotaryCase(true)],
  ...[attentionCase(TOKENS, false), attentionCase(TOKENS, true), attentionCase(131, true)],
  ...[cachedCase([TOKENS]), cachedCase([3, 1, 1]), cachedCase([261, 7, 1, 2, 1])],
  ...[...HALF_PRODUCTS, KL],
];
