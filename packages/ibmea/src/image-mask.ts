/**
 * Entities without an image when `data.missingImages` is `mask`: nothing is put in its place. Their
 * fused vector has no image part, their pairs are no image pairs, and the KL term does not count
 * them.
 */
import { gatherRows, tf } from '@lab/tensor';
import type { Modality, SeedBatch } from '@lab/alignment';
import type { IbmeaModel, Posteriors } from './model.js';

/** The part of a model that says which entities have an image. */
type Masked = Pick<IbmeaModel, 'imagePresent'>;

/** Who has the modality, `[N]`; null where everybody counts. */
function presence(model: Masked, modality: Modality): Uint8Array | null {
  return modality === 'image' ? model.imagePresent : null;
}

/** The rows of a modality with those of entities that lack it set to 0, `[B, D]`. */
export function maskRows(
  model: Masked,
  modality: Modality,
  { rows, entities }: { readonly rows: tf.Tensor2D; readonly entities: Int32Array },
): tf.Tensor2D {
  const present = presence(model, modality);
  if (present === null) return rows;
  const mask = Float32Array.from(entities, (entity) => present[entity]!);
  return tf.mul(rows, tf.tensor2d(mask, [entities.length, 1]));
}

/** Positions of the pairs whose two ends have the modality; null when all pairs count. */
export function completePairs(
  model: Masked,
  modality: Modality,
  { left, right }: SeedBatch,
): Int32Array | null {
  const present = presence(model, modality);
  if (present === null) return null;
  const positions = Int32Array.from(left, (_, at) => at);
  return positions.filter((at) => present[left[at]!] === 1 && present[right[at]!] === 1);
}

/** The posteriors of those entities that have the modality, for terms that are means over them. */
export function presentPosteriors(model: Masked, posteriors: Posteriors): Posteriors {
  const present = model.imagePresent;
  if (present === null || posteriors.image === undefined) return posteriors;
  const entities = Int32Array.from(present.keys()).filter((entity) => present[entity] === 1);
  const rows = tf.tensor1d(entities, 'int32');
  const { mean, scale } = posteriors.image;
  const image = {
    mean: gatherRows(mean, rows),
    scale: scale === null ? null : gatherRows(scale, rows),
  };
  return { ...posteriors, image };
}
