/**
 * What a model reads, in the host's memory: only the rows of a block become tensors.
 */
import { ConfigError, ShapeError } from '@lab/core';
import {
  type AlignmentData,
  csrRows,
  type DistinctRows,
  distinctRows,
  neighbourGraph,
  normalizeAdjacency,
  type RelationPairs,
  relationPairs,
  renumber,
} from '@lab/graph';
import { createCsr, type CsrArrays, type HostMatrix, tf } from '@lab/tensor';
import type { DistinctFeatures } from './distinct-features.js';
import type { Features } from './encoders.js';
import type { SharedFeatures } from './local-interaction.js';
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
export interface FeatureBlock extends SharedFeatures {
  dispose(): void;
}

/** How the entities of a block share what is the same for them. */
export interface FeatureSharing {
  /** Number of each entity's row among the distinct rows, `[N]`, of sparse modalities. */
  readonly numbers: PerModality<Int32Array>;
  readonly mostDistinct: number;
}

/** Which entities have the same features, and an order in which they stand together. */
export interface FeatureOrder {
  /** Number of each entity's row among the distinct rows, `[N]`, of sparse modalities. */
  readonly numbers: PerModality<Int32Array>;
  /** Place of each entity in that order, `[N]`, and the entity of each place. */
  readonly places: Int32Array;
  readonly entities: Int32Array;
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
 * The order of all entities by their sparse features: those of the modality with the fewest
 * distinct rows first; entities that share theirs with nobody come last, by the next modality.
 * Blocks of entities in that order share what is computed of one modality alone.
 */
export function featureOrder(features: PerModality<HostFeatures>): FeatureOrder {
  const numbers: PerModality<Int32Array> = {};
  const found: DistinctRows[] = [];
  const present = presentModalities(features);
  for (const modality of present) {
    const matrix = features[modality]!;
    if (!('rowPointers' in matrix)) continue;
    const rows = distinctRows(matrix);
    numbers[modality] = rows.numbers;
    found.push(rows);
  }
  const entityCount = features[present[0]!]!.rowCount;
  let entities = Int32Array.from({ length: entityCount }, (_, i) => i);
  found.sort((a, b) => b.count - a.count);
  for (const rows of found) entities = orderedBy(entities, sharedKeys(rows)); // the last one leads
  const places = new Int32Array(entityCount);
  entities.forEach((entity, place) => {
    places[entity] = place;
  });
  return { numbers, places, entities };
}

/** The numbers of rows, and one number behind them for all rows that occur once. */
function sharedKeys({ numbers, count }: DistinctRows): DistinctRows {
  const sizes = new Int32Array(count);
  for (const number of numbers) sizes[number]! += 1;
  const keys = numbers.map((number) => (sizes[number] === 1 ? count : number));
  return { numbers: keys, count: count + 1 };
}

/** Stable counting sort by key. */
function orderedBy(
  entities: Int32Array,
  { numbers, count }: DistinctRows,
): Int32Array<ArrayBuffer> {
  const next = new Int32Array(count + 1);
  for (const entity of entities) next[numbers[entity]! + 1]! += 1;
  for (let key = 0; key < count; key += 1) next[key + 1]! += next[key]!;
  const ordered = new Int32Array(entities.length);
  for (const entity of entities) {
    ordered[next[numbers[entity]!]!] = entity;
    next[numbers[entity]!]! += 1;
  }
  return ordered;
}

/**
 * The features of some entities as tensors, which outlive `tf.tidy`; equal rows of a sparse
 * modality stand once where there are enough of them.
 *
 * @param entities - each in `0 .. N-1`.
 * @param sharing - `numbers` of {@link featureOrder}; `mostDistinct`: largest share of distinct
 *   rows at which they stand once.
 * @throws {ConfigError} when there is no modality.
 */
export function featureBlock(
  { features, available }: Pick<HostInputs, 'features' | 'available'>,
  entities: Int32Array,
  { numbers, mostDistinct }: FeatureSharing,
): FeatureBlock {
  const present = presentModalities(features);
  const rows: PerModality<DistinctFeatures | Features> = {};
  for (const modality of present) {
    const matrix = features[modality]!;
    rows[modality] =
      'rowPointers' in matrix
        ? sparseRows(matrix, entities, { numbers: numbers[modality]!, mostDistinct })
        : denseRows(matrix, entities);
  }
  const size = present.length;
  const mask =
    available === null ? null : denseRows({ values: available, columnCount: size }, entities);
  return {
    features: rows,
    available: mask,
    dispose() {
      for (const own of Object.values(rows)) {
        if ('spread' in own) own.spread.dispose();
        if ('spread' in own) own.rows.dispose();
        else own.dispose();
      }
      mask?.dispose();
    },
  };
}

function sparseRows(
  matrix: CsrArrays,
  entities: Int32Array,
  { numbers, mostDistinct }: { readonly numbers: Int32Array; readonly mostDistinct: number },
): DistinctFeatures | Features {
  const own = entities.map((entity) => numbers[entity]!);
  const most = own.reduce((largest, number) => Math.max(largest, number), 0);
  const { values, numbers: columns } = renumber(own, new Int32Array(most + 1));
  const isShared = values.length <= mostDistinct * entities.length;
  if (!isShared) return createCsr(csrRows(matrix, entities));
  const firsts = new Int32Array(values.length);
  for (let i = entities.length - 1; i >= 0; i -= 1) firsts[columns[i]!] = entities[i]!;
  const rowPointers = Int32Array.from({ length: entities.length + 1 }, (_, i) => i);
  const size = { rowCount: entities.length, columnCount: values.length };
  return {
    rows: createCsr(csrRows(matrix, firsts)),
    spread: createCsr({ ...size, rowPointers, columns }),
  };
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
