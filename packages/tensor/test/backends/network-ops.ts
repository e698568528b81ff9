/**
 * Operations of language models and of the bottleneck, with their twins.
 */
import {
  createHalfMatrix,
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
import { float16ToFloat32, float32ToFloat16 } from '../../src/io/half.js';
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

/** Patterns of a 16-bit matrix, and the numbers they stand for. */
const HALF_ROWS = 7;
const HALF = float32ToFloat16(Float32Array.from(build(HALF_ROWS * WIDTH, Math.sin)));

const HALF_PRODUCT: OpCase = {
  name: 'halfMatMul, float16',
  inputs: [normal(3, WIDTH)],
  half: () => createHalfMatrix(HALF, { rows: HALF_ROWS, columns: WIDTH, dtype: 'float16' }),
  compute: ([x], { half }) => halfMatMul(x as tf.Tensor2D, half!),
  reference: (x) =>
    product(x, float16ToFloat32(HALF), { size: [3, WIDTH, HALF_ROWS], transposeB: true }),
};

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
  ...[HALF_PRODUCT, KL],
];
