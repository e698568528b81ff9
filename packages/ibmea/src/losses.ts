/**
 * What training minimises: per modality a contrastive term that keeps what identifies an entity
 * and a KL term that drops the rest, and a contrastive term on the fused vectors.
 *
 * `L = sum_m (InfoNCE_m + beta_m KL_m) + w_J L_hybrid`
 * Source: sutaoyu/IBMEA, `src/run.py`; equation not verified.
 */
import {
  gatherRows,
  iclLoss,
  infoNce,
  l2NormalizeRows,
  modalContrast,
  multiSimilarity,
  tf,
} from '@lab/tensor';
import { klOfficial, klToStandardNormal, sampleRows } from './bottleneck.js';
import type { Modality, SeedBatch } from '@lab/alignment';
import type { IbmeaConfig } from './config.js';
import { meanVariances, type ModalityRows, presentModalities } from './fusion.js';
import { completePairs, maskRows } from './image-mask.js';
import type { IbmeaModel, Posteriors } from './model.js';
import type { EpochNoise } from './noise.js';

/** Scalars of one batch, before their weights; absent terms are left out. */
export interface LossParts {
  infoNce: Partial<Record<Modality, tf.Scalar>>;
  kl: Partial<Record<Modality, tf.Scalar>>;
  hybrid: tf.Scalar | null;
  /** KL term of the fused vectors, where they have a bottleneck. */
  joint: tf.Scalar | null;
}

/** The contrastive terms, with the price of the fused vectors. */
export type ContrastiveParts = Omit<LossParts, 'kl'>;

/** The contrastive terms and their weighted sum; the gradient goes through the sum alone. */
export interface ContrastiveLoss extends ContrastiveParts {
  readonly total: tf.Scalar;
}

/** `beta_m`, the weight of a modality's KL term. */
export function klWeight(modality: Modality, config: IbmeaConfig['loss']): number {
  return config[`${modality}Beta`];
}

/**
 * KL terms of every variational modality, over all entities.
 *
 * @param repair - mode official only: replace non-finite values first.
 */
export function klTerms(
  posteriors: Posteriors,
  config: IbmeaConfig['model'],
  repair = false,
): Partial<Record<Modality, tf.Scalar>> {
  const terms: Partial<Record<Modality, tf.Scalar>> = {};
  for (const [modality, { mean, scale }] of Object.entries(posteriors)) {
    if (scale === null) continue;
    terms[modality as Modality] =
      config.prior === 'official'
        ? klOfficial(mean, scale, repair)
        : klToStandardNormal(mean, scale);
  }
  return terms;
}

/**
 * Contrastive terms of one seed batch: InfoNCE per modality and the hybrid loss.
 *
 * InfoNCE: `-mean_b ln softmax_c(cos(z_b, z'_c) / tau)_b` over the batch's counterparts.
 * The hybrid loss is on the fused, normalised rows (`multi-similarity`, `infonce` or `icl`).
 * Where missing images are masked, pairs without both images have no part in the image term.
 */
export function contrastiveTerms(
  model: IbmeaModel,
  posteriors: Posteriors,
  batch: SeedBatch,
  noise: EpochNoise,
): ContrastiveLoss {
  const left = sampleAll(model, { posteriors, noise }, batch.left);
  const right = sampleAll(model, { posteriors, noise }, batch.right);
  const pairs = Object.fromEntries(
    model.modalities.map((modality) => [modality, completePairs(model, modality, batch)]),
  );
  const joint = jointTerms(model, { left, right, pairs });
  if (joint !== null) return joint;
  const parts = {
    infoNce: infoNceTerms(model, { left, right, pairs }),
    ...hybridTerms(model, { left, right, batch, noise }),
  };
  return { ...parts, total: totalLoss({ ...parts, kl: {} }, model.config.loss) };
}

interface BatchRows {
  readonly left: ModalityRows;
  readonly right: ModalityRows;
  /** Positions of the pairs that count, by modality; null for all. */
  readonly pairs: Partial<Record<Modality, Int32Array | null>>;
}

/**
 * All terms from one walk over the pairs, where the fused rows are the modalities' own: the
 * cosines of fused rows are then sums of the modalities' cosines. Null where they are not.
 */
function jointTerms(model: IbmeaModel, { left, right, pairs }: BatchRows): ContrastiveLoss | null {
  const { loss, model: shape } = model.config;
  if (loss.hybrid !== 'multi-similarity' || loss.hybridWeight === 0) return null;
  if (shape.jointBottleneck || Object.values(pairs).some((some) => some !== null)) return null;
  const [leftShares, rightShares] = [model.shares(left), model.shares(right)];
  if (leftShares === null || rightShares === null) return null;
  const modalities = presentModalities(left);
  const unit = modalities.map((modality) => ({
    left: l2NormalizeRows(left[modality]!),
    right: l2NormalizeRows(right[modality]!),
  }));
  for (const modality of modalities) tf.dispose([left[modality]!, right[modality]!]);
  const rows = { modalities: unit, shares: { left: leftShares, right: rightShares } };
  const { total, ...parts } = modalContrast(rows, {
    infoNce: { temperature: loss.temperature, direction: loss.direction },
    multiSimilarity: { alpha: loss.alpha, beta: loss.beta, lambda: loss.lambda },
    jointWeight: loss.hybridWeight,
  });
  const terms = modalities.map((modality, at) => [modality, parts.infoNce[at]!]);
  const hybrid = parts.multiSimilarity;
  return { infoNce: Object.fromEntries(terms), hybrid, joint: null, total };
}

