/**
 * Global interaction: two encoders that pass vectors on along the relations of the graph.
 */
import type { Random } from '@lab/core';
import {
  type AlignmentData,
  createReflectionPattern,
  neighbourGraph,
  normalizeAdjacency,
  type ReflectionPattern,
  relationPairs,
  relationVectors,
} from '@lab/graph';
import {
  type CsrArrays,
  createCsr,
  type CsrTensors,
  csrMatMul,
  type Parameters,
  tf,
  xavierUniform,
} from '@lab/tensor';
import {
  type Propagation,
  type PropagationNetwork,
  propagationStates,
  usesRelations,
} from './propagation.js';

/** What stands for the relations of a pair: their mean, or the first of them alone. */
export type RelationSets = 'mean' | 'one';

/** The encoders: of the graph alone, and of what the modalities say. */
export type RelationEncoder = 'structure' | 'joint';

/** Both knowledge graphs as the sparse patterns that the encoders multiply by. */
export interface RelationGraph {
  /** `[N, N]`: row i averages over entity i and its neighbours, each once. */
  readonly mean: CsrTensors;
  /** Pairs of neighbours and their relation sets: N entities, E pairs, U sets, R relations. */
  readonly pattern: ReflectionPattern;
  /** `[U, R]`: row u has a 1 at the first relation of set u. */
  readonly firstRelation: CsrTensors;
  /** `D^-1/2 (A + I) D^-1/2`, `[N, N]`, A with every pair of neighbours once. */
  readonly convolution: CsrTensors;
  dispose(): void;
}

/** Sizes of the parameters of the encoders. */
export interface RelationSize {
  /** N. */
  readonly entityCount: number;
  /** R. */
  readonly directedRelations: number;
  /** D. */
  readonly size: number;
  /** L. */
  readonly layers: number;
  /** Those that pass vectors on. */
  readonly encoders: readonly RelationEncoder[];
  /** Default `reflection`. */
  readonly propagation?: Propagation;
}

/**
 * The graph of all triples, on the tensor backend; it outlives `tf.tidy`, call `dispose()` when
 * done.
 *
 * Relation k is row k + 1 of the relation table, its inverse row `k + 1 + R0`, with
 * `R0 = largest k + 2`: rows 0 and R0 belong to no relation. Repeated triples change nothing.
 * Source: sutaoyu/LoginMEA, `load_data_dual`; equation not verified.
 *
 * @param data - N and the triples of both graphs.
 * @throws {DataError} for an entity or a relation out of range.
 */
export function createRelationGraph(
  data: Pick<AlignmentData, 'entityCount' | 'triples'>,
): RelationGraph {
  const { entityCount, triples } = data;
  const relations = triples.relations.map((relation) => relation + 1);
  const relationCount = relations.reduce((most, relation) => Math.max(most, relation), 0) + 1;
  const pairs = relationPairs(
    { entityCount, triples: { ...triples, relations } },
    { relationCount },
  );
  const pattern = createReflectionPattern(pairs);
  const around = neighbourGraph(data, { selfLoops: true });
  const matrices = {
    mean: createCsr(normalizeAdjacency(around, 'row')),
    firstRelation: createCsr(firstEntries(pairs.averaging)),
    convolution: createCsr(normalizeAdjacency(around, 'symmetric')),
  };
  return {
    ...matrices,
    pattern,
    dispose() {
      for (const matrix of Object.values(matrices)) matrix.dispose();
      pattern.dispose();
    },
  };
}

/** The first entry of each row, with value 1; no row is empty. */
export function firstEntries({
  rowCount,
  columnCount,
  rowPointers,
  columns,
}: CsrArrays): CsrArrays {
  return {
    rowCount,
    columnCount,
    rowPointers: Int32Array.from({ length: rowCount + 1 }, (_, row) => row),
    columns: Int32Array.from({ length: rowCount }, (_, row) => columns[rowPointers[row]!]!),
  };
}

/**
 * Mean of the embeddings of an entity and its neighbours, each once: s, `[N, D]`.
 *
 * Source: sutaoyu/LoginMEA, `src/models.py`, `MultiModalEncoderMrFusion`; equation not verified.
 *
 * @param entity - e, `[N, D]`.
 * @throws {ShapeError} when e has not N rows.
 */
export function neighbourhoodMean(
  entity: tf.Tensor2D,
  { mean }: Pick<RelationGraph, 'mean'>,
): tf.Tensor2D {
  return csrMatMul(mean, entity);
}

/**
 * Output of the structure encoder: h^0 ... h^L from the mean of the neighbourhood.
 *
 * `G = [h^0 ; h^1 ; ... ; h^L]`, `h^0 = tanh(s)`
 * Source: sutaoyu/LoginMEA, `src/models.py`, `MrFusionGraphAttention`; equation not verified.
 *
 * @param entity - e, `[N, D]`.
 * @returns the L + 1 blocks of G, `[N, D]` each.
 * @throws {ShapeError} when the shapes do not fit.
 */
export function structureBlocks(
  entity: tf.Tensor2D,
  graph: Pick<RelationGraph, 'mean'>,
  network: PropagationNetwork,
): tf.Tensor2D[] {
  return tf.tidy(() => propagationStates(neighbourhoodMean(entity, graph), network));
}

