/**
 * What a long run will take, said before it begins.
 */
import { formatBytes, formatDuration } from '@lab/core';
import type { CliContext } from '@lab/core/cli';
import { readModelConfig } from '../model-config.js';
import { estimateRun } from '../run-estimate.js';
import {
  type BatchShape,
  outlineOperations,
  outlineReadBytes,
  type RunOutline,
} from '../run-outline.js';
import type { TokenInput } from '../token-batch.js';
import { openCheckpoint } from '../weights/checkpoint.js';
import { matchWeights, ownWeights, weightList } from '../weights/expected-weights.js';

/** Operations from which on a run is long, about half a minute on two cores. */
const LONG = 5e12;
/** Bytes from files from which on a run is long. */
const MUCH = 2e10;

/** Sizes of batches. */
export const shapesOf = (batches: readonly TokenInput[]): BatchShape[] =>
  batches.map(({ ids }) => ({ batchSize: ids.length, length: ids[0]!.length }));

/** Says what a long run of a decoder will take; of a short one nothing, and nothing is measured. */
export async function sayEstimate(
  context: CliContext,
  folder: string,
  outline: RunOutline,
): Promise<void> {
  if (!isLong(folder, outline)) return;
  context.progress.update('measuring two blocks');
  const { signal } = context;
  const estimate = await estimateRun(folder, { ...outline, signal });
  const { residency, loadSeconds, runSeconds, peakBytes } = estimate;
  const time = formatDuration(loadSeconds + runSeconds);
  context.note(`weights ${residency}; it will take about ${time} and ${formatBytes(peakBytes)}`);
}

function isLong(folder: string, outline: RunOutline): boolean {
  const model = readModelConfig(folder);
  if (outlineOperations(model.architecture, outline) >= LONG) return true;
  const files = openCheckpoint(folder);
  try {
    const own = ownWeights(files, matchWeights(weightList(model), files));
    return outlineReadBytes(own, outline) >= MUCH;
  } finally {
    files.close();
  }
}
