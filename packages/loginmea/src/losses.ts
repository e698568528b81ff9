/**
 * Losses on the final embeddings: the contrastive one of the method, and three of related methods
 * to compare with.
 */
import type { SeedBatch } from '@lab/alignment';
import { ConfigError, ShapeError } from '@lab/core';
import {
  assertShape,
  gatherRows,
  iclLoss,
  infoNce,
  l2NormalizeRows,
  recompute,
  tf,
} from '@lab/tensor';

/** Settings of {@link contrastiveLoss}. */
export interface ContrastiveOptions {
  /** Divides the cosines; above 0, default 0.1. */
  readonly temperature?: number;
  /** Each left row looks for its right row, or the mean of both; default `left-to-right`. */
  readonly direction?: 'left-to-right' | 'both';
}

/**
 * InfoNCE of a batch of seed pairs with the other counterparts of the batch as negatives.
 *
 * `L = -(1/B) sum_b ln( exp(cos(o_b, o'_b) / t) / sum_c exp(cos(o_b, o'_c) / t) )`; direction
 * `both` is the mean of this and of the same with the sides exchanged. An entity in two pairs of a
 * batch stays a negative of itself.
 * Source: sutaoyu/LoginMEA, `src/loss.py`, `InfoNCE_loss`; equation not verified.
 * Deviation: direction `both` is an addition.
 *
 * @param embeddings - o, rows of all entities, `[N, D]`.
 * @param batch - B >= 2 pairs.
 * @returns scalar, nats, >= 0.
 * @throws {ShapeError} for fewer than two pairs, for sides of unequal length or no matrix.
 * @throws {ConfigError} when the temperature is not above 0.
 * @throws {DataError} for an entity outside 0..N-1 (on cpu and wasm).
 */
export function contrastiveLoss(
  embeddings: tf.Tensor2D,
  batch: SeedBatch,
  { temperature = 0.1, direction = 'left-to-right' }: ContrastiveOptions = {},
): tf.Scalar {
  return tf.tidy(() => {
    const { left, right } = unitPairs(embeddings, batch, 'loginmea/contrastiveLoss');
    return infoNce(left, right, { temperature, direction });
  });
}

/**
 * Intra-modal contrastive loss: as {@link contrastiveLoss} in both directions, with the other rows
 * of the own side as further negatives.
 *
 * Source: MCLEA, by `iclLoss` of `@lab/tensor`; equation not verified.
 *
 * @param embeddings - o, `[N, D]`.
 * @param batch - B >= 2 pairs.
 * @returns scalar, nats, >= 0.
 * @throws as {@link contrastiveLoss}.
 */
export function intraContrastiveLoss(
  embeddings: tf.Tensor2D,
  batch: SeedBatch,
  { temperature = 0.1 }: Pick<ContrastiveOptions, 'temperature'> = {},
): tf.Scalar {
  return tf.tidy(() => {
    const { left, right } = unitPairs(embeddings, batch, 'loginmea/intraContrastiveLoss');
    return iclLoss(left, right, { temperature });
  });
}

/**
 * Margin loss with one corrupted entity for each side of a pair.
 *
 * `L = (1/B) sum_b max(0, g + |l - r|_1 - |l - r-|_1) + max(0, g + |l - r|_1 - |l- - r|_1)`
 * Source: RREA, margin loss; equation not verified.
 *
 * @param embeddings - o, `[N, D]`.
 * @param batch - the pairs (l, r).
 * @param options - `negatives`: l- and r-, as many as pairs; `margin`: g, default 3.
 * @returns scalar, >= 0.
 * @throws {ShapeError} without pairs, for unequal lengths or no matrix.
 * @throws {DataError} for an entity outside 0..N-1 (on cpu and wasm).
 */
