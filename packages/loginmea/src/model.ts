/**
 * The model: its parameters, their starts, and the forward pass from inputs to final embeddings.
 */
import { type Random, ShapeError } from '@lab/core';
import { createParameters, type CsrTensors, gatherRows, type Parameters, tf } from '@lab/tensor';
import { type DistinctFeatures, distinctFeatures } from './distinct-features.js';
import type { Features } from './encoders.js';
import {
  addLocalParameters,
  type EntityFeatures,
  type SharedFeatures,
  sharedInteraction,
} from './local-interaction.js';
import { type Modality, type PerModality, presentModalities } from './modalities.js';
import { completeSettings, type ModelSettings, passingEncoders } from './model-settings.js';
import { addProxyParameters, proxyMatching, proxyParameters } from './proxy-matching.js';
import {
  addRelationParameters,
  createNetworks,
  jointBlocks,
  type RelationGraph,
  structureBlocks,
} from './relation-attention.js';

export type { ModelSettings } from './model-settings.js';

/** What the model reads, on the tensor backend. */
export interface ModelInputs extends EntityFeatures {
  readonly graph: RelationGraph;
}

/** A LoginMEA model over one pair of graphs. */
export interface LoginmeaModel {
  readonly settings: Required<ModelSettings>;
  readonly parameters: Parameters;
  /** Modalities that take part; none with the structure encoder alone. */
  readonly modalities: readonly Modality[];
  /**
   * Final embeddings of all entities in one pass over the whole graph, `[N, (M + 2 L + 1) D]`; of
   * the structure encoder alone `[N, (L + 1) D]`, of the joint one `[N, (M + L) D]`; with the
   * fusion `early-only` the joint one adds M D columns and no more. The rows have no unit length.
   *
   * @param entities - the rows wanted, in this order, to save memory; default all.
   */
  embed(entities?: Int32Array): tf.Tensor2D;
  /** Frees the parameters (not the inputs). */
  dispose(): void;
}

/**
 * A model with fresh parameters.
 *
 * `o = [G ; J]`, G of the structure encoder, J of the joint encoder, which share the relation table
 * and have kernels of their own; one encoder alone: `o = G` or `o = J`. With proxies, `o` goes
 * through `proxyMatching`.
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
 * @throws {ConfigError} when a size is no integer in its range, when settings contradict each
 * other, or when a joint encoder has no modality.
 * @throws {ShapeError} when features or mask have another number of rows than N.
 */
export function createModel(
  inputs: ModelInputs,
  settings: ModelSettings,
  random: Random,
): LoginmeaModel {
  const complete = completeSettings(settings);
  const present = complete.encoders === 'structure' ? [] : presentModalities(inputs.features);
  assertRows(inputs, present, inputs.graph.mean.rowCount);
  const parameters = createParameters();
  addGraphParameters(parameters, inputs.graph, { settings: complete, random });
  if (present.length > 0) {
    const featureCounts: PerModality<number> = {};
    for (const modality of present)
      featureCounts[modality] = shapeOf(inputs.features[modality]!)[1];
    const { fusionStart: start, ...choices } = complete;
    addLocalParameters(parameters, { ...choices, featureCounts, start }, random);
  }
  const shared = shareFeatures(inputs, present);
  const { proxies } = complete;
  const width = embeddingWidth(complete, present.length);
  if (proxies > 0) addProxyParameters(parameters, [proxies, width], random);
  return {
    settings: complete,
    parameters,
    modalities: present,
    embed: (entities) =>
      embed({ graph: inputs.graph, ...shared, parameters }, complete, entities ?? null),
    dispose() {
      parameters.dispose();
      for (const part of shared.owned) part.dispose();
    },
  };
}

/** The features with equal rows once, where that pays, and the tensors made for it. */
function shareFeatures({ features, available }: EntityFeatures, present: readonly Modality[]) {
  const shared: PerModality<DistinctFeatures | Features> = {};
  const owned: CsrTensors[] = [];
  for (const modality of present) {
    const distinct = distinctFeatures(features[modality]!);
    shared[modality] = distinct ?? features[modality]!;
    if (distinct !== null) owned.push(distinct.rows, distinct.spread);
  }
  return { features: shared, available, owned };
}

function addGraphParameters(
  parameters: Parameters,
  { mean, pattern }: RelationGraph,
  { settings, random }: { readonly settings: Required<ModelSettings>; readonly random: Random },
): void {
  const { size, layers, propagation } = settings;
  const counts = { entityCount: mean.rowCount, directedRelations: pattern.averaging.columnCount };
  const encoders = passingEncoders(settings);
  addRelationParameters(parameters, { ...counts, size, layers, propagation, encoders }, random);
}

/** Columns of the embeddings. */
function embeddingWidth(settings: Required<ModelSettings>, modalityCount: number): number {
  const { size, layers } = settings;
  const passing = passingEncoders(settings);
  const first = passing.includes('structure') ? 1 : 0;
  return (modalityCount + first + passing.length * layers) * size;
}

/** What an embedding reads. */
interface EmbeddingInputs extends SharedFeatures {
  readonly graph: RelationGraph;
  readonly parameters: Parameters;
}

/** One pass over the whole graph; the rows of some entities, or of all. */
function embed(
  { parameters, ...inputs }: EmbeddingInputs,
  settings: Required<ModelSettings>,
  entities: Int32Array | null,
): tf.Tensor2D {
  const { graph } = inputs;
  return tf.tidy(() => {
    const chosen = entities === null ? null : tf.tensor1d(entities, 'int32'); // [C]
    const rowsOf = (x: tf.Tensor2D) => (chosen === null ? x : gatherRows(x, chosen));
    const passing = passingEncoders(settings);
    const networkOf = passing.length > 0 ? createNetworks(parameters, graph, settings) : null;
    const blocks: tf.Tensor2D[] = [];
    if (passing.includes('structure')) {
      const entity = parameters.get('entity') as tf.Tensor2D;
      blocks.push(...structureBlocks(entity, graph, networkOf!('structure')).map(rowsOf));
    }
    if (settings.encoders !== 'structure') {
      const local = sharedInteraction({ ...inputs, entities: chosen }, parameters, settings);
      const network = passing.includes('joint') ? networkOf!('joint') : null;
      const [first, ...passed] = jointBlocks(local, network);
      blocks.push(first!, ...passed.map(rowsOf)); // the early feature is of the chosen already
    }
    const joined = tf.concat(blocks, 1);
    return settings.proxies === 0 ? joined : proxyMatching(joined, proxyParameters(parameters));
  });
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
