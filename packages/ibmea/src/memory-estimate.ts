/**
 * How much memory a training will need, said before it starts.
 */
import { BackendError, formatBytes, formatCount } from '@lab/core';
import { selectedBackend } from '@lab/tensor';
import type { IbmeaConfig } from './config.js';
import type { AlignmentTask } from './data.js';

/** Arrays of the graph's width per entity at the peak: all kept, or graph layers recomputed. */
const GRAPH_ARRAYS = { kept: 14.5, recomputed: 9.5 };
/** The same for every other modality. */
const FEATURE_ARRAYS = 5;
/** Arrays of the fused width per seed pair: samples, normalised rows and their gradients. */
const PAIR_ARRAYS = 16;
/** Similarities that the hybrid loss keeps instead of computing them twice, at most. */
const CACHE_BYTES = 192 * 2 ** 20;
/** Bytes of code, tables and fragments that do not depend on the data. */
const BASE_BYTES = 64e6;
/** Share of the backend's limit that can be used before fragments leave no room for an array. */
const USABLE = 0.8;
/** Share of the backend's limit from which `auto` recomputes. */
const RECOMPUTE_FROM = 0.7;

/**
 * Bytes that the tensor backend will hold at the peak of a training, within about a fifth.
 *
 * Counted per entity (parameters with moments and gradient, activations kept for the backward
 * pass), per neighbour pair (attention coefficients) and per seed pair (rows of the losses and
 * their cached similarities). The constants are measured: 0.66 and 1.84 GB at 20,000 and 60,000
 * entities with all layers kept, 1.41 GB at 60,000 recomputed; at 200,000 3.6 GB were in use when
 * the next array did not fit.
 */
export function estimateTensorBytes(
  task: AlignmentTask,
  { model, data, training }: IbmeaConfig,
  graphLayers: 'kept' | 'recomputed',
): number {
  const entities = task.data.entityCount;
  const edges = 2 * task.data.triples.heads.length + entities;
  const seeds = task.split.seeds.length / 2;
  const batch = Math.min(training.batchSize, seeds);
  const pairs = graphLayers === 'kept' ? seeds : batch;
  const others = data.modalities.filter(
    (modality) =>
      modality === 'relation' ||
      (modality === 'attribute' && task.data.attributes !== null) ||
      (modality === 'image' && task.data.images !== null),
  ).length;
  const isGraphUsed = data.modalities.includes('graph');
  const graph = isGraphUsed ? GRAPH_ARRAYS[graphLayers] * model.graphSize : 0;
  const images = task.data.images === null ? 0 : 2 * task.data.images.dimension;
  const perEntity = graph + FEATURE_ARRAYS * others * model.featureSize + images;
  const perPair = PAIR_ARRAYS * (model.graphSize + others * model.featureSize);
  const perEdge = 8 + 4 * model.heads;
  const cache = Math.min(CACHE_BYTES, 8 * batch ** 2);
  return BASE_BYTES + cache + 4 * (entities * perEntity + edges * perEdge + pairs * perPair);
}

/** Whether graph layers are computed again in the backward pass. */
export function isRecomputed(task: AlignmentTask, config: IbmeaConfig): boolean {
  const { recompute } = config.training;
  if (recompute !== 'auto') return recompute === 'always';
  const limit = selectedBackend()?.memoryLimitBytes ?? null;
  return limit !== null && estimateTensorBytes(task, config, 'kept') > RECOMPUTE_FROM * limit;
}

/** What a training is expected to hold in the backend, and what the backend can hold. */
export interface MemoryExpectation {
  /** Bytes at the peak, within about a fifth. */
  readonly tensorBytes: number;
  /** Most that the backend holds, bytes; null without such a limit. */
  readonly limitBytes: number | null;
  readonly fits: boolean;
  /** Whether graph layers are kept for the backward pass or computed again. */
  readonly graphLayers: 'kept' | 'recomputed';
}

/** The memory that a training will need on the selected backend. */
export function expectedMemory(task: AlignmentTask, config: IbmeaConfig): MemoryExpectation {
  const graphLayers = isRecomputed(task, config) ? 'recomputed' : 'kept';
  const tensorBytes = estimateTensorBytes(task, config, graphLayers);
  const limitBytes = selectedBackend()?.memoryLimitBytes ?? null;
  return {
    tensorBytes,
    limitBytes,
    fits: USABLE * (limitBytes ?? Infinity) >= tensorBytes,
    graphLayers,
  };
}

/**
 * Stops before a training that the backend cannot hold.
 *
 * @throws {BackendError} with the sizes and what to do.
 */
export function assertFits(task: AlignmentTask, config: IbmeaConfig): void {
  const backend = selectedBackend();
  const { tensorBytes: needed, limitBytes: limit, fits } = expectedMemory(task, config);
  if (backend === null || limit === null || fits) return;
  throw new BackendError(
    `ibmea/train: ${formatCount(task.data.entityCount)} entities with width ` +
      `${config.model.graphSize} need about ${formatBytes(needed)}, backend ${backend.name} ` +
      `holds ${formatBytes(limit)}, ${formatBytes(USABLE * limit)} of it without fragments.`,
    {
      help: 'use a smaller model.graphSize, or a backend without that limit: --backend tensorflow',
      details: { needed, limit, entities: task.data.entityCount },
    },
  );
}
