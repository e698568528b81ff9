import { tf } from '../tfjs.js';
import { jointGradient } from './joint-gradient.js';
import { assertPairedRows, assertPositive, type BlockOptions } from './paired-rows.js';
import { symmetricPairs } from './symmetric-pairs.js';
import type { PositiveTerm } from './pair-problem.js';

/** Settings of {@link iclLoss}. */
export interface IclOptions extends BlockOptions {
  /** Divides the similarities; above 0. */
  temperature: number;
}

/**
 * Intra-modal contrastive loss of paired rows: both directions, negatives from both sides.
 *
 * `L = -(1/2B) sum_a log( exp(s_ap / t) / sum_{n != a} exp(s_an / t) )` over the 2B rows a of both
 * sides, p the counterpart of a, n over all other rows of both sides, p among them; s are inner
 * products. This is the average of the two directions, each with its own side as extra negatives.
 * Source: MCLEA, intra-modal contrastive loss with equal weights of the directions; equation not
 * verified.
 *
 * Computed in blocks of the upper triangle like {@link multiSimilarity}; never holds B x B.
 *
 * @param left - rows `[B, D]`, L2-normalised by the caller.
 * @param right - counterparts `[B, D]`.
 * @returns scalar, nats, >= 0; 0 when B = 1.
 * @throws {ShapeError} when the shapes differ or are empty.
 * @throws {ConfigError} when the temperature is not above 0.
 */
export function iclLoss(
  left: tf.Tensor2D,
  right: tf.Tensor2D,
  { temperature, ...blocks }: IclOptions,
): tf.Scalar {
  assertPairedRows(left, right, 'tensor/iclLoss');
  assertPositive(temperature, 'temperature', 'tensor/iclLoss');
  const scale = 1 / temperature;
  const positive: PositiveTerm = {
    ofNumber: (similarity) => ({ value: -similarity * scale, slope: -scale }),
    ofTensor: (similarities) => ({
      values: tf.mul(similarities, -scale),
      slopes: tf.fill(similarities.shape, -scale),
    }),
  };
  const logs = { scale, offset: 0, floor: 0, logWeight: 1 } as const;
  const term = { ...logs, includePositive: true, positive, weight: 1 };
  return jointGradient([left, right], (wantGradients) =>
    symmetricPairs({ left, right }, { term, blocks, wantGradients }),
  );
}
