/**
 * The floor: what the seeds alone say, without training and without names.
 */
import { createRandom } from '@lab/core';
import { propagateSeeds } from '@lab/graph';
import { HostRows } from '@lab/tensor';
import type { AlignmentConfig } from './config-fields.js';
import type { AlignmentTask } from './data.js';
import type { AlignmentMetrics } from './alignment-metrics.js';
import { candidateSides, rankedPairs } from './evaluate.js';
import { rankCounterparts } from './search/search.js';

/** Metrics of the training-free baseline, with and without attribute names. */
export interface BaselineResult extends AlignmentMetrics {
  /** Whether attribute names that both graphs share were used. */
  readonly attributes: boolean;
  /** What the ranking did otherwise than asked, for the user; absent without anything. */
  readonly remarks?: readonly string[];
}

/** From so many entities of both graphs on, labels are narrower: memory grows with the product. */
const MANY_ENTITIES = 300_000;
const NARROW_WIDTH = 128;

/**
 * Hits@k and MRR of seed propagation on the test links, ranked as the model is.
 *
 * Attribute names count where the config and both graphs have them.
 */
export async function measureBaseline(
  task: AlignmentTask,
  config: AlignmentConfig,
  signal?: AbortSignal,
): Promise<BaselineResult> {
  const { data, split } = task;
  const attributes = config.data.modalities.includes('attribute') && data.attributes !== null;
  const random = createRandom(config.seed).fork('baseline');
  const seeds = { seeds: split.seeds, test: new Int32Array(0) }; // the rows are taken below
  const width = data.entityCount > MANY_ENTITIES ? NARROW_WIDTH : undefined;
  const found = await propagateSeeds(data, seeds, {
    ...{ attributes, random, signal },
    ...(width === undefined ? {} : { width }),
  });
  const sides = candidateSides(data, split.test, config.evaluation.candidates);
  const rowsOf = (entities: Int32Array) => {
    const rows = new HostRows(entities.length, found.dimension);
    entities.forEach((entity, row) => {
      const start = entity * found.dimension;
      const source = found.embeddings.subarray(start, start + found.dimension);
      rows.values.set(source, row * found.dimension);
    });
    return rows;
  };
  const rows = { left: rowsOf(sides.left), right: rowsOf(sides.right), dispose: () => {} };
  const { cslsNeighbours, search } = config.evaluation;
  const options = { search, cslsNeighbours, random: random.fork('search'), signal };
  const ranks = await rankCounterparts(rows, sides.gold, options);
  const { forward, backward } = rankedPairs(ranks, sides.rows);
  const remarks = ranks.remarks.map((remark) => `baseline: ${remark}`);
  return { forward, backward, attributes, ...(remarks.length > 0 ? { remarks } : {}) };
}
