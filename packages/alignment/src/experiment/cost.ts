/**
 * What an epoch costs: seconds and memory on a made-up pair of graphs.
 */
import { createRandom, type ResolvedConfig } from '@lab/core';
import { neighbourGraph, splitLinks, syntheticPair } from '@lab/graph';
import { resetAllocationRecord } from '@lab/tensor';
import type { AlignmentConfig } from '../config-fields.js';
import type { AlignmentMethod } from '../method.js';
import { peakTensorBytes } from '../peak-memory.js';
import { train } from '../training-run.js';
import { costNames } from './results.js';

/** Epochs that are timed, after one that is not. */
const TIMED_EPOCHS = 3;

/** What a cost is measured with. */
export interface CostOptions {
  readonly config: ResolvedConfig<AlignmentConfig>;
  /** Entities of each graph. */
  readonly entities: number;
  readonly signal?: AbortSignal | undefined;
  /** Seconds of a clock that only moves forward. */
  readonly now?: (() => number) | undefined;
}

/**
 * Seconds per epoch (the least of three, after a first one that is left out), the most tensor
 * memory in use (MB), and neighbour pairs with self loops, by the names of `costNames`.
 *
 * Backends that do not count their allocations give the memory in use at the end.
 */
export async function measureCost(
  method: AlignmentMethod,
  options: CostOptions,
): Promise<Record<string, number>> {
  const { config, entities, signal, now } = options;
  const random = createRandom(config.config.seed).fork(`scale/${entities}`);
  const data = syntheticPair({ entities, random });
  const split = await splitLinks(data, { share: 0.3 });
  const seconds: number[] = [];
  resetAllocationRecord();
  const { state } = await train(method, {
    data: { data, split },
    config: costConfig(config),
    signal,
    now,
    onProgress: (progress) => {
      if (progress.stage === 'epoch') seconds.push(progress.seconds);
    },
  });
  const peakBytes = peakTensorBytes();
  state.dispose();
  return {
    [costNames.edges]: neighbourGraph(data, { selfLoops: true }).columns.length,
    [costNames.seconds]: Math.min(...seconds.slice(1)),
    [costNames.megabytes]: Math.round(peakBytes / 1e6),
  };
}

/** The config with as many epochs as are timed and nothing measured between them. */
function costConfig(resolved: ResolvedConfig<AlignmentConfig>): ResolvedConfig<AlignmentConfig> {
  const { config } = resolved;
  return {
    ...resolved,
    config: {
      ...config,
      training: { ...config.training, epochs: 1 + TIMED_EPOCHS },
      evaluation: { ...config.evaluation, enabled: false },
    },
  };
}
