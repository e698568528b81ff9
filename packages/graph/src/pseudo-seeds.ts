import { l2NormalizeRows, mutualNearest, scope, tf } from '@lab/tensor';
import { ConfigError, DataError } from '@lab/core';
import type { AlignmentData } from './knowledge-graph.js';
import { pairKey } from './link-table.js';

/** When pairs are proposed and accepted; epochs count from 0. */
export interface PseudoSeedSchedule {
  /** First epoch with proposals, default 20. */
  readonly start?: number | undefined;
  /** A proposal when `(epoch + 1) % proposeEvery == 0`, default 5. */
  readonly proposeEvery?: number | undefined;
  /** Candidates become seeds when `(epoch + 1) % acceptEvery == 0`, default 50. */
  readonly acceptEvery?: number | undefined;
}

/** Options of {@link createPseudoSeeds}. */
export interface PseudoSeedOptions extends PseudoSeedSchedule {
  readonly data: Pick<AlignmentData, 'left' | 'right' | 'entityCount'>;
  /** Gold seeds, interleaved dense pairs; they are never removed. */
  readonly seeds: Int32Array;
  /**
   * Whether an accepted pair that is no longer mutual at a later acceptance is given up again;
   * default false, as in the reference code.
   */
  readonly removal?: boolean | undefined;
}

/** Plain data from which the pseudo seeds of a stopped training go on. */
export interface PseudoSeedState {
  readonly candidates: number[];
  readonly accepted: number[];
}

/** What one epoch did to the pseudo seeds. */
export interface PseudoSeedStep {
  /** Pairs in the candidate set after the step. */
  readonly candidates: number;
  /** Pairs accepted in this step, interleaved. */
  readonly added: Int32Array;
  /** Pairs given up in this step, interleaved. */
  readonly removed: Int32Array;
}

/** Pseudo seeds of one training. */
export interface PseudoSeeds {
  /** Whether this epoch needs {@link PseudoSeeds.step}. */
  isDue(epoch: number): boolean;
  /**
   * Entities that are in no seed, for the search: `left` of KG1, `right` of KG2 (with removal:
   * including those in pseudo seeds).
   */
  open(): { left: Int32Array; right: Int32Array };
  /**
   * Takes the mutual nearest pairs of this epoch (interleaved dense pairs): replaces the candidates
   * when `(epoch + 1) % acceptEvery == proposeEvery`, else keeps those that are in both; then, when
   * due, makes the candidates seeds.
   */
  step(epoch: number, mutual: Int32Array): PseudoSeedStep;
  /** Gold seeds and accepted pairs, interleaved. */
  seeds(): Int32Array;
  /** Accepted pairs only, interleaved. */
  accepted(): Int32Array;
  /** For a checkpoint; see `restore`. */
  state(): PseudoSeedState;
  /** Goes on from a saved state. @throws {DataError} when it does not fit the data. */
  restore(state: PseudoSeedState): void;
}

interface Schedule {
  readonly start: number;
  readonly proposeEvery: number;
  readonly acceptEvery: number;
}

function checkSchedule(options: PseudoSeedSchedule): Schedule {
  const { start = 20, proposeEvery = 5, acceptEvery = 50 } = options;
  for (const [name, value] of Object.entries({ proposeEvery, acceptEvery })) {
    if (Number.isInteger(value) && value > 0) continue;
    const help = 'Give a positive whole number of epochs.';
    throw new ConfigError(`graph/createPseudoSeeds: ${name} is ${value}.`, { help });
  }
  return { start, proposeEvery, acceptEvery };
}

/** Interleaved pairs as a set of keys. */
function keysOf(pairs: ArrayLike<number>): Set<number> {
  const keys = new Set<number>();
  for (let i = 0; i < pairs.length; i += 2) {
    keys.add(pairKey(pairs[i] as number, pairs[i + 1] as number));
  }
  return keys;
}

/** The pairs for which `keep(key)` holds. */
function filterPairs(pairs: readonly number[], keep: (key: number) => boolean): number[] {
  const kept: number[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    const left = pairs[i] as number;
    const right = pairs[i + 1] as number;
    if (keep(pairKey(left, right))) kept.push(left, right);
  }
  return kept;
}