/**
 * Output of the joint encoder: it starts from the fused vectors, but puts the early feature out in
 * place of that start. Without fused vectors nothing is passed on: the early feature is all.
 *
 * `J = [tanh(g) ; h^1 ; ... ; h^L]`, `h^0 = tanh(f)`
 * Source: sutaoyu/LoginMEA, `src/models.py`, `MrFusionGraphAttention`; equation not verified.
 *
 * @param local - f, `[N, D]` or null, and g, `[N, M D]`.
 * @returns the blocks of J: `[N, M D]`, then L of `[N, D]`; without f the first alone.
 * @throws {ShapeError} when the shapes do not fit.
 */
export function jointBlocks(
  { fused, early }: { readonly fused: tf.Tensor2D | null; readonly early: tf.Tensor2D },
  network: PropagationNetwork | null,
): tf.Tensor2D[] {
  return tf.tidy(() => {
    const first = tf.tanh<tf.Tensor2D>(early);
    if (fused === null || network === null) return [first];
    return [first, ...propagationStates(fused, network).slice(1)];
  });
}

/**
 * r of every relation set, for both encoders, `[U, D]`; see `relationVectors` of `@lab/graph`.
 *
 * @param sets - `one`: r is the embedding of the first relation of the set alone, at length 1;
 *   default `mean`.
 */
export function sharedSetVectors(
  parameters: Pick<Parameters, 'get'>,
  graph: Pick<RelationGraph, 'pattern' | 'firstRelation'>,
  sets: RelationSets = 'mean',
): tf.Tensor2D {
  const averaging = sets === 'one' ? graph.firstRelation : graph.pattern.averaging;
  return relationVectors(parameters.get('relation') as tf.Tensor2D, { averaging });
}

/** The kernels of one encoder among the parameters of a model, first layer first. */
export function relationKernels(
  parameters: Pick<Parameters, 'get'>,
  encoder: RelationEncoder,
  layers: number,
): tf.Tensor1D[] {
  return layerParameters<tf.Tensor1D>(parameters, layers, (layer) => kernelName(encoder, layer));
}

function layerParameters<T extends tf.Tensor>(
  parameters: Pick<Parameters, 'get'>,
  layers: number,
  nameOf: (layer: number) => string,
): T[] {
  return Array.from(
    { length: layers },
    (_, layer) => parameters.get(nameOf(layer)) as tf.Tensor as T,
  );
}

/** How the encoders of a model pass vectors on. */
export interface NetworkSettings {
  readonly layers: number;
  readonly propagation: Propagation;
  readonly relationSets: RelationSets;
}

/**
 * The networks of the encoders over one graph, from the parameters of a model; r is made once, for
 * all of them, and only where the rule needs it.
 *
 * @returns the network of each encoder.
 */
export function createNetworks(
  parameters: Pick<Parameters, 'get'>,
  graph: RelationGraph,
  { layers, propagation, relationSets }: NetworkSettings,
): (encoder: RelationEncoder) => PropagationNetwork {
  const { pattern, convolution } = graph;
  if (propagation === 'mean') {
    return () => ({ propagation, neighbours: pattern.neighbours, layers });
  }
  if (propagation === 'gcn') {
    return (encoder) => {
      const nameOf = (layer: number) => weightName(encoder, layer);
      const weights = layerParameters<tf.Tensor2D>(parameters, layers, nameOf);
      return { propagation, convolution, weights };
    };
  }
  const setVectors = sharedSetVectors(parameters, graph, relationSets); // [U, D]
  return (encoder) => {
    const kernels = relationKernels(parameters, encoder, layers);
    return { propagation, pattern, setVectors, kernels };
  };
}

/**
 * Adds `entity`, `relation` and `<encoder>.kernel.layer<l>`, each drawn from the stream of its own
 * name; without a structure encoder no `entity`; of `gcn` `<encoder>.weight.layer<l>`, `[D, D]`, in
 * place of kernels and `relation`; of `mean` `entity` alone.
 *
 * Starts: Xavier-uniform, uniform in `+-sqrt(6 / (rows + columns))`; a kernel counts as `[D, 1]`.
 * Source: sutaoyu/LoginMEA, `src/models.py`, `MultiModalEncoderMrFusion`; equation not verified.
 */
export function addRelationParameters(
  parameters: Parameters,
  sizes: RelationSize,
  random: Random,
): void {
  const { entityCount, directedRelations, size, layers, encoders } = sizes;
  const { propagation = 'reflection' } = sizes;
  const add = (name: string, shape: readonly number[]) =>
    parameters.add(name, xavierUniform(shape, random.fork(name)));
  if (encoders.includes('structure')) add('entity', [entityCount, size]);
  const isRelational = usesRelations(propagation);
  if (isRelational && encoders.length > 0) add('relation', [directedRelations, size]);
  if (propagation === 'mean') return;
  for (const encoder of encoders) {
    for (let layer = 0; layer < layers; layer += 1) {
      if (isRelational) add(kernelName(encoder, layer), [size]);
      else add(weightName(encoder, layer), [size, size]);
    }
  }
}

function kernelName(encoder: RelationEncoder, layer: number): string {
  return `${encoder}.kernel.layer${layer}`;
}

function weightName(encoder: RelationEncoder, layer: number): string {
  return `${encoder}.weight.layer${layer}`;
}
