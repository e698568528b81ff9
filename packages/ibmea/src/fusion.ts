/**
 * From one vector per modality to one vector per entity, the hybrid representation.
 */
import { gatherRows, l2NormalizeRows, layerNorm, linear, tf } from '@lab/tensor';
import type { Posterior } from './bottleneck.js';
import type { Modality } from '@lab/alignment';
import type { IbmeaConfig } from './config.js';
import type { ParameterSource } from './encoders.js';

/** Slots of the fusion weights in the released model; name and char are never filled here. */
export const fusionSlots = ['image', 'attribute', 'relation', 'graph', 'name', 'char'] as const;

/** Width of the fused vector when fusion is by attention. */
export const ATTENTION_SIZE = 600;

/** Added to the attention score of a modality that an entity lacks. */
const ABSENT = -1e9;

/** Width of the fused vector. */
export function fusedSize(present: readonly Modality[], config: IbmeaConfig['model']): number {
  if (config.fusion === 'attention') return ATTENTION_SIZE;
  const { graphSize, featureSize } = config;
  return present.reduce((sum, name) => sum + (name === 'graph' ? graphSize : featureSize), 0);
}

/**
 * Posterior of fused rows, for the bottleneck on the fused vectors.
 *
 * `u = ReLU(z_h W0 + b0)`, `mean = u W1 + b1`, `l = u W2 + b2`, `scale = exp(l / 2)`.
 * Source: sutaoyu/IBMEA, `src/models.py`, joint heads; equation not verified.
 *
 * @param fused - `[B, D]`.
 * @returns mean and scale, `[B, D]`.
 */
export function jointPosterior(parameters: ParameterSource, fused: tf.Tensor2D): Posterior {
  const affine = (x: tf.Tensor2D, name: string) =>
    linear(
      x,
      parameters.get(`fusion.joint.${name}.weight`) as tf.Tensor2D,
      parameters.get(`fusion.joint.${name}.bias`) as tf.Tensor1D,
    );
  const hidden = tf.relu(affine(fused, 'hidden')); // [B, D]
  const scale = tf.exp(tf.mul(affine(hidden, 'logVariance'), 0.5)) as tf.Tensor2D;
  return { mean: affine(hidden, 'mean'), scale };
}

/** One tensor per modality for the same rows; absent modalities are left out. */
type PerModality = Partial<Record<Modality, tf.Tensor2D>>;

/** One vector per modality for the same rows. */
export interface ModalityRows extends PerModality {
  /** Mean posterior variances of these rows, `[B, 1]`; see {@link meanVariances}. */
  readonly variances?: PerModality;
}

/**
 * Mean posterior variance per row, `[B, 1]`, of every modality that is encoded as a distribution:
 * `v_im = (1 / d_m) sum_d s_imd^2`.
 *
 * @param posteriors - of all entities.
 * @param rows - entities, int32 `[B]`.
 */
export function meanVariances(
  posteriors: Partial<Record<Modality, Posterior>>,
  rows: tf.Tensor1D,
): PerModality {
  const variances: PerModality = {};
  for (const [modality, { scale }] of Object.entries(posteriors)) {
    if (scale === null) continue;
    const squares = tf.square(gatherRows(scale, rows)); // [B, d_m]
    variances[modality as Modality] = tf.mean(squares, 1, true) as tf.Tensor2D;
  }
  return variances;
}

/** The modalities that are present, in slot order. */
export function presentModalities(rows: ModalityRows): Modality[] {
  return fusionSlots.filter((slot): slot is Modality => rows[slot as Modality] !== undefined);
}

/** Rows of length 1 per modality, each times its share; shares are `[B, M]` or `[1, M]`. */
function joinRows(shares: tf.Tensor2D, rows: ModalityRows): tf.Tensor2D {
  const parts = presentModalities(rows).map((modality, index) =>
    tf.mul(l2NormalizeRows(rows[modality]!), tf.slice(shares, [0, index], [-1, 1])),
  );
  return (parts.length === 1 ? parts[0]! : tf.concat(parts, 1)) as tf.Tensor2D;
}

/** `softmax(fusion.weights)` of the present modalities, `[1, M]`. */
function weightedShares(weights: tf.Tensor1D, rows: ModalityRows): tf.Tensor2D {
  const shares = tf.softmax(weights); // [6]
  const present = presentModalities(rows).map((modality) =>
    tf.slice(shares, fusionSlots.indexOf(modality), 1),
  );
  return tf.reshape(tf.concat(present), [1, present.length]);
}

/**
 * Fused rows by one weight per modality.
 *
 * `z_h = [ w_m z_m / |z_m| ]_m`, `w = softmax(fusion.weights)` over all six slots.
 * Source: sutaoyu/IBMEA, `src/models.py`; equation not verified.
 *
 * @param weights - slot scores, `[6]`.
 * @param rows - samples or means per modality, `[B, d_m]`.
 * @returns `[B, sum d_m]`; every row has the same length, the norm of the present weights.
 */