/** Entities of both graphs that are in none of the pair lists. */
function openEntities(
  data: PseudoSeedOptions['data'],
  taken: readonly ArrayLike<number>[],
): { left: Int32Array; right: Int32Array } {
  const used = new Uint8Array(data.entityCount);
  for (const pairs of taken) {
    for (let i = 0; i < pairs.length; i += 1) used[pairs[i] as number] = 1;
  }
  const isOpen = (entity: number): boolean => used[entity] === 0;
  return { left: data.left.filter(isOpen), right: data.right.filter(isOpen) };
}

/**
 * Pseudo seeds as the reference code makes them: from epoch `start` on, every `proposeEvery`
 * epochs the mutual nearest pairs among all entities that are in no seed become the candidates
 * (first proposal after an acceptance) or thin them out (the following ones); every `acceptEvery`
 * epochs the pairs that survived become seeds.
 *
 * Source: sutaoyu/IBMEA, `propose` and accept steps of the training loop; equation not verified.
 *
 * @param options - entities, gold seeds, schedule.
 * @throws {ConfigError} when a period is not a positive whole number.
 */
export function createPseudoSeeds(options: PseudoSeedOptions): PseudoSeeds {
  const { data, seeds: gold } = options;
  const { start, proposeEvery, acceptEvery } = checkSchedule(options);
  const removal = options.removal ?? false;
  let candidates: number[] = [];
  let accepted: number[] = [];
  const accept = (current: Set<number>): { added: Int32Array; removed: Int32Array } => {
    const removed = removal ? filterPairs(accepted, (key) => !current.has(key)) : [];
    const kept = removal ? filterPairs(accepted, (key) => current.has(key)) : accepted;
    const known = keysOf(kept);
    const added = filterPairs(candidates, (key) => !known.has(key));
    accepted = [...kept, ...added];
    candidates = [];
    return { added: Int32Array.from(added), removed: Int32Array.from(removed) };
  };
  return {
    isDue: (epoch) => epoch >= start && (epoch + 1) % proposeEvery === 0,
    open: () => openEntities(data, removal ? [gold] : [gold, accepted]),
    step(epoch, mutual) {
      const current = keysOf(mutual);
      const isFirst = (epoch + 1) % acceptEvery === proposeEvery % acceptEvery;
      if (isFirst) candidates = Array.from(mutual);
      else candidates = filterPairs(candidates, (key) => current.has(key));
      const none = { added: new Int32Array(0), removed: new Int32Array(0) };
      const changes = (epoch + 1) % acceptEvery === 0 ? accept(current) : none;
      return { candidates: candidates.length / 2, ...changes };
    },
    seeds: () => Int32Array.from([...gold, ...accepted]),
    accepted: () => Int32Array.from(accepted),
    state: () => ({ candidates: [...candidates], accepted: [...accepted] }),
    restore(state) {
      checkState(state, data.entityCount);
      candidates = [...state.candidates];
      accepted = [...state.accepted];
    },
  };
}

function checkState(state: PseudoSeedState, entityCount: number): void {
  for (const [name, pairs] of Object.entries(state) as [string, number[]][]) {
    const isKnown = (entity: number): boolean =>
      Number.isInteger(entity) && entity >= 0 && entity < entityCount;
    if (pairs.length % 2 === 0 && pairs.every(isKnown)) continue;
    const help = 'The checkpoint belongs to other data: start again without resuming.';
    throw new DataError(`graph/pseudo-seeds: the saved ${name} do not fit the data.`, { help });
  }
}

/**
 * The mutual nearest pairs among open entities by cosine, which for rows of norm 1 is the smallest
 * squared Euclidean distance; interleaved dense pairs.
 *
 * @param embeddings - `[N, D]`, or samples of that shape whose similarities are averaged; rows are
 *   normalised here.
 * @param open - entities of both graphs that take part.
 */
export async function searchMutualPairs(
  embeddings: tf.Tensor2D | readonly tf.Tensor2D[],
  open: { readonly left: Int32Array; readonly right: Int32Array },
): Promise<Int32Array> {
  if (open.left.length === 0 || open.right.length === 0) return new Int32Array(0);
  const samples = embeddings instanceof tf.Tensor ? [embeddings] : embeddings;
  return scope(async () => {
    const rows = (entities: Int32Array): tf.Tensor2D[] =>
      samples.map((sample) =>
        l2NormalizeRows(tf.gather(sample, tf.tensor1d(entities, 'int32')) as tf.Tensor2D),
      );
    const pairs = await mutualNearest({ left: rows(open.left), right: rows(open.right) });
    return pairs.map((position, i) =>
      i % 2 === 0 ? (open.left[position] as number) : (open.right[position] as number),
    );
  });
}
