import { scaledDotProductAttention } from '../ops/attention.js';
import { rotaryEmbedding } from '../ops/rotary.js';
import { tf } from '../tfjs.js';
import {
  asDetails,
  type BenchOperation,
  gradientsOnNormal,
  onNormal,
  type Work,
} from './operation.js';

/** Shapes of a product's two inputs, and which of them are transposed. */
interface ProductShapes {
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

function product(name: string, shapes: ProductShapes, work: Work): BenchOperation {
  const { a, b, transposeA = false, transposeB = false } = shapes;
  const run = (x: tf.Tensor, y: tf.Tensor) => tf.matMul(x, y, transposeA, transposeB);
  return { name, work, prepare: onNormal([a, b], run) };
}

const square = { a: [2048, 2048], b: [2048, 2048] };
const batch = { a: [8, 1024, 1024], b: [8, 1024, 1024] };
/** The same for the square product and for the batch of eight, so that their times compare. */
const cube = { flop: 2 * 2048 ** 3 };

const headsShape = [12, 256, 64];
/** Scores that causal attention of 12 heads over 256 tokens needs. */
const SCORES = (12 * 256 * 257) / 2;

const attention = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor): tf.Tensor =>
  scaledDotProductAttention(q, k, v, { causal: true });

const details: readonly BenchOperation[] = [
  {
    name: 'attention-12x256x64-gradients',
    work: { flop: 14 * 64 * SCORES },
    prepare: gradientsOnNormal([headsShape, headsShape, headsShape], headsShape, attention),
  },
  {
    name: 'rotary-12x256x64',
    work: { bytes: 2 * 4 * 12 * 256 * 64 },
    prepare: onNormal([headsShape], (x) => rotaryEmbedding(x)),
  },
  product('matmul-2048-transpose-both', { ...square, transposeA: true, transposeB: true }, cube),
  product('matmul-8x1024', batch, cube),
  product('matmul-8x1024-transpose-a', { ...batch, transposeA: true }, cube),
  product('matmul-8x1024-transpose-b', { ...batch, transposeB: true }, cube),
  product(
    'matmul-30000x300x300',
    { a: [30_000, 300], b: [300, 300] },
    { flop: 2 * 30_000 * 300 ** 2 },
  ),
  product(
    'matmul-30000x300x2',
    { a: [30_000, 300], b: [300, 2] },
    { flop: 2 * 30_000 * 300 * 2, bytes: 4 * 30_000 * 302 },
  ),
  product(
    'matmul-300x30000x2',
    { a: [30_000, 300], b: [30_000, 2], transposeA: true },
    { flop: 2 * 30_000 * 300 * 2, bytes: 4 * 30_000 * 302 },
  ),
];

/** Products with every transpose and batch, their gradients, and attention. */
export const denseOperations: readonly BenchOperation[] = [
  product('matmul-2048', square, cube),
  product('matmul-2048-transpose-a', { ...square, transposeA: true }, cube),
  product('matmul-2048-transpose-b', { ...square, transposeB: true }, cube),
  {
    name: 'matmul-256x768x768-gradients',
    work: { flop: 3 * 2 * 256 * 768 * 768 },
    prepare: gradientsOnNormal(
      [
        [256, 768],
        [768, 768],
      ],
      [256, 768],
      (x, w) => tf.matMul(x, w),
    ),
  },
  {
    name: 'attention-12x256x64',
    work: { flop: 4 * 64 * SCORES },
    prepare: onNormal([headsShape, headsShape, headsShape], attention),
  },
  ...asDetails(details),
];
