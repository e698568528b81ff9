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
  reflectionAttention,
  relationPairs,
  relationVectors,
} from '@lab/graph';
import {
  createCsr,
  type CsrTensors,
  csrMatMul,
  type Parameters,
  tf,
  xavierUniform,
} from '@lab/tensor';

/** The encoders: of the graph alone, and of what the modalities say. */
export type RelationEncoder = 'structure' | 'joint';

/** Both knowledge graphs as the sparse patterns that the encoders multiply by. */
export interface RelationGraph {
  /** `[N, N]`: row i averages over entity i and its neighbours, each once. */
  readonly mean: CsrTensors;
  /** Pairs of neighbours and their relation sets: N entities, E pairs, U sets, R relations. */
  readonly pattern: ReflectionPattern;
  dispose(): void;
}

/** What one encoder passes vectors along. */
export interface RelationNetwork {
  readonly pattern: ReflectionPattern;
  /** r, rows of length 1, `[U, D]`, the same for both encoders: see `relationVectors`. */
  readonly setVectors: tf.Tensor2D;
  /** k of each layer, `[D]`. */
  readonly kernels: readonly tf.Tensor1D[];
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
  readonly encoders: readonly RelationEncoder[];
}

/**
 * The graph of all triples, on the tensor backend; it outlives `tf.tidy`, call `dispose()` when
 * done.
 *
 * Relation k is row k + 1 of the relation table, its inverse row `k + 1 + R0`, `R0 = largest k + 2`:
 * rows 0 and R0 belong to no relation. Repeated triples change nothing.
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
  const mean = createCsr(normalizeAdjacency(neighbourGraph(data, { selfLoops: true }), 'row'));
  return {
    mean,
    pattern,
    dispose() {
      mean.dispose();
      pattern.dispose();
    },
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
 * The states of one encoder: its start and the result of each layer.
 *
 * `h^0 = tanh(start)`, `h_i^(l+1) = tanh( sum_j a_ij (h_j^l - 2 (h_j^l . r_ij) r_ij) )`, `a_ij` the
 * soft-max of `r_ij . k_l` over the neighbours of i: `reflectionAttention` of `@lab/graph`. Without
 * a neighbour `h^1` and all later states are 0.
 * Source: sutaoyu/LoginMEA, `src/models.py`, `MrFusionGraphAttention`; equation not verified.
 *
 * @param start - `[N, D]`.
 * @returns h^0 ... h^L, `[N, D]` each, L the number of kernels.
 * @throws {ShapeError} when the shapes do not fit.
 */
export function reflectionStates(
  start: tf.Tensor2D,
  { pattern, setVectors, kernels }: RelationNetwork,
): tf.Tensor2D[] {
  return tf.tidy(() => {
    const states: tf.Tensor2D[] = [tf.tanh(start)];
    for (const kernel of kernels) {
      states.push(reflectionAttention(states.at(-1)!, { pattern, setVectors, kernel }));
    }
    return states;
  });
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
  network: RelationNetwork,
): tf.Tensor2D[] {
  return tf.tidy(() => reflectionStates(neighbourhoodMean(entity, graph), network));
}

/**
 * Output of the joint encoder: it starts from the fused vectors, but puts the early feature out in
 * place of that start.
 *
 * `J = [tanh(g) ; h^1 ; ... ; h^L]`, `h^0 = tanh(f)`
 * Source: sutaoyu/LoginMEA, `src/models.py`, `MrFusionGraphAttention`; equation not verified.
 *
 * @param local - f, `[N, D]`, and g, `[N, M D]`.
 * @returns the blocks of J: `[N, M D]`, then L of `[N, D]`.
 * @throws {ShapeError} when the shapes do not fit.
 */
export function jointBlocks(
  local: { readonly fused: tf.Tensor2D; readonly early: tf.Tensor2D },
  network: RelationNetwork,
): tf.Tensor2D[] {
  return tf.tidy(() => [
    tf.tanh<tf.Tensor2D>(local.early),
    ...reflectionStates(local.fused, network).slice(1),
  ]);
}

/** r of every relation set, for both encoders, `[U, D]`; see `relationVectors` of `@lab/graph`. */
export function sharedSetVectors(
  parameters: Pick<Parameters, 'get'>,
  { pattern }: Pick<RelationGraph, 'pattern'>,
): tf.Tensor2D {
  return relationVectors(parameters.get('relation') as tf.Tensor2D, pattern);
}

/** The kernels of one encoder among the parameters of a model, first layer first. */
export function relationKernels(
  parameters: Pick<Parameters, 'get'>,
  encoder: RelationEncoder,
  layers: number,
): tf.Tensor1D[] {
  return Array.from(
    { length: layers },
    (_, layer) => parameters.get(kernelName(encoder, layer)) as tf.Tensor1D,
  );
}

/**
 * Adds `entity`, `relation` and `<encoder>.kernel.layer<l>`, each drawn from the stream of its own
 * name.
 *
 * Starts: Xavier-uniform, uniform in `+-sqrt(6 / (rows + columns))`; a kernel counts as `[D, 1]`.
 * Source: sutaoyu/LoginMEA, `src/models.py`, `MultiModalEncoderMrFusion`; equation not verified.
 */
export function addRelationParameters(
  parameters: Parameters,
  { entityCount, directedRelations, size, layers, encoders }: RelationSize,
  random: Random,
): void {
  parameters.add('entity', xavierUniform([entityCount, size], random.fork('entity')));
  parameters.add('relation', xavierUniform([directedRelations, size], random.fork('relation')));
  for (const encoder of encoders) {
    for (let layer = 0; layer < layers; layer += 1) {
      const name = kernelName(encoder, layer);
      parameters.add(name, xavierUniform([size], random.fork(name)));
    }
  }
}

function kernelName(encoder: RelationEncoder, layer: number): string {
  return `${encoder}.kernel.layer${layer}`;
}
