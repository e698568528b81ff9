/**
 * What the model reads, as tensors.
 */
import { type AlignmentTask, entityFeatures } from '@lab/alignment';
import type { Random } from '@lab/core';
import { neighbourGraph, normalizeAdjacency } from '@lab/graph';
import { createCsr, type CsrTensors, tf } from '@lab/tensor';
import type { IbmeaConfig } from './config.js';

/** What the model reads, on the tensor backend. */
export interface ModelInputs {
  readonly entityCount: number;
  /** Undirected neighbour pattern with self loops, `[N, N]`. */
  readonly neighbours: CsrTensors;
  /** Image vectors, L2 rows, `[N, D_v]`. */
  readonly image: tf.Tensor2D | null;
  /** With `data.missingImages: mask`: 1 where an entity has an image, `[N]`. */
  readonly imagePresent?: Uint8Array | null;
  /** Relation counts, `[N, F_r]`. */
  readonly relation: CsrTensors | null;
  /** Attribute indicators, `[N, F_a]`. */
  readonly attribute: CsrTensors | null;
  dispose(): void;
}

/**
 * The model's inputs as tensors on the current backend.
 *
 * @param random - stream for image vectors that have to be drawn.
 */
export function createInputs(
  task: AlignmentTask,
  { data: config, model }: IbmeaConfig,
  random: Random,
): ModelInputs {
  const { data } = task;
  const pattern = neighbourGraph(data, { selfLoops: true });
  const features = entityFeatures(task, config, random);
  const neighbours = createCsr(
    model.structureEncoder === 'gcn' ? normalizeAdjacency(pattern) : pattern,
  );
  const relation = features.relation === null ? null : createCsr(features.relation);
  const attribute = features.attribute === null ? null : createCsr(features.attribute);
  const image =
    features.image === null
      ? null
      : tf.tensor2d(features.image.values, [data.entityCount, features.image.dimension]);
  return {
    entityCount: data.entityCount,
    neighbours,
    relation,
    attribute,
    image,
    imagePresent: features.image?.present ?? null,
    dispose: () => {
      for (const part of [neighbours, relation, attribute, image]) part?.dispose();
    },
  };
}
