/**
 * What the model reads, as tensors.
 */
import { type AlignmentTask, entityFeatures } from '@lab/alignment';
import type { Random } from '@lab/core';
import { createCsr, tf } from '@lab/tensor';
import type { LoginmeaConfig } from './config.js';
import type { Features } from './encoders.js';
import type { PerModality } from './modalities.js';
import { availabilityMask } from './modality-weights.js';
import type { ModelInputs } from './model.js';
import { createRelationGraph } from './relation-attention.js';

/** Inputs that their maker frees. */
export interface OwnedInputs extends ModelInputs {
  dispose(): void;
}

/**
 * The model's inputs as tensors on the current backend.
 *
 * Repeated triples count in the relation bags where `data.duplicateTriples` keeps them, and never
 * in the graph. With `data.missingImages: mask` an entity without an image has no weight for it.
 *
 * @param random - stream for image vectors that have to be drawn.
 */
export function createInputs(
  task: AlignmentTask,
  { data: config }: LoginmeaConfig,
  random: Random,
): OwnedInputs {
  const { data } = task;
  const { image, relation, attribute } = entityFeatures(task, config, random);
  const graph = createRelationGraph(data);
  const features: PerModality<Features> = {};
  if (image !== null) {
    features.image = tf.tensor2d(image.values, [data.entityCount, image.dimension]);
  }
  if (relation !== null) features.relation = createCsr(relation);
  if (attribute !== null) features.attribute = createCsr(attribute);
  const flags = Object.fromEntries(
    Object.keys(features).map((name) => [name, name === 'image' ? image!.present : null]),
  );
  const isMasked = (image?.present ?? null) !== null;
  const available = isMasked ? availabilityMask(data.entityCount, flags) : null;
  return {
    graph,
    features,
    available,
    dispose: () => {
      for (const part of [graph, available, ...Object.values(features)]) part?.dispose();
    },
  };
}
