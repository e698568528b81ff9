/**
 * What training minimises: per modality a contrastive term that keeps what identifies an entity
 * and a KL term that drops the rest, and a contrastive term on the fused vectors.
 *
 * `L = sum_m (InfoNCE_m + beta_m KL_m) + w_J L_hybrid`
 * Source: sutaoyu/IBMEA, `src/run.py`; equation not verified.
 */
import { iclLoss, infoNce, l2NormalizeRows, multiSimilarity, tf } from '@lab/tensor';
import { klOfficial, klToStandardNormal, sampleRows } from './bottleneck.js';
import type { IbmeaConfig, Modality } from './config.js';
import type { IbmeaModel, Posteriors } from './model.js';
import type { EpochNoise } from './noise.js';

/** Scalars of one batch, before their weights; absent terms are left out. */
export interface LossParts {
  infoNce: Partial<Record<Modality, tf.Scalar>>;
  kl: Partial<Record<Modality, tf.Scalar>>;
  hybrid: tf.Scalar | null;
}

/** A seed batch: entities of both graphs, row by row. */
export interface SeedBatch {
  readonly left: Int32Array;
  readonly right: Int32Array;
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
 */
export function contrastiveTerms(
  model: IbmeaModel,
  posteriors: Posteriors,
  batch: SeedBatch,
  noise: EpochNoise,
): Pick<LossParts, 'infoNce' | 'hybrid'> {
  const left = sampleAll(posteriors, batch.left, noise);
  const right = sampleAll(posteriors, batch.right, noise);
  const { loss } = model.config;
  const contrast = { temperature: loss.temperature, direction: loss.direction };
  const terms: Partial<Record<Modality, tf.Scalar>> = {};
  for (const modality of model.modalities) {
    const a = l2NormalizeRows(left[modality]!);
    terms[modality] = infoNce(a, l2NormalizeRows(right[modality]!), contrast);
  }
  if (loss.hybrid === 'none' || loss.hybridWeight === 0) return { infoNce: terms, hybrid: null };
  const a = l2NormalizeRows(model.fuse(left)); // [B, 600]
  const b = l2NormalizeRows(model.fuse(right));
  return { infoNce: terms, hybrid: hybridLoss(a, b, loss) };
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
  posteriors: Posteriors,
  entities: Int32Array,
  noise: EpochNoise,
): Partial<Record<Modality, tf.Tensor2D>> {
  const rows = tf.tensor1d(entities, 'int32');
  const samples: Partial<Record<Modality, tf.Tensor2D>> = {};
  for (const [name, posterior] of Object.entries(posteriors)) {
    const modality = name as Modality;
    samples[modality] = sampleRows(posterior, rows, noise.rows(modality, entities));
  }
  return samples;
}

/** The weighted sum of all terms, a scalar. */
export function totalLoss(parts: LossParts, config: IbmeaConfig['loss']): tf.Scalar {
  const terms: tf.Scalar[] = Object.values(parts.infoNce);
  for (const [modality, kl] of Object.entries(parts.kl)) {
    terms.push(tf.mul(kl, klWeight(modality as Modality, config)));
  }
  if (parts.hybrid !== null) terms.push(tf.mul(parts.hybrid, config.hybridWeight));
  return tf.addN(terms) as tf.Scalar;
}
