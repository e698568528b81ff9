/**
 * What the data say of every entity, as the matrices that encoders read.
 */
import type { Random } from '@lab/core';
import { attributeFeatures, imageFeatures, relationFeatures } from '@lab/graph';
import type { CsrArrays } from '@lab/tensor';
import type { AlignmentConfig } from './config-fields.js';
import type { AlignmentTask } from './data.js';

/** Image vectors of all entities, those of entities without an image put in. */
export interface FilledImages {
  /** `[N, dimension]`, rows one after the other. */
  readonly values: Float32Array;
  readonly dimension: number;
  /** With `data.missingImages: mask`: 1 where an entity has an image, `[N]`; else null. */
  readonly present: Uint8Array | null;
}

/** One matrix per modality that both the data and the config have; null for the others. */
export interface EntityFeatures {
  /** Relation counts `[N, F]`. */
  readonly relation: CsrArrays | null;
  /** Attribute indicators `[N, F]`. */
  readonly attribute: CsrArrays | null;
  readonly image: FilledImages | null;
}

/**
 * The features of a task.
 *
 * @param random - stream for image vectors that have to be drawn.
 */
export function entityFeatures(
  task: AlignmentTask,
  config: AlignmentConfig['data'],
  random: Random,
): EntityFeatures {
  const { data } = task;
  const wants = (modality: 'image' | 'relation' | 'attribute') =>
    config.modalities.includes(modality);
  return {
    relation: wants('relation') ? relationBags(task, config) : null,
    attribute: wants('attribute')
      ? attributeFeatures(data, { columns: config.attributeColumns, pad: config.padColumns })
      : null,
    image: wants('image') && data.images !== null ? filledImages(task, config, random) : null,
  };
}

/** Relation counts `[N, F]`, the task's own or those of its triples. */
export function relationBags(task: AlignmentTask, config: AlignmentConfig['data']): CsrArrays {
  if (task.relationBags !== undefined) return task.relationBags;
  return relationFeatures(task.data, {
    columns: config.relationColumns,
    pad: config.padColumns,
    scaling: config.relationScaling,
  });
}

function filledImages(
  { data }: AlignmentTask,
  { missingImages }: AlignmentConfig['data'],
  random: Random,
): FilledImages {
  const { values, dimension, present } = imageFeatures(data, { fill: missingImages, random });
  return { values, dimension, present: missingImages === 'mask' ? present : null };
}
