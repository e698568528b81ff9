import type { tf } from '../tfjs.js';
import type { BlockOptions } from './paired-rows.js';

/** Checked targets of InfoNCE: `perRow` weighted columns for every row, and the sums of weights. */
export interface Labels {
  columns: Int32Array;
  weights: Float32Array;
  perRow: number;
  rowSums: Float32Array;
  columnSums: Float32Array;
}

/** Rows `[B, D]` of both sides, pair by pair. */
export interface PairedRows {
  left: tf.Tensor2D;
  right: tf.Tensor2D;
}

/** A soft-max over the similarities of every part, in one direction or both: InfoNCE. */
export interface SoftmaxTerm {
  temperature: number;
  bothDirections: boolean;
  labels: Labels;
  /** Factor of the gradients. */
  weight: number;
}

/** The term of a positive pair as a function of its similarity, with its derivative. */
export interface PositiveTerm {
  ofNumber(similarity: number): { value: number; slope: number };
  ofTensor(similarities: tf.Tensor): { values: tf.Tensor; slopes: tf.Tensor };
}

/**
 * A loss over all 2B rows z of both sides, each of which is an anchor a with one positive p:
 * `L = (1/2B) sum_a [ positive(s_ap) + logWeight * ln(floor + sum_n exp(scale (s_an - offset))) ]`,
 * s = inner products, n over all rows but a, and but p unless `includePositive`.
 */
export interface SymmetricTerm {
  scale: number;
  offset: number;
  /** Constant under the logarithm: 1 for multi-similarity, 0 for a plain log-sum-exp. */
  floor: 0 | 1;
  logWeight: number;
  includePositive: boolean;
  positive: PositiveTerm;
  /** Factor of the gradients. */
  weight: number;
}

/** Terms over all pairs of left and right rows that share their similarities. */
export interface PairProblem {
  /** One kind of rows each; the same number of pairs in all. */
  parts: readonly PairedRows[];
  /** Over the similarities of every part; null leaves it out. */
  softmax: SoftmaxTerm | null;
  /** Over the similarities of the joined rows; null leaves it out. */
  symmetric: SymmetricTerm | null;
  /** `[B, parts]`: row b of the joined rows is `[share_b1 part_b1 | share_b2 part_b2 ...]`. */
  shares: PairedRows | null;
  blocks: BlockOptions;
  wantGradients: boolean;
}

/** Values before the weights, and weighted gradients where they are wanted. */
export interface PairResult {
  /** InfoNCE of every part; empty without it. */
  softmax: number[];
  symmetric: number;
  parts: PairedRows[];
  shares: PairedRows | null;
}
