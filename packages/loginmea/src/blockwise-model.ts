/**
 * A model whose entity table and inputs stay in the host's memory, for graphs that do not fit the
 * tensor backend.
 */
import { ConfigError, createRandom, type Random } from '@lab/core';
import type { RelationPairs } from '@lab/graph';
import {
  createCsr,
  createParameters,
  HostRows,
  type LoadableArray,
  type Parameters,
  tf,
} from '@lab/tensor';
import type { Features } from './encoders.js';
import {
  assertHostInputs,
  type FeatureOrder,
  featureOrder,
  type HostInputs,
} from './host-inputs.js';
import { addLocalParameters } from './local-interaction.js';
import { type Modality, type PerModality, presentModalities } from './modalities.js';
import { createModel, type ModelInputs } from './model.js';
import { completeSettings, type ModelSettings, passingEncoders } from './model-settings.js';
import { createRelationGraph, firstEntries, type RelationEncoder } from './relation-attention.js';

/** A LoginMEA model over one pair of graphs in the host's memory. */
export interface BlockwiseModel {
  readonly settings: Required<ModelSettings>;
  readonly inputs: HostInputs;
  /** Pairs of neighbours and what stands for their relation sets. */
  readonly pairs: RelationPairs;
  /** Which entities have the same features. */
  readonly order: FeatureOrder;
  /** The encoders that pass vectors on, in the order of their blocks in an embedding. */
  readonly encoders: readonly RelationEncoder[];
  /** All parameters but the entity table, on the backend: none grows with the entities. */
  readonly parameters: Parameters;
  /** Names of those that the local interaction reads. */
  readonly localNames: readonly string[];
  /** e, the entity table, `[N, D]`; `[0, D]` without a structure encoder. */
  readonly entity: HostRows;
  /** Modalities that take part; none with the structure encoder alone. */
  readonly modalities: readonly Modality[];
  /** Columns of a final embedding, as `LoginmeaModel.embed`. */
  readonly width: number;
  /** Frees the parameters on the backend. */
  dispose(): void;
}

/**
 * A model with fresh parameters: those of `createModel` for the same inputs, settings and stream,
 * value for value.
 *
 * @param inputs - graph of N entities and their features; they stay the caller's.
 * @param random - stream of the initial values.
 * @throws {ConfigError} as `createModel`, and for `propagation: 'gcn'`, which has no blocks.
 * @throws {ShapeError} when features or mask have another number of rows than N.
 */
export function createBlockwiseModel(
  inputs: HostInputs,
  settings: ModelSettings,
  random: Random,
): BlockwiseModel {
  const { mean, pairs } = inputs.graph;
  const complete = completeSettings(settings);
  assertBlockwise(complete);
  if (complete.encoders !== 'structure') assertHostInputs(inputs);
  const { parameters, modalities } = smallParameters(inputs, complete, random);
  const { size, layers } = complete;
  const encoders = passingEncoders(complete);
  const hasTable = encoders.includes('structure');
  const entityCount = hasTable ? mean.rowCount : 0;
  const columns = modalities.length + (hasTable ? 1 : 0) + encoders.length * layers;
  const { averaging } = pairs;
  return {
    ...{ settings: complete, inputs, encoders, parameters, modalities },
    pairs:
      complete.relationSets === 'one' ? { ...pairs, averaging: firstEntries(averaging) } : pairs,
    order: modalities.length > 0 ? featureOrder(inputs.features) : noOrder,
    localNames: localNames(inputs.features, modalities, complete),
    entity: new HostRows(entityCount, size, entityStart(entityCount, size, random)),
    width: columns * size,
    dispose: () => parameters.dispose(),
  };
}

/** The parameters that `createModel` makes, but for the entity table. */
function smallParameters(
  inputs: HostInputs,
  settings: ModelSettings,
  random: Random,
): Pick<BlockwiseModel, 'parameters' | 'modalities'> {
  const standIn = oneEntity(inputs);
  try {
    const small = createModel(standIn, settings, random);
    const parameters = withoutEntities(small.parameters);
    small.dispose();
    return { parameters, modalities: small.modalities };
  } finally {
    standIn.dispose();
  }
}

function assertBlockwise({ propagation }: Required<ModelSettings>): void {
  if (propagation !== 'gcn') return;
  throw new ConfigError('loginmea/blockwise-model: propagation gcn is not computed in blocks.', {
    help: 'Choose reflection, gat or mean, or train on the whole graph.',
  });
}

const noOrder: FeatureOrder = {
  numbers: {},
  places: new Int32Array(0),
  entities: new Int32Array(0),
};

/** The names that `addLocalParameters` gives, whatever the settings add. */
function localNames(
  features: HostInputs['features'],
  modalities: readonly Modality[],
  settings: Required<ModelSettings>,
): readonly string[] {
  if (modalities.length === 0) return [];
  const featureCounts: PerModality<number> = {};
  for (const modality of modalities) featureCounts[modality] = features[modality]!.columnCount;
  const scratch = createParameters();
  const { fusionStart: start, ...choices } = settings;
  addLocalParameters(scratch, { ...choices, featureCounts, start }, createRandom(0));
  const names = scratch.names();
  scratch.dispose();
  return names;
}

/**
 * Sets all parameters from a record of `parameters.toArrays()` of a `LoginmeaModel`, or of such a
 * record without `entity`: the table is then left alone.
 *
 * @throws {DataError} when names are missing or unknown.
 * @throws {ShapeError} when the sizes are those of another model.
 */
export function loadBlockwise(
  { parameters, entity }: Pick<BlockwiseModel, 'parameters' | 'entity'>,
  { entity: table, ...others }: Readonly<Record<string, LoadableArray>>,
): void {
  parameters.load(others);
  if (table === undefined) return;
  const values = Float32Array.from(table.data as ArrayLike<number>, Number);
  entity.values.set(new HostRows(entity.rowCount, entity.columnCount, values).values);
}

/** The start of the entity table: `xavierUniform` of the stream `entity`. */
function entityStart(entityCount: number, size: number, random: Random): Float32Array {
  const bound = Math.sqrt(6 / Math.max(1, entityCount + size));
  const values = new Float32Array(entityCount * size);
  return random.fork('entity').fillUniform(values, -bound, bound);
}

/** Inputs of one entity with as many relations and feature columns as the real ones. */
function oneEntity({ graph: { pairs }, features }: HostInputs): ModelInputs & { dispose(): void } {
  const last = pairs.averaging.columnCount / 2 - 2; // the largest relation index of the triples
  const zero = Int32Array.of(0);
  const triples = { heads: zero, relations: Int32Array.of(last), tails: zero, leftCount: 1 };
  const graph = createRelationGraph({ entityCount: 1, triples });
  const rows: PerModality<Features> = {};
  const present = Object.keys(features).length === 0 ? [] : presentModalities(features);
  for (const modality of present) {
    const { columnCount } = features[modality]!;
    const rowPointers = Int32Array.of(0, 0);
    const empty = { rowCount: 1, columnCount, rowPointers, columns: new Int32Array(0) };
    rows[modality] = createCsr(empty);
  }
  return {
    graph,
    features: rows,
    available: null,
    dispose() {
      graph.dispose();
      for (const modality of present) rows[modality]!.dispose();
    },
  };
}

/** Copies of all parameters but the entity table. */
function withoutEntities(all: Parameters): Parameters {
  const parameters = createParameters();
  for (const name of all.names()) {
    if (name !== 'entity') parameters.add(name, tf.mul(all.get(name), 1));
  }
  return parameters;
}
