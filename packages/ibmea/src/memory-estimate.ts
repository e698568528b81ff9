/**
 * How much memory a training will need, said before it starts.
 */
import { BackendError, formatBytes, formatCount } from '@lab/core';
import { selectedBackend } from '@lab/tensor';
import type { IbmeaConfig } from './config.js';
import type { AlignmentTask } from './data.js';

/** Arrays of the width of the graph posterior that live at the same time, at the peak. */
const GRAPH_ARRAYS = 14;
/** The same for every other modality. */
const FEATURE_ARRAYS = 14;
/** Bytes of code, tables and fragments that do not depend on the data. */
const BASE_BYTES = 64e6;

/**
 * Bytes that the tensor backend will hold at the peak of a training, within about a fifth.
 *
 * Counted per entity (parameters with moments and gradient, activations kept for the backward
 * pass), per neighbour pair (attention coefficients) and per seed pair (rows of the loss).
 */
export function estimateTensorBytes(task: AlignmentTask, { model, data, training }: IbmeaConfig) {
  const entities = task.data.entityCount;
  const edges = 2 * task.data.triples.heads.length + entities;
  const pairs = Math.min(training.batchSize, task.split.seeds.length / 2);
  const others = data.modalities.filter((modality) => modality !== 'graph').length;
  const graph = data.modalities.includes('graph') ? GRAPH_ARRAYS * model.graphSize : 0;
  const perEntity = graph + FEATURE_ARRAYS * others * model.featureSize;
  const images = task.data.images === null ? 0 : 2 * task.data.images.dimension;
  const rows = 12 * (model.graphSize + others * model.featureSize);
  const bytes =
    4 * (entities * (perEntity + images) + edges * (8 + 4 * model.heads) + 2 * pairs * rows);
  return BASE_BYTES + bytes;
}

/**
 * Stops before a training that the backend cannot hold.
 *
 * @throws {BackendError} with the sizes and what to do.
 */
export function assertFits(task: AlignmentTask, config: IbmeaConfig): void {
  const backend = selectedBackend();
  const limit = backend?.memoryLimitBytes ?? null;
  const needed = estimateTensorBytes(task, config);
  if (backend === null || limit === null || needed <= limit) return;
  throw new BackendError(
    `ibmea/train: ${formatCount(task.data.entityCount)} entities with width ` +
      `${config.model.graphSize} need about ${formatBytes(needed)}, backend ${backend.name} ` +
      `holds ${formatBytes(limit)}.`,
    {
      help: 'use a smaller model.graphSize, or a backend without that limit: --backend tensorflow',
      details: { needed, limit, entities: task.data.entityCount },
    },
  );
}
