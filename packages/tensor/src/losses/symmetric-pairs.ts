import { tf } from '../tfjs.js';
import { activeKernels } from '../ops/heap.js';
import type { JointGradient } from './joint-gradient.js';
import type { BlockOptions } from './paired-rows.js';
import { kernelSymmetricPairs } from './symmetric-pairs-kernel.js';

/**
 * A loss over all 2B rows z of both sides, each of which is an anchor a with one positive p:
 * `L = (1/2B) sum_a [ positive(s_ap) + weight * ln(floor + sum_n exp(scale (s_an - offset))) ]`,
 * s = inner products, n over all rows but a, and but p unless `includePositive`.
 */
export interface SymmetricPairs {
  left: tf.Tensor2D;
  right: tf.Tensor2D;
  scale: number;
  offset: number;
  /** Constant under the logarithm: 1 for multi-similarity, 0 for a plain log-sum-exp. */
  floor: 0 | 1;
  weight: number;
  includePositive: boolean;
  /** Value and derivative of the positive term at a similarity. */
  positive(similarity: number): { value: number; slope: number };
  blocks: BlockOptions;
  wantGradients: boolean;
}

/** Rows of a block of the composed form, by default. */
const composedRows = 512;

/** Value and gradients of a symmetric pair loss. */
export function symmetricPairs(problem: SymmetricPairs): JointGradient {
  const kernels = activeKernels();
  return kernels ? kernelSymmetricPairs(kernels, problem) : composedSymmetricPairs(problem);
}

interface Block {
  rows: tf.Tensor2D;
  /** `scale (s - offset)` of the block's rows against all rows, masked entries -Infinity. */
  exponents: tf.Tensor2D;
  /** Positive similarities of the block's rows. */
  positives: Float32Array;
  start: number;
}

function rowsOfBlock({ blocks }: SymmetricPairs): number {
  return blocks.blockRows ?? composedRows;
}

function blockOf(problem: SymmetricPairs, all: tf.Tensor2D, start: number): Block {
  const { scale, offset, includePositive } = problem;
  const total = all.shape[0];
  const half = total / 2;
  const count = Math.min(rowsOfBlock(problem), total - start);
  const rows = tf.slice(all, [start, 0], [count, -1]);
  const mask = new Float32Array(count * total);
  const partners = new Int32Array(count);
  for (let row = 0; row < count; row += 1) {
    const anchor = start + row;
    partners[row] = (anchor + half) % total;
    mask[row * total + anchor] = -Infinity;
    if (!includePositive) mask[row * total + ((anchor + half) % total)] = -Infinity;
  }
  const products = tf.matMul(rows, all, false, true);
  const exponents = tf.add(
    tf.mul(tf.sub(products, offset), scale),
    tf.tensor2d(mask, [count, total]),
  ) as tf.Tensor2D;
  const others = tf.gather(all, tf.tensor1d(partners, 'int32'));
  const positives = tf.sum(tf.mul(rows, others), 1).dataSync() as Float32Array;
  return { rows, exponents, positives, start };
}

function composedSymmetricPairs(problem: SymmetricPairs): JointGradient {
  const all = tf.concat([problem.left, problem.right], 0);
  const total = all.shape[0];
  const logSums: tf.Tensor[] = [];
  const positives = new Float32Array(total);
  for (let start = 0; start < total; start += rowsOfBlock(problem)) {
    const sums = tf.tidy(() => {
      const block = blockOf(problem, all, start);
      positives.set(block.positives, start);
      return stableLogSums(block.exponents, problem.floor);
    });
    logSums.push(sums);
  }
  const sums = tf.concat(logSums, 0) as tf.Tensor2D; // [2B, 1]
  const terms = Array.from(positives, (similarity) => problem.positive(similarity));
  const positiveMean = terms.reduce((sum, term) => sum + term.value, 0) / total;
  const value = tf.add(tf.mul(tf.mean(sums), problem.weight), positiveMean) as tf.Scalar;
  if (!problem.wantGradients) return { value, gradients: [] };
  const slopes = terms.map((term) => term.slope);
  return { value, gradients: composedGradients(problem, { all, sums, slopes }) };
}

/** `ln(floor + sum_j exp(x_ij))` of each row, [rows, 1]; finite or -Infinity, never NaN. */
function stableLogSums(exponents: tf.Tensor2D, floor: 0 | 1): tf.Tensor {
  const lowest = floor === 1 ? 0 : -3e38;
  const top = tf.maximum(tf.max(exponents, 1, true), lowest);
  const sum = tf.sum(tf.exp(tf.sub(exponents, top)), 1, true);
  return tf.add(top, tf.log(floor === 1 ? tf.add(sum, tf.exp(tf.neg(top))) : sum));
}

interface Sums {
  all: tf.Tensor2D;
  sums: tf.Tensor2D;
  slopes: readonly number[];
}

function composedGradients(problem: SymmetricPairs, { all, sums, slopes }: Sums): tf.Tensor2D[] {
  const total = all.shape[0];
  const half = total / 2;
  const factor = (problem.weight * problem.scale) / total;
  const parts: tf.Tensor2D[] = [];
  for (let start = 0; start < total; start += rowsOfBlock(problem)) {
    const part = tf.tidy(() => {
      const { rows, exponents } = blockOf(problem, all, start);
      const own = tf.slice(sums, [start, 0], [rows.shape[0], 1]);
      const weights = tf.add(
        tf.exp(tf.sub(exponents, own)),
        tf.exp(tf.sub(exponents, tf.reshape(sums, [1, total]))),
      );
      const negative = tf.matMul(tf.mul(weights, factor) as tf.Tensor2D, all);
      const local = Array.from({ length: rows.shape[0] }, (_, row) => start + row);
      const partners = local.map((anchor) => (anchor + half) % total);
      const pull = local.map(
        (a, i) => ((slopes[a] ?? 0) + (slopes[partners[i] ?? 0] ?? 0)) / total,
      );
      const towards = tf.gather(all, tf.tensor1d(partners, 'int32'));
      return tf.add(negative, tf.mul(towards, tf.expandDims(tf.tensor1d(pull), 1))) as tf.Tensor2D;
    });
    parts.push(part);
  }
  const gradient = tf.concat(parts, 0);
  return tf.split(gradient, 2, 0) as tf.Tensor2D[];
}
