import type { tf } from '../tfjs.js';
import type { BlockOptions } from './paired-rows.js';

/** The term of a positive pair as a function of its similarity, with its derivative. */
export interface PositiveTerm {
  ofNumber(similarity: number): { value: number; slope: number };
  ofTensor(similarities: tf.Tensor): { values: tf.Tensor; slopes: tf.Tensor };
}

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
  positive: PositiveTerm;
  blocks: BlockOptions;
  wantGradients: boolean;
}