export function weightedFusion(weights: tf.Tensor1D, rows: ModalityRows): tf.Tensor2D {
  return joinRows(weightedShares(weights, rows), rows);
}

/** Added to a variance before its logarithm; the released deviation of the graph may be 0. */
const VARIANCE_FLOOR = 1e-6;

/**
 * Fused rows by weights per entity: the surer a modality is of an entity, the more it counts.
 *
 * `z_h = [ w_im z_im / |z_im| ]_m`, `w_im = softmax_m(c_m - ln v_im)`: the learned weight of the
 * modality times the precision of its posterior, `1 / v_im`. A modality without a bottleneck has
 * the variance of the prior, 1; rows of zeros (masked images) get no weight.
 * Source: none; an extension that is not in the paper.
 *
 * @param weights - slot scores c, `[6]`.
 * @param rows - samples or means per modality, `[B, d_m]`, with their mean variances.
 * @returns `[B, sum d_m]`.
 */
export function varianceFusion(weights: tf.Tensor1D, rows: ModalityRows): tf.Tensor2D {
  return joinRows(varianceShares(weights, rows), rows);
}

/** `softmax_m(c_m - ln v_im)`, `[B, M]`. */
function varianceShares(weights: tf.Tensor1D, rows: ModalityRows): tf.Tensor2D {
  const scores = presentModalities(rows).map((modality) => {
    const score = tf.slice(weights, fusionSlots.indexOf(modality), 1);
    const variance = rows.variances?.[modality];
    const absent = tf.add(absence(rows[modality]!), score); // [B, 1]
    return variance === undefined
      ? absent
      : tf.sub(absent, tf.log(tf.add(variance, VARIANCE_FLOOR)));
  });
  return tf.softmax(tf.concat(scores, 1)) as tf.Tensor2D;
}

/**
 * Shares of the modalities in fused rows of length 1: of the row of modality m, at length 1, the
 * fused and L2-normalised row holds `c_im` times, `sum_m c_im^2 = 1` over the rows that are not 0.
 *
 * @param fusion - `weighted` or `variance`; fused rows of attention are no such sums.
 * @param weights - slot scores, `[6]`.
 * @param rows - samples or means per modality, `[B, d_m]`.
 * @returns `[B, M]`, modalities in slot order.
 */
export function unitShares(
  fusion: 'weighted' | 'variance',
  weights: tf.Tensor1D,
  rows: ModalityRows,
): tf.Tensor2D {
  const shares = (fusion === 'variance' ? varianceShares : weightedShares)(weights, rows);
  const present = presentModalities(rows).map((modality) => presence(rows[modality]!));
  return l2NormalizeRows(tf.mul(tf.concat(present, 1), shares));
}

/**
 * Fused rows by attention over the modalities of each entity.
 *
 * `h_m = LayerNorm(z_m P_m + b_m)`, `a = softmax_m(v . tanh(h_m W))`, `z_h = sum_m a_m h_m`.
 * Deviation: the released code takes its softmax over an axis of length 1, so all its weights are
 * 1; here it runs over the modalities, leaving out those whose row is 0 (masked images).
 * Source: sutaoyu/IBMEA, `src/models.py`, fusion 2, repaired; equation not verified.
 *
 * @returns `[B, 600]`.
 */
export function attentionFusion(parameters: ParameterSource, rows: ModalityRows): tf.Tensor2D {
  const present = presentModalities(rows);
  const projected = present.map((modality) => {
    const name = `fusion.${modality}`;
    const h = linear(
      rows[modality]!,
      parameters.get(`${name}.weight`) as tf.Tensor2D,
      parameters.get(`${name}.bias`) as tf.Tensor1D,
    );
    const gain = parameters.get(`${name}.gain`) as tf.Tensor1D;
    return layerNorm(h, gain, parameters.get(`${name}.shift`) as tf.Tensor1D); // [B, 600]
  });
  const hidden = parameters.get('fusion.hidden') as tf.Tensor2D; // [600, 600]
  const query = parameters.get('fusion.query') as tf.Tensor2D; // [600, 1]
  const scores = projected.map((h, index) => {
    const score = tf.matMul(tf.tanh(tf.matMul(h, hidden)), query); // [B, 1]
    return tf.add(score, absence(rows[present[index]!]!)) as tf.Tensor2D;
  });
  const shares = tf.softmax(tf.concat(scores, 1)); // [B, M]
  const weighted = projected.map((h, index) => tf.mul(h, tf.slice(shares, [0, index], [-1, 1])));
  return tf.addN(weighted) as tf.Tensor2D;
}

/** 0 for rows of zeros, 1 for the others, `[B, 1]`. */
function presence(rows: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => tf.cast(tf.notEqual(tf.sum(tf.abs(rows), 1, true), 0), 'float32'));
}

/** A very low score for rows of zeros, 0 for the others, `[B, 1]`. */
function absence(rows: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => tf.mul(tf.sub(1, presence(rows)), ABSENT) as tf.Tensor2D);
}
