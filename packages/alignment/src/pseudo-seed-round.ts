/**
 * Pseudo seeds: pairs that the model itself is sure of, added to the seeds while it trains.
 *
 * Every few epochs the mutual nearest neighbours among the entities without a seed are proposed,
 * with the noise of training on; only pairs that survive every proposal since the last replacement
 * are accepted.
 * Source: sutaoyu/IBMEA, `src/run.py`, and sutaoyu/LoginMEA, `src/run.py`; equation not verified.
 */
import type { Random } from '@lab/core';
import { comparedRows } from './compared-rows.js';
import type { PseudoSeedRecord } from './epoch-record.js';
import { searchMutual, type SearchWatch } from './search/search.js';
import type { TrainingState } from './training-state.js';

/**
 * One epoch's part of the procedure: proposes, accepts or removes when it is due.
 *
 * @returns what happened, or null when nothing was due; the state's seeds are updated.
 * @throws the reason of the signal when it aborts; nothing is changed then.
 */
export async function pseudoSeedRound(
  state: TrainingState,
  random: Random,
  watch: SearchWatch = {},
): Promise<PseudoSeedRecord | null> {
  const { config, pseudoSeeds, epoch, task } = state;
  if (!config.pseudoSeeds.enabled || !pseudoSeeds.isDue(epoch)) return null;
  const mutual = await proposePairs(state, random.fork('proposal'), watch);
  const { candidates, added, removed } = pseudoSeeds.step(epoch, mutual);
  state.seeds = pseudoSeeds.seeds();
  return {
    candidates,
    accepted: added.length / 2,
    removed: removed.length / 2,
    removedCorrect: countGold(removed, task.data.links),
    correct: countGold(added, task.data.links),
  };
}

/** Mutual nearest neighbours among the entities without a seed, interleaved dense pairs. */
async function proposePairs(
  state: TrainingState,
  random: Random,
  watch: SearchWatch,
): Promise<Int32Array> {
  const { left, right } = state.pseudoSeeds.open();
  if (left.length === 0 || right.length === 0) return new Int32Array(0);
  const encoding = state.learner.encode(random);
  const noise = { random: random.fork('noise'), signal: watch.signal };
  const embedding = comparedRows(encoding, { left, right }, noise);
  const rows = await embedding.finally(() => encoding.dispose());
  try {
    const { search } = state.config.evaluation;
    const found = await searchMutual(rows, { search, random: random.fork('search'), ...watch });
    return found.map((row, at) => (at % 2 === 0 ? left[row]! : right[row]!));
  } finally {
    rows.dispose();
  }
}

/** How many of the pairs are among the links. */
function countGold(pairs: Int32Array, links: Int32Array): number {
  const gold = new Set<string>();
  for (let at = 0; at < links.length; at += 2) gold.add(`${links[at]} ${links[at + 1]}`);
  let count = 0;
  for (let at = 0; at < pairs.length; at += 2) {
    if (gold.has(`${pairs[at]} ${pairs[at + 1]}`)) count += 1;
  }
  return count;
}
