/**
 * How much memory a training will need, said before it starts.
 */
import {
  type AlignmentTask,
  expectedEvidenceBytes,
  type MemoryExpectation,
  memoryExpectation,
  withEvidence,
} from '@lab/alignment';
import { selectedBackend } from '@lab/tensor';
import type { IbmeaConfig } from './config.js';

/**
 * Arrays of a modality's width per entity at the peak. Kept: parameters with moments, activations
 * and gradients of the whole step. Recomputed: posteriors and what makes them (`state`), their
 * gradients summed over the batches (`sums`), and those of one batch on their way (`batch`); the
 * moments are in the host's memory.
 */
const GRAPH_ARRAYS = { kept: 14.5, state: 3, sums: 2, batch: 3 };
const FEATURE_ARRAYS = { kept: 5, state: 3, sums: 2, batch: 2 };
/** Arrays of the fused width per seed pair: samples, normalised rows and their gradients. */
const PAIR_ARRAYS = 16;
/** Similarities that the hybrid loss keeps instead of computing them twice, at most. */
const CACHE_BYTES = 192 * 2 ** 20;
/** Bytes of code, tables and fragments that do not depend on the data. */
const BASE_BYTES = 32e6;
/** Share of the backend's limit from which `auto` recomputes. */
const RECOMPUTE_FROM = 0.7;

/** Numbers of a task that decide how much memory it needs. */
interface Sizes {
  readonly entities: number;
  readonly edges: number;
  readonly seeds: number;
  /** Pairs of a seed batch. */
  readonly batch: number;
  /** Widths of the graph and of all other modalities together; 0 without. */
  readonly graph: number;
  readonly features: number;
  readonly images: number;
}

function sizesOf(task: AlignmentTask, { model, data, training }: IbmeaConfig): Sizes {
  const entities = task.data.entityCount;
  const seeds = task.split.seeds.length / 2;
  const others = data.modalities.filter(
    (modality) =>
      modality === 'relation' ||
      (modality === 'attribute' && task.data.attributes !== null) ||
      (modality === 'image' && task.data.images !== null),
  ).length;
  return {
    entities,
    edges: 2 * task.data.triples.heads.length + entities,
    seeds,
    batch: Math.min(training.batchSize, seeds),
    graph: data.modalities.includes('graph') ? model.graphSize : 0,
    features: others * model.featureSize,
    images: task.data.images === null ? 0 : 2 * task.data.images.dimension,
  };
}

/**
 * Bytes that the tensor backend will hold at the peak of a training, within about a fifth.
 *
 * Counted per entity (parameters, activations kept for the backward pass, gradients), per neighbour
 * pair (attention coefficients) and per seed pair (rows of the losses and their cached
 * similarities). With graph layers recomputed the peak is either in the loss of a batch or where
 * its gradients go back to the entities. Measured: 3.24 GB at 200,000 entities recomputed, where
 * this says 3.27.
 */
export function estimateTensorBytes(
  task: AlignmentTask,
  config: IbmeaConfig,
  graphLayers: 'kept' | 'recomputed',
): number {
  const sizes = sizesOf(task, config);
  const { entities, edges, seeds, batch, graph, features, images } = sizes;
  const of = (arrays: keyof typeof GRAPH_ARRAYS) =>
    entities * (GRAPH_ARRAYS[arrays] * graph + FEATURE_ARRAYS[arrays] * features);
  const cache = Math.min(CACHE_BYTES, 8 * batch ** 2) / 4;
  const rows = (pairs: number) => PAIR_ARRAYS * pairs * (graph + features) + cache;
  const step =
    graphLayers === 'kept'
      ? of('kept') + rows(seeds)
      : of('state') + of('sums') + Math.max(rows(batch), of('batch'));
  const inputs = entities * images + edges * (8 + 4 * config.model.heads);
  return BASE_BYTES + 4 * (step + inputs);
}

/** Whether graph layers are computed again in the backward pass. */
export function isRecomputed(task: AlignmentTask, config: IbmeaConfig): boolean {
  const { recompute } = config.training;
  if (recompute !== 'auto') return recompute === 'always';
  const limit = selectedBackend()?.memoryLimitBytes ?? null;
  return limit !== null && estimateTensorBytes(task, config, 'kept') > RECOMPUTE_FROM * limit;
}

/** Numbers of a row of each modality, and of the fused vectors. */
function rowWidths(task: AlignmentTask, config: IbmeaConfig): number[] {
  const { graph, features } = sizesOf(task, config);
  const others = Array.from({ length: features / config.model.featureSize }, () => {
    return config.model.featureSize;
  });
  return [...others, ...(graph > 0 ? [graph] : []), graph + features];
}

/** The memory that a training will need on the selected backend. */
export function expectedMemory(task: AlignmentTask, config: IbmeaConfig): MemoryExpectation {
  const graphLayers = isRecomputed(task, config) ? 'recomputed' : 'kept';
  const tensorBytes = estimateTensorBytes(task, config, graphLayers);
  const evidence = expectedEvidenceBytes(task, config, rowWidths(task, config));
  return withEvidence(memoryExpectation(tensorBytes, graphLayers), evidence);
}