function infoNceTerms(
  model: IbmeaModel,
  { left, right, pairs: all }: BatchRows,
): ContrastiveParts['infoNce'] {
  const { temperature, direction } = model.config.loss;
  const terms: ContrastiveParts['infoNce'] = {};
  for (const modality of model.modalities) {
    const pairs = all[modality] ?? null;
    if (pairs !== null && pairs.length < 2) continue;
    const a = l2NormalizeRows(rowsAt(left[modality]!, pairs));
    const b = l2NormalizeRows(rowsAt(right[modality]!, pairs));
    terms[modality] = infoNce(a, b, { temperature, direction });
  }
  return terms;
}

interface Samples {
  readonly left: ModalityRows;
  readonly right: ModalityRows;
  readonly batch: SeedBatch;
  readonly noise: EpochNoise;
}

/** The loss of the fused rows, and their price. */
function hybridTerms(
  model: IbmeaModel,
  { left, right, batch, noise }: Samples,
): Omit<ContrastiveParts, 'infoNce'> {
  const { loss } = model.config;
  if (loss.hybrid === 'none' || loss.hybridWeight === 0) return { hybrid: null, joint: null };
  const a = fusedSamples(model, left, batch.left, noise);
  const b = fusedSamples(model, right, batch.right, noise);
  const joint = a.kl === null || b.kl === null ? null : tf.mul(tf.add(a.kl, b.kl), 0.5);
  const hybrid = hybridLoss(l2NormalizeRows(a.rows), l2NormalizeRows(b.rows), loss);
  return { hybrid, joint: joint as tf.Scalar | null };
}

/** Fused rows `[B, 600]`, sampled where they have a bottleneck, and its KL over these rows. */
function fusedSamples(
  model: IbmeaModel,
  rows: ModalityRows,
  entities: Int32Array,
  noise: EpochNoise,
): { readonly rows: tf.Tensor2D; readonly kl: tf.Scalar | null } {
  const fused = model.fuse(rows);
  const posterior = model.compress(fused);
  if (posterior === null || posterior.scale === null) return { rows: fused, kl: null };
  const { mean, scale } = posterior;
  const draw = noise.rows('joint', entities);
  const sample = draw === null ? mean : (tf.add(mean, tf.mul(draw, scale)) as tf.Tensor2D);
  const isOfficial = model.config.model.prior === 'official';
  return {
    rows: sample,
    kl: isOfficial ? klOfficial(mean, scale) : klToStandardNormal(mean, scale),
  };
}

/** The rows at some positions, or all of them. */
function rowsAt(rows: tf.Tensor2D, positions: Int32Array | null): tf.Tensor2D {
  return positions === null ? rows : gatherRows(rows, tf.tensor1d(positions, 'int32'));
}

/** The loss of the fused rows. */
function hybridLoss(a: tf.Tensor2D, b: tf.Tensor2D, loss: IbmeaConfig['loss']): tf.Scalar {
  if (loss.hybrid === 'infonce') {
    return infoNce(a, b, { temperature: loss.temperature, direction: 'both' });
  }
  if (loss.hybrid === 'icl') return iclLoss(a, b, { temperature: loss.temperature });
  return multiSimilarity(a, b, { alpha: loss.alpha, beta: loss.beta, lambda: loss.lambda });
}

/** Samples of every modality at the given entities. */
function sampleAll(
  model: IbmeaModel,
  { posteriors, noise }: { readonly posteriors: Posteriors; readonly noise: EpochNoise },
  entities: Int32Array,
): ModalityRows {
  const rows = tf.tensor1d(entities, 'int32');
  const samples: Partial<Record<Modality, tf.Tensor2D>> = {};
  for (const [name, posterior] of Object.entries(posteriors)) {
    const modality = name as Modality;
    const drawn = sampleRows(posterior, rows, noise.rows(modality, entities));
    samples[modality] = maskRows(model, modality, { rows: drawn, entities });
  }
  if (model.config.model.fusion !== 'variance') return samples;
  return { ...samples, variances: meanVariances(posteriors, rows) };
}

/** The weighted sum of all terms, a scalar; 0 without any. */
export function totalLoss(parts: LossParts, config: IbmeaConfig['loss']): tf.Scalar {
  const terms: tf.Scalar[] = Object.values(parts.infoNce);
  for (const [modality, kl] of Object.entries(parts.kl)) {
    terms.push(tf.mul(kl, klWeight(modality as Modality, config)));
  }
  if (parts.hybrid !== null) terms.push(tf.mul(parts.hybrid, config.hybridWeight));
  if (parts.joint !== null) terms.push(tf.mul(parts.joint, config.jointBeta));
  return terms.length === 0 ? tf.scalar(0) : (tf.addN(terms) as tf.Scalar);
}
