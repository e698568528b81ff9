import { ConfigError } from '@lab/core';
import { tf } from '../tfjs.js';
import { jointGradient } from './joint-gradient.js';
import { assertPairedRows, assertPositive, type BlockOptions } from './paired-rows.js';
import type { PositiveTerm, SymmetricTerm } from './pair-problem.js';
import { symmetricPairs } from './symmetric-pairs.js';

/** Settings of {@link multiSimilarity}. */
export interface MultiSimilarityOptions extends BlockOptions {
  /** Sharpness of the positive term; above 0. */
  alpha: number;
  /** Sharpness of the negative term; above 0. */
  beta: number;
  /** Similarity at which both terms turn. */
  lambda: number;
}

/**
 * Multi-similarity loss of paired rows, averaged over the 2B anchors of both sides.
 *
 * `L = (1/2B) sum_a [ ln(1 + exp(-alpha (s_ap - lambda))) / alpha
 *   + ln(1 + sum_n exp(beta (s_an - lambda))) / beta ]`, where the pair index is the class: anchor
 * a has its counterpart p as the one positive and the 2B - 2 rows of the other pairs, on both
 * sides, as negatives n; s are inner products.
 * Source: sutaoyu/IBMEA, the hybrid loss; equation not verified.
 * Deviation: none in the formula; the log-sum-exps are shifted by their maximum, so large
 * sharpness does not overflow.
 *
 * The 2B x 2B similarities are never held: blocks of the upper triangle are computed, used for both
 * of their sides and dropped (some are cached within a fixed budget). When the engine records, the
 * gradients are computed at once and only scaled in the backward pass.
 *
 * @param left - rows `[B, D]`, L2-normalised by the caller.
 * @param right - counterparts `[B, D]`.
 * @returns scalar, > 0.
 * @throws {ShapeError} when the shapes differ or are empty.
 * @throws {ConfigError} when alpha or beta is not above 0 or lambda is not finite.
 */
export function multiSimilarity(
  left: tf.Tensor2D,
  right: tf.Tensor2D,
  { alpha, beta, lambda, ...blocks }: MultiSimilarityOptions,
): tf.Scalar {
  assertPairedRows(left, right, 'tensor/multiSimilarity');
  const term = multiSimilarityTerm({ alpha, beta, lambda }, 'tensor/multiSimilarity');
  return jointGradient([left, right], (wantGradients) =>
    symmetricPairs({ left, right }, { term, blocks, wantGradients }),
  );
}

/** The loss as a term over pairs; throws as {@link multiSimilarity} does. */
export function multiSimilarityTerm(
  { alpha, beta, lambda }: Pick<MultiSimilarityOptions, 'alpha' | 'beta' | 'lambda'>,
  where: string,
): SymmetricTerm {
  assertPositive(alpha, 'alpha', where);
  assertPositive(beta, 'beta', where);
  if (!Number.isFinite(lambda)) {
    throw new ConfigError(`${where}: lambda is ${lambda}; pass a finite similarity.`);
  }
  const positive = positiveTerm(alpha, lambda);
  const logs = { scale: beta, offset: lambda, floor: 1, logWeight: 1 / beta } as const;
  return { ...logs, includePositive: false, positive, weight: 1 };
}

/** `ln(1 + exp(-alpha (s - lambda))) / alpha`, evaluated without overflow. */
function positiveTerm(alpha: number, lambda: number): PositiveTerm {
  return {
    ofNumber(similarity) {
      const x = -alpha * (similarity - lambda);
      const softplus = Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
      return { value: softplus / alpha, slope: -1 / (1 + Math.exp(-x)) };
    },
    ofTensor(similarities) {
      const x = tf.mul(tf.sub(similarities, lambda), -alpha);
      return { values: tf.div(tf.softplus(x), alpha), slopes: tf.neg(tf.sigmoid(x)) };
    },
  };
}
