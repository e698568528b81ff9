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
  multiSimilarity,
  recompute,
  tf,
} from '@lab/tensor';
import { klOfficial, klToStandardNormal, sampleRows } from './bottleneck.js';
import type { IbmeaConfig, Modality } from './config.js';
import { meanVariances, type ModalityRows } from './fusion.js';
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
 * Where missing images are masked, pairs without both images have no part in the image term.
 */
export function contrastiveTerms(
  model: IbmeaModel,
  posteriors: Posteriors,
  batch: SeedBatch,
  noise: EpochNoise,
): ContrastiveParts {
  const left = sampleAll(model, { posteriors, noise }, batch.left);
  const right = sampleAll(model, { posteriors, noise }, batch.right);
  const { loss } = model.config;
  const contrast = { temperature: loss.temperature, direction: loss.direction };
  const terms: Partial<Record<Modality, tf.Scalar>> = {};
  for (const modality of model.modalities) {
    const pairs = completePairs(model, modality, batch);
    if (pairs !== null && pairs.length < 2) continue;
    const a = l2NormalizeRows(rowsAt(left[modality]!, pairs));
    terms[modality] = infoNce(a, l2NormalizeRows(rowsAt(right[modality]!, pairs)), contrast);
  }
  if (loss.hybrid === 'none' || loss.hybridWeight === 0) {
    return { infoNce: terms, hybrid: null, joint: null };
  }
  const a = fusedSamples(model, left, batch.left, noise);
  const b = fusedSamples(model, right, batch.right, noise);
  const joint = a.kl === null || b.kl === null ? null : tf.mul(tf.add(a.kl, b.kl), 0.5);
  const hybrid = hybridLoss(l2NormalizeRows(a.rows), l2NormalizeRows(b.rows), loss);
  return { infoNce: terms, hybrid, joint: joint as tf.Scalar | null };
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

/** The contrastive part of one batch's loss. */
export interface BatchContrast {
  /** Weighted sum of the terms. */
  readonly total: tf.Scalar;
  /** The terms before their weights. */
  terms(): ContrastiveParts;
  /** Frees the terms where they were kept for `terms`. */
  release(): void;
}

/**
 * The contrastive loss of one batch; with `isRecomputed` its samples and their gradients are made
 * in the backward pass again, so that of several batches only one is held at a time.
 */
export function batchContrast(
  model: IbmeaModel,
  posteriors: Posteriors,
  input: { readonly batch: SeedBatch; readonly noise: EpochNoise; readonly isRecomputed: boolean },
): BatchContrast {
  const { batch, noise, isRecomputed } = input;
  const { loss } = model.config;
  if (!isRecomputed) {
    const terms = contrastiveTerms(model, posteriors, batch, noise);
    return { total: totalLoss({ ...terms, kl: {} }, loss), terms: () => terms, release: () => {} };
  }
  const names = model.parameters.names().filter((name) => name.startsWith('fusion.'));
  const { tensors, rebuild } = flatten(posteriors);
  let kept: ContrastiveParts | null = null;
  const inputs = [...tensors, ...names.map((name) => model.parameters.get(name))];
  const total = recompute(inputs, (...given) => {
    const inputOf = new Map(names.map((name, at) => [name, given[tensors.length + at]!]));
    const source = { names: () => names, get: (name: string) => inputOf.get(name)! };
    const stand: IbmeaModel = {
      ...model,
      fuse: (rows) => model.fuse(rows, source),
      compress: (fused) => model.compress(fused, source),
    };
    const terms = contrastiveTerms(stand, rebuild(given), batch, noise);
    kept ??= {
      infoNce: Object.fromEntries(
        Object.entries(terms.infoNce).map(([name, term]) => [name, tf.keep(term.clone())]),
      ),
      hybrid: keepTerm(terms.hybrid),
      joint: keepTerm(terms.joint),
    };
    return totalLoss({ ...terms, kl: {} }, loss);
  });
  return {
    total,
    terms: () => kept!,
    release: () => {
      for (const term of [...Object.values(kept!.infoNce), kept!.hybrid, kept!.joint]) {
        term?.dispose();
      }
    },
  };
}

/** A copy that outlives the scope it is made in. */
export function keepTerm(term: tf.Scalar | null): tf.Scalar | null {
  return term === null ? null : tf.keep(term.clone());
}

/** The tensors of the posteriors in a row, and the posteriors from such a row. */
function flatten(posteriors: Posteriors): {
  readonly tensors: tf.Tensor2D[];
  rebuild(tensors: readonly tf.Tensor[]): Posteriors;
} {
  const tensors: tf.Tensor2D[] = [];
  const places: { modality: Modality; mean: number; scale: number | null }[] = [];
  for (const [modality, { mean, scale }] of Object.entries(posteriors)) {
    const place = tensors.push(mean) - 1;
    if (scale !== null) tensors.push(scale);
    places.push({
      modality: modality as Modality,
      mean: place,
      scale: scale === null ? null : place + 1,
    });
  }
  return {
    tensors,
    rebuild: (given) => {
      const rebuilt: Posteriors = {};
      for (const { modality, mean, scale } of places) {
        rebuilt[modality] = {
          mean: given[mean] as tf.Tensor2D,
          scale: scale === null ? null : (given[scale] as tf.Tensor2D),
        };
      }
      return rebuilt;
    },
  };
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
