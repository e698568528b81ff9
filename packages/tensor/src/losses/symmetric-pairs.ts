import { activeKernels } from '../active-kernels.js';
import { tf } from '../tfjs.js';
import type { JointGradient } from './joint-gradient.js';
import { kernelPairs } from './pair-kernel.js';
import type { PairedRows, PairProblem, SymmetricTerm } from './pair-problem.js';

/** One symmetric term and how it is computed. */
interface SymmetricProblem extends Pick<PairProblem, 'blocks' | 'wantGradients'> {
  term: SymmetricTerm;
}

/** Value and gradients of a loss over all pairs of 2B rows; see {@link SymmetricTerm}. */
export function symmetricPairs(rows: PairedRows, problem: SymmetricProblem): JointGradient {
  const kernels = activeKernels();
  if (kernels === null) return composedSymmetricPairs(rows, problem);
  const { term: symmetric, ...rest } = problem;
  const parts = [rows];
  const found = kernelPairs(kernels, { parts, symmetric, softmax: null, shares: null, ...rest });
  const gradients = found.parts.flatMap(({ left, right }) => [left, right]);
  return { value: tf.scalar(found.symmetric), gradients };
}

interface Composed {
  problem: SymmetricProblem;
  /** Both sides, left above right, [2B, D]. */
  all: tf.Tensor2D;
  /** The positive of every row of `all`, [2B, D]. */
  partners: tf.Tensor2D;
}

function composedSymmetricPairs(
  { left, right }: PairedRows,
  problem: SymmetricProblem,
): JointGradient {
  const { floor, positive, logWeight } = problem.term;
  const all = tf.concat([left, right], 0); // [2B, D]
  const partners = tf.concat([right, left], 0); // [2B, D]
  const composed = { problem, all, partners };
  const sums = joinBlocks(composed, (start, count) =>
    stableLogSums(exponentsOf(composed, start, count), floor),
  ); // [2B, 1]
  const { values, slopes } = positive.ofTensor(tf.sum(tf.mul(all, partners), 1, true)); // [2B, 1]
  const value = tf.add(tf.mean(values), tf.mul(tf.mean(sums), logWeight)) as tf.Scalar;
  if (!problem.wantGradients) return { value, gradients: [] };
  const pull = tf.mul(partners, tf.mul(slopes, 2 / all.shape[0]));
  const push = joinBlocks(composed, (start, count) =>
    pushOf(composed, { start, count, sums: sums as tf.Tensor2D }),
  );
  return { value, gradients: tf.split(tf.add(pull, push), 2, 0) as tf.Tensor2D[] };
}

/** Rows of all blocks, computed one block at a time; by default a block has at most 16 MB. */
function joinBlocks(
  { problem, all }: Composed,
  compute: (start: number, count: number) => tf.Tensor,
): tf.Tensor {
  const total = all.shape[0];
  const fitting = Math.max(1, Math.min(512, Math.floor(2 ** 22 / total)));
  const blockRows = problem.blocks.blockRows ?? fitting;
  const parts: tf.Tensor[] = [];
  for (let start = 0; start < total; start += blockRows) {
    parts.push(tf.tidy(() => compute(start, Math.min(blockRows, total - start))));
  }
  const joined = tf.concat(parts, 0);
  tf.dispose(parts);
  return joined;
}

/** `scale (s - offset)` of a block of anchors with all rows; -Infinity where none counts. */
function exponentsOf({ problem, all }: Composed, start: number, count: number): tf.Tensor2D {
  const total = all.shape[0];
  const mask = new Float32Array(count * total);
  for (let row = 0; row < count; row += 1) {
    const anchor = start + row;
    mask[row * total + anchor] = -Infinity;
    if (!problem.term.includePositive)
      mask[row * total + ((anchor + total / 2) % total)] = -Infinity;
  }
  const products = tf.matMul(tf.slice(all, [start, 0], [count, -1]), all, false, true);
  const exponents = tf.mul(tf.sub(products, problem.term.offset), problem.term.scale);
  return tf.add(exponents, tf.tensor2d(mask, [count, total]));
}

/** `ln(floor + sum_j exp(x_ij))` of each row, [rows, 1]; finite or -Infinity, never NaN. */
function stableLogSums(exponents: tf.Tensor2D, floor: 0 | 1): tf.Tensor {
  const lowest = floor === 1 ? 0 : -3e38;
  const top = tf.maximum(tf.max(exponents, 1, true), lowest);
  const sum = tf.sum(tf.exp(tf.sub(exponents, top)), 1, true);
  return tf.add(top, tf.log(floor === 1 ? tf.add(sum, tf.exp(tf.neg(top))) : sum));
}

/** Gradient of the log-sum-exps by a block of rows, [rows, D]. */
function pushOf(
  composed: Composed,
  { start, count, sums }: { start: number; count: number; sums: tf.Tensor2D },
): tf.Tensor {
  const { problem, all } = composed;
  const { term } = problem;
  const total = all.shape[0];
  const exponents = exponentsOf(composed, start, count);
  const weights = tf.add(
    tf.exp(tf.sub(exponents, tf.slice(sums, [start, 0], [count, 1]))),
    tf.exp(tf.sub(exponents, tf.reshape(sums, [1, total]))),
  );
  return tf.matMul(tf.mul(weights, (term.logWeight * term.scale) / total), all);
}
