/**
 * The model: its parameters, their starts, and the forward pass from inputs to final embeddings.
 */
import { ConfigError, type Random, ShapeError } from '@lab/core';
import { createParameters, type Parameters, tf } from '@lab/tensor';
import type { Features } from './encoders.js';
import { addLocalParameters, type EntityFeatures, localInteraction } from './local-interaction.js';
import type { FusionStart } from './low-rank-fusion.js';
import { type Modality, type PerModality, presentModalities } from './modalities.js';
import {
  addRelationParameters,
  jointBlocks,
  type RelationEncoder,
  type RelationGraph,
  relationKernels,
  sharedSetVectors,
  structureBlocks,
} from './relation-attention.js';

/** What the model reads, on the tensor backend. */
export interface ModelInputs extends EntityFeatures {
  readonly graph: RelationGraph;
}

/** Sizes and choices of a model; the defaults are those of the released code. */
export interface ModelSettings {
  /** D, the width of all vectors; default 300. */
  readonly size?: number;
  /** K, the rank of the fusion; default 8. */
  readonly rank?: number;
  /** L, reflection layers of each encoder; default 2. */
  readonly layers?: number;
  /** How the factors of the fusion start; default `official`. */
  readonly fusionStart?: FusionStart;
  /** `structure-only` leaves out the features and the joint encoder; default `full`. */
  readonly variant?: 'full' | 'structure-only';
}

/** A LoginMEA model over one pair of graphs. */
export interface LoginmeaModel {
  readonly settings: Required<ModelSettings>;
  readonly parameters: Parameters;
  /** Modalities that take part; none in the structure-only variant. */
  readonly modalities: readonly Modality[];
  /**
   * Final embeddings of all entities in one pass over the whole graph, `[N, (M + 2 L + 1) D]`;
   * structure-only `[N, (L + 1) D]`. The rows have no unit length.
   */
  embed(): tf.Tensor2D;
  /** Frees the parameters (not the inputs). */
  dispose(): void;
}

const defaults: Required<ModelSettings> = {
  size: 300,
  rank: 8,
  layers: 2,
  fusionStart: 'official',
  variant: 'full',
};

/**
 * A model with fresh parameters.
 *
 * `o = [G ; J]`, G of the structure encoder, J of the joint encoder, which share the relation table
 * and have kernels of their own; structure-only: `o = G`.
 *
 * Starts: entity table, relation table and kernels Xavier-uniform; encoders and modality query as
 * `torch.nn.Linear`; the fusion by `factorStart`; early scalars 1. Each parameter is drawn from the
 * stream of its own name. The modes `official` and `corrected` have the same model: they differ in
 * the inputs (missing images, repeated triples) and in when the optimiser starts anew.
 * Source: sutaoyu/LoginMEA, `src/models.py`, `MultiModalEncoderMrFusion`; equation not verified.
 * Deviation: layers that the released code makes and never uses (a second fusion, a projection of
 * the relation table, six loss weights) are not made.
 *
 * @param inputs - graph of N entities and their features; they stay the caller's.
 * @param random - stream of the initial values.
 * @throws {ConfigError} when a size is no integer >= 1, or the full variant has no modality.
 * @throws {ShapeError} when features or mask have another number of rows than N.
 */
export function createModel(
  inputs: ModelInputs,
  settings: ModelSettings,
  random: Random,
): LoginmeaModel {
  const complete = { ...defaults, ...settings };
  assertSizes(complete);
  const isFull = complete.variant === 'full';
  const present = isFull ? presentModalities(inputs.features) : [];
  const { rowCount: entityCount } = inputs.graph.mean;
  assertRows(inputs, present, entityCount);
  const parameters = createParameters();
  const { size, rank, layers, fusionStart } = complete;
  const encoders: RelationEncoder[] = isFull ? ['structure', 'joint'] : ['structure'];
  const directedRelations = inputs.graph.pattern.averaging.columnCount;
  const relationSize = { entityCount, directedRelations, size, layers, encoders };
  addRelationParameters(parameters, relationSize, random);
  if (isFull) {
    const featureCounts: PerModality<number> = {};
    for (const modality of present)
      featureCounts[modality] = shapeOf(inputs.features[modality]!)[1];
    addLocalParameters(parameters, { featureCounts, size, rank, start: fusionStart }, random);
  }
  return {
    settings: complete,
    parameters,
    modalities: present,
    embed: () => embed(inputs, parameters, complete),
    dispose: () => parameters.dispose(),
  };
}

/** One pass over the whole graph. */
function embed(
  inputs: ModelInputs,
  parameters: Parameters,
  { layers, variant }: Required<ModelSettings>,
): tf.Tensor2D {
  const { graph } = inputs;
  return tf.tidy(() => {
    const setVectors = sharedSetVectors(parameters, graph); // [U, D]
    const networkOf = (encoder: RelationEncoder) => ({
      pattern: graph.pattern,
      setVectors,
      kernels: relationKernels(parameters, encoder, layers),
    });
    const entity = parameters.get('entity') as tf.Tensor2D;
    const blocks = structureBlocks(entity, graph, networkOf('structure'));
    if (variant === 'full') {
      blocks.push(...jointBlocks(localInteraction(inputs, parameters), networkOf('joint')));
    }
    return tf.concat(blocks, 1);
  });
}

function assertSizes(settings: Required<ModelSettings>): void {
  for (const name of ['size', 'rank', 'layers'] as const) {
    if (Number.isInteger(settings[name]) && settings[name] >= 1) continue;
    throw new ConfigError(`loginmea/model: ${name} is ${settings[name]}.`, {
      help: `Give an integer of at least 1; the default is ${defaults[name]}.`,
    });
  }
}

/** Rows and columns of features. */
function shapeOf(features: Features): readonly [number, number] {
  return features instanceof tf.Tensor ? features.shape : [features.rowCount, features.columnCount];
}

function assertRows(
  { features, available }: EntityFeatures,
  present: readonly Modality[],
  entityCount: number,
): void {
  const rows = present.map((name) => ({
    name: `the features of ${name}`,
    shape: shapeOf(features[name]!),
  }));
  if (available !== null) rows.push({ name: 'available', shape: available.shape });
  for (const { name, shape } of rows) {
    if (shape[0] === entityCount) continue;
    throw new ShapeError(
      `loginmea/model: ${name} have ${shape[0]} rows, the graph has ${entityCount} entities.`,
      {
        expected: `[${entityCount}, ${shape[1]}]`,
        got: `[${shape.join(', ')}]`,
        help: 'Give one row per entity, in the order of the entity indices of the triples.',
      },
    );
  }
}
