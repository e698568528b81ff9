/**
 * The loss of a batch of seed pairs, of the kind that the settings name.
 */
import type { SeedBatch } from '@lab/alignment';
import { ConfigError, type Random } from '@lab/core';
import type { tf } from '@lab/tensor';
import {
  type ContrastiveOptions,
  contrastiveLoss,
  type HardSampleOptions,
  hardSampleLoss,
  intraContrastiveLoss,
  marginLoss,
} from './losses.js';

/** The method's own loss; the kind may be left out. */
export interface InfoNceChoice extends ContrastiveOptions {
  readonly kind?: 'infonce';
}

/** The loss of `intraContrastiveLoss`. */
export interface IclChoice extends Pick<ContrastiveOptions, 'temperature'> {
  readonly kind: 'icl';
}

/** The loss of `hardSampleLoss`. */
export interface HardSampleChoice extends HardSampleOptions {
  readonly kind: 'hard-sample';
}

/** The loss of `marginLoss`. */
export interface MarginChoice {
  readonly kind: 'margin';
  /** g, default 3. */
  readonly margin?: number;
  /** Corrupted entities of each batch, one for each side of each pair: see `drawNegatives`. */
  readonly negatives: readonly SeedBatch[];
}

/** A loss and its settings. */
export type AlignmentLoss = HardSampleChoice | IclChoice | InfoNceChoice | MarginChoice;

/**
 * The loss of one batch: see `contrastiveLoss`, `intraContrastiveLoss`, `hardSampleLoss` and
 * `marginLoss`.
 *
 * @param embeddings - o, `[N, D]`.
 * @param batch - the pairs, and the place of the batch in the epoch.
 * @returns scalar.
 * @throws {ConfigError} when a margin loss has no negatives for the batch.
 * @throws as the loss itself.
 */
export function alignmentLoss(
  embeddings: tf.Tensor2D,
  { pairs, index }: { readonly pairs: SeedBatch; readonly index: number },
  loss: AlignmentLoss = {},
): tf.Scalar {
  if (loss.kind === 'icl') return intraContrastiveLoss(embeddings, pairs, loss);
  if (loss.kind === 'hard-sample') return hardSampleLoss(embeddings, pairs, loss);
  if (loss.kind !== 'margin') return contrastiveLoss(embeddings, pairs, loss);
  const { margin, negatives } = loss;
  const own = negatives[index];
  if (own === undefined) {
    throw new ConfigError(
      `loginmea/alignment-loss: batch ${index + 1} has no negatives; there are ` +
        `${negatives.length}.`,
      { help: 'Draw negatives for every batch of the epoch.' },
    );
  }
  return marginLoss(embeddings, pairs, {
    negatives: own,
    ...(margin === undefined ? {} : { margin }),
  });
}

/**
 * One corrupted entity for each side of each pair, drawn from the entities of that side: never the
 * one that stands there.
 *
 * Source: RREA, random negatives; equation not verified.
 *
 * @param batch - B pairs.
 * @param entities - the entities of each side, without repetition, at least two.
 * @throws {ConfigError} when a side has fewer than two entities.
 */
export function drawNegatives(batch: SeedBatch, entities: SeedBatch, random: Random): SeedBatch {
  const draw = (side: 'left' | 'right') => {
    const pool = entities[side];
    if (pool.length < 2) {
      throw new ConfigError(
        `loginmea/alignment-loss: the ${side} side has ${pool.length} entity.`,
        {
          help: 'Negatives need at least two entities on each side.',
        },
      );
    }
    return batch[side].map((entity) => {
      for (;;) {
        const other = pool[random.integer(pool.length)]!;
        if (other !== entity) return other;
      }
    });
  };
  return { left: draw('left'), right: draw('right') };
}
