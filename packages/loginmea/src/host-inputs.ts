/**
 * What a model reads, in the host's memory: only the rows of a block become tensors.
 */
import { ConfigError, ShapeError } from '@lab/core';
import {
  type AlignmentData,
  csrRows,
  neighbourGraph,
  normalizeAdjacency,
  type RelationPairs,
  relationPairs,
} from '@lab/graph';
import { createCsr, type CsrArrays, type HostMatrix, tf } from '@lab/tensor';
import type { Features } from './encoders.js';
import type { EntityFeatures } from './local-interaction.js';
import { type PerModality, presentModalities } from './modalities.js';

/** Features of all entities in the host's memory, `[N, F]`: dense or sparse. */
export type HostFeatures = CsrArrays | HostMatrix;

/** Both knowledge graphs in the host's memory: the arrays behind a `RelationGraph`. */
export interface HostGraph {
  /** `[N, N]`: row i averages over entity i and its neighbours, each once. */
  readonly mean: CsrArrays;
  /** Pairs of neighbours and their relation sets. */
  readonly pairs: RelationPairs;
}

/** What a model reads of all entities, in the host's memory. */
export interface HostInputs {
  readonly graph: HostGraph;
  /** Of the M modalities that the data has. */
  readonly features: PerModality<HostFeatures>;
  /** 1 where the entity has the modality, else 0, row-major `[N, M]`; null: all have all. */
  readonly available: Float32Array | null;
}

/** Features of some entities on the tensor backend. */
export interface FeatureBlock extends EntityFeatures {
  dispose(): void;
}

/**
 * The graph of all triples as arrays; relations are numbered as by `createRelationGraph`.
 *
 * @param data - N and the triples of both graphs.
 * @throws {DataError} for an entity or a relation out of range.
 */
export function createHostGraph(data: Pick<AlignmentData, 'entityCount' | 'triples'>): HostGraph {
  const { entityCount, triples } = data;
  const relations = triples.relations.map((relation) => relation + 1); // row 0 is nobody's
  const relationCount = relations.reduce((most, relation) => Math.max(most, relation), 0) + 1;
  const shifted = { entityCount, triples: { ...triples, relations } };
  return {
    mean: normalizeAdjacency(neighbourGraph(data, { selfLoops: true }), 'row'),
    pairs: relationPairs(shifted, { relationCount }),
  };
}

/**
 * The features of some entities as tensors, which outlive `tf.tidy`.
 *
 * @param entities - each in `0 .. N-1`.
 * @throws {ConfigError} when there is no modality.
 */
export function featureBlock(
  { features, available }: Pick<HostInputs, 'features' | 'available'>,
  entities: Int32Array,
): FeatureBlock {
  const present = presentModalities(features);
  const rows: PerModality<Features> = {};
  for (const modality of present) rows[modality] = featureRows(features[modality]!, entities);
  const size = present.length;
  const mask =
    available === null ? null : denseRows({ values: available, columnCount: size }, entities);
  return {
    features: rows,
    available: mask,
    dispose() {
      for (const modality of present) rows[modality]!.dispose();
      mask?.dispose();
    },
  };
}

function featureRows(features: HostFeatures, entities: Int32Array): Features {
  if ('rowPointers' in features) return createCsr(csrRows(features, entities));
  return denseRows(features, entities);
}

function denseRows(
  { values, columnCount }: Pick<HostMatrix, 'values' | 'columnCount'>,
  entities: Int32Array,
): tf.Tensor2D {
  const rows = new Float32Array(entities.length * columnCount);
  entities.forEach((entity, i) => {
    rows.set(values.subarray(entity * columnCount, (entity + 1) * columnCount), i * columnCount);
  });
  return tf.keep(tf.tensor2d(rows, [entities.length, columnCount]));
}

/**
 * Nothing when features and mask have a row for every entity.
 *
 * @throws {ShapeError} when they have not.
 * @throws {ConfigError} when `modalities` names none although the model reads features.
 */
export function assertHostInputs({ graph, features, available }: HostInputs): void {
  const entityCount = graph.mean.rowCount;
  const present = presentModalities(features);
  for (const modality of present) {
    const { rowCount } = features[modality]!;
    if (rowCount !== entityCount) throw rowError(`the features of ${modality}`, rowCount);
  }
  const size = entityCount * present.length;
  if (available !== null && available.length !== size) {
    throw rowError('available', available.length / present.length);
  }
  function rowError(name: string, rows: number): ShapeError {
    return new ShapeError(
      `loginmea/host-inputs: ${name} have ${rows} rows, the graph has ${entityCount} entities.`,
      { expected: String(entityCount), got: String(rows), help: 'Give one row per entity.' },
    );
  }
}

/**
 * The entities of a call: those given, else all.
 *
 * @throws {ConfigError} when there are none.
 */
export function entitiesOf(
  { mean }: Pick<HostGraph, 'mean'>,
  entities: Int32Array | undefined,
): Int32Array {
  const chosen = entities ?? Int32Array.from({ length: mean.rowCount }, (_, i) => i);
  if (chosen.length > 0) return chosen;
  throw new ConfigError('loginmea/host-inputs: there is no entity to embed.', {
    help: 'Give at least one entity, or leave them out for all.',
  });
}
