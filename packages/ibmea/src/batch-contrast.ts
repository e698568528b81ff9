/**
 * The contrastive loss of one seed batch as a training step takes it: its total, and its terms as
 * tensors that outlive the gradient's scope.
 */
import { recompute, tf } from '@lab/tensor';
import type { Modality, SeedBatch } from '@lab/alignment';
import { type ContrastiveParts, contrastiveTerms } from './losses.js';
import type { IbmeaModel, Posteriors } from './model.js';
import type { EpochNoise } from './noise.js';

/** The contrastive part of one batch's loss. */
export interface BatchContrast {
  /** Weighted sum of the terms. */
  readonly total: tf.Scalar;
  /** The terms before their weights; the caller frees them. */
  readonly terms: ContrastiveParts;
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
  let kept: ContrastiveParts | null = null;
  const lossOf = (of: IbmeaModel, from: Posteriors): tf.Scalar => {
    const loss = contrastiveTerms(of, from, batch, noise);
    kept ??= {
      infoNce: keepTerms(loss.infoNce),
      hybrid: keepTerm(loss.hybrid),
      joint: keepTerm(loss.joint),
    };
    return loss.total;
  };
  if (!isRecomputed) return { total: lossOf(model, posteriors), terms: kept! };
  const names = model.parameters.names().filter((name) => name.startsWith('fusion.'));
  const { tensors, rebuild } = flatten(posteriors);
  const inputs = [...tensors, ...names.map((name) => model.parameters.get(name))];
  const total = recompute(inputs, (...given) => {
    const inputOf = new Map(names.map((name, at) => [name, given[tensors.length + at]!]));
    const source = { names: () => names, get: (name: string) => inputOf.get(name)! };
    const stand: IbmeaModel = {
      ...model,
      fuse: (rows) => model.fuse(rows, source),
      shares: (rows) => model.shares(rows, source),
      compress: (fused) => model.compress(fused, source),
    };
    return lossOf(stand, rebuild(given));
  });
  return { total, terms: kept! };
}

/** A copy that outlives the scope it is made in. */
function keepTerm(term: tf.Scalar | null): tf.Scalar | null {
  return term === null ? null : tf.keep(term.clone());
}

/** Copies of terms that outlive the scope they are made in. */
export function keepTerms(
  terms: Partial<Record<Modality, tf.Scalar>>,
): Partial<Record<Modality, tf.Scalar>> {
  return Object.fromEntries(
    Object.entries(terms).map(([name, term]) => [name, tf.keep(term.clone())]),
  );
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