export function marginLoss(
  embeddings: tf.Tensor2D,
  batch: SeedBatch,
  { negatives, margin = 3 }: { readonly negatives: SeedBatch; readonly margin?: number },
): tf.Scalar {
  const where = 'loginmea/marginLoss';
  const count = pairCount(embeddings, batch, where);
  const negativeCount = pairCount(embeddings, negatives, where);
  if (negativeCount !== count) {
    throw new ShapeError(`${where}: ${negativeCount} negatives for ${count} pairs.`, {
      expected: `${count}`,
      got: `${negativeCount}`,
      help: 'Draw one corrupted entity for each side of each pair.',
    });
  }
  return tf.tidy(() => {
    const [left, right] = [rowsAt(embeddings, batch.left), rowsAt(embeddings, batch.right)];
    const corruptLeft = rowsAt(embeddings, negatives.left);
    const corruptRight = rowsAt(embeddings, negatives.right);
    const distance = (a: tf.Tensor2D, b: tf.Tensor2D) => tf.sum(tf.abs(tf.sub(a, b)), 1); // [B]
    const limit = tf.add(distance(left, right), margin);
    const terms = [distance(left, corruptRight), distance(corruptLeft, right)].map((negative) =>
      tf.mean(tf.relu(tf.sub(limit, negative))),
    );
    return tf.addN(terms) as tf.Scalar;
  });
}

/** Settings of {@link hardSampleLoss}. */
export interface HardSampleOptions {
  /** g, default 1. */
  readonly margin?: number;
  /** lambda, default 30. */
  readonly scale?: number;
  /** tau_0, default 10. */
  readonly shift?: number;
  /** Pairs whose distances to all entities exist at a time; default as many as fit 32 MB. */
  readonly blockPairs?: number;
}

/**
 * Normalised hard sample mining: every entity is a negative, the near ones count most.
 *
 * `t_e = g + |l - r|^2 - |l - e|^2`, 0 at e = l and e = r; `s_e = (t_e - mean t) / deviation t`,
 * both over all entities and taken as constants; `L_l = ln sum_e exp(lambda s_e + tau_0)`; the same
 * with r in the place of l; the sum of both, averaged over the pairs. Rows are not normalised.
 * Source: Dual-AMN, normalised hard sample mining loss; equation not verified.
 *
 * The B x N distances are never held: pairs are taken in blocks, which the backward pass computes
 * again.
 *
 * @param embeddings - o, `[N, D]`.
 * @param batch - the pairs (l, r).
 * @returns scalar.
 * @throws {ShapeError} without pairs, for sides of unequal length or no matrix.
 * @throws {ConfigError} when `blockPairs` is no whole number above 0.
 * @throws {DataError} for an entity outside 0..N-1 (on cpu and wasm).
 */
export function hardSampleLoss(
  embeddings: tf.Tensor2D,
  batch: SeedBatch,
  options: HardSampleOptions = {},
): tf.Scalar {
  const count = pairCount(embeddings, batch, 'loginmea/hardSampleLoss');
  const fitting = Math.max(1, Math.floor(2 ** 23 / embeddings.shape[0]));
  const blockPairs = options.blockPairs ?? fitting;
  if (!Number.isInteger(blockPairs) || blockPairs < 1) {
    throw new ConfigError(`loginmea/hardSampleLoss: blockPairs is ${blockPairs}.`, {
      help: 'Give a whole number above 0, or leave it out.',
    });
  }
  return tf.tidy(() => {
    const terms: tf.Scalar[] = [];
    for (let start = 0; start < count; start += blockPairs) {
      const block = {
        left: batch.left.subarray(start, start + blockPairs),
        right: batch.right.subarray(start, start + blockPairs),
      };
      const sum = (inputs: tf.Tensor) => hardSamples(inputs as tf.Tensor2D, block, options);
      terms.push(recompute([embeddings], sum));
    }
    return tf.div(tf.addN(terms), count) as tf.Scalar;
  });
}

/** Sum of the loss over the pairs of a block. */
function hardSamples(
  embeddings: tf.Tensor2D,
  { left, right }: SeedBatch,
  { margin = 1, scale = 30, shift = 10 }: HardSampleOptions,
): tf.Scalar {
  const negative = negativeMask(embeddings.shape[0], { left, right }); // [B, N]
  const [a, b] = [rowsAt(embeddings, left), rowsAt(embeddings, right)];
  const positive = tf.sum(tf.squaredDifference(a, b), 1, true); // [B, 1]
  const squares = tf.reshape(tf.sum(tf.square(embeddings), 1), [1, -1]); // [1, N]
  const terms = [a, b].map((anchor) => {
    const products = tf.matMul(anchor, embeddings, false, true); // [B, N]
    const own = tf.sum(tf.square(anchor), 1, true); // [B, 1]
    const distances = tf.sub(tf.add(own, squares), tf.mul(products, 2));
    const t = tf.mul<tf.Tensor2D>(tf.sub(tf.add(positive, margin), distances), negative);
    const logits = tf.add(tf.mul(standardised(t), scale), shift);
    return tf.sum(tf.logSumExp(logits, 1));
  });
  return tf.addN(terms) as tf.Scalar;
}

/** Smallest divisor, for rows whose entries are all the same. */
const SMALLEST_DEVIATION = 1e-12;

/** Rows with mean 0 and deviation 1; no gradient goes through mean and deviation. */
function standardised(x: tf.Tensor2D): tf.Tensor2D {
  const operation = tf.customGrad((...args: unknown[]) => {
    const [values, save] = args as [tf.Tensor2D, tf.GradSaveFunc];
    const centred = tf.sub(values, tf.mean(values, 1, true));
    const variance = tf.mean(tf.square(centred), 1, true);
    const deviation = tf.maximum(tf.sqrt(variance), SMALLEST_DEVIATION); // [B, 1]
    save([deviation]);
    return {
      value: tf.div(centred, deviation),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.div(dy, saved[0]!),
    };
  });
  return operation(x) as tf.Tensor2D;
}

/** 0 where the column is an entity of the row's pair, else 1, `[B, N]`. */
function negativeMask(entityCount: number, { left, right }: SeedBatch): tf.Tensor2D {
  const mask = new Float32Array(left.length * entityCount).fill(1);
  for (const side of [left, right]) {
    side.forEach((entity, row) => {
      mask[row * entityCount + entity] = 0;
    });
  }
  return tf.tensor2d(mask, [left.length, entityCount]);
}

/** The rows of a batch at length 1; in-batch negatives need at least two pairs. */
function unitPairs(embeddings: tf.Tensor2D, batch: SeedBatch, where: string) {
  if (pairCount(embeddings, batch, where) < 2) {
    throw new ShapeError(`${where}: a batch of 1 pair has no negatives and its loss is 0.`, {
      expected: 'at least 2 pairs',
      got: '1',
      help: 'Give more seeds, or let a last batch of one join the batch before it.',
    });
  }
  return {
    left: l2NormalizeRows(rowsAt(embeddings, batch.left)),
    right: l2NormalizeRows(rowsAt(embeddings, batch.right)),
  };
}

/** B; an error where the batch is empty or its sides differ in length. */
function pairCount(embeddings: tf.Tensor2D, { left, right }: SeedBatch, where: string): number {
  assertShape(embeddings, 'N D', 'embeddings');
  if (left.length === right.length && left.length > 0) return left.length;
  throw new ShapeError(
    `${where}: the batch has ${left.length} left and ${right.length} right entities.`,
    {
      expected: 'as many on both sides, at least 1',
      got: `${left.length} and ${right.length}`,
      help: 'Give the two entities of each pair at the same place of both sides.',
    },
  );
}

function rowsAt(embeddings: tf.Tensor2D, entities: Int32Array): tf.Tensor2D {
  return gatherRows(embeddings, tf.tensor1d(entities, 'int32'));
}
