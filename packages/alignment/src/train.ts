/**
 * The training loop: one full-graph step per epoch, evaluations and pseudo seeds in between.
 *
 * Every draw comes from a stream named after the epoch, so a state that holds parameters, moments,
 * seeds and proposals is enough to go on with the same results.
 */
import { InterruptedError, type Random } from '@lab/core';
import type { EpochRecord } from './epoch-record.js';
import { evaluationRound } from './evaluation-round.js';
import { pseudoSeedRound } from './pseudo-seed-round.js';
import type { SearchWatch } from './search/search.js';
import { selectEpoch } from './selection.js';
import type { TrainingState } from './training-state.js';

/** An epoch has ended. */
export interface EpochEvent {
  readonly record: EpochRecord;
  readonly state: TrainingState;
  /** True when this epoch's evaluation became the selected one. */
  readonly isSelected: boolean;
}

/** Hooks of the loop. */
export interface TrainingHooks {
  readonly signal?: AbortSignal | undefined;
  /** While pairs are searched for pseudo seeds, where an index is. */
  readonly onSearch?: SearchWatch['onProgress'];
  /** After every epoch, with the state as it is then; saving happens here. */
  readonly onEpoch?: (event: EpochEvent) => Promise<void> | void;
}

/** Pairs of entities, row by row. */
export interface SeedBatch {
  readonly left: Int32Array;
  readonly right: Int32Array;
}

/**
 * Trains from the state's epoch to the configured one.
 *
 * @throws {InterruptedError} when the signal aborts; the state is that of the last whole epoch, or
 *   holds one whose search or evaluation was broken off, and goes on from there.
 * @throws {ModelError} when a loss is not finite.
 */
export async function trainEpochs(state: TrainingState, hooks: TrainingHooks = {}): Promise<void> {
  const { epochs, patience } = state.config.training;
  while (state.epoch < epochs && (patience === 0 || state.selection.waited < patience)) {
    if (hooks.signal?.aborted === true) {
      throw new InterruptedError(`${state.name}/train: interrupted after epoch ${state.epoch}.`);
    }
    const record = await trainEpoch(state, hooks).catch((cause: unknown) => {
      const { signal } = hooks;
      if (signal?.aborted !== true || cause !== signal.reason) throw cause;
      const place = `in epoch ${state.epoch + 1}`;
      throw new InterruptedError(`${state.name}/train: interrupted ${place}.`, { cause });
    });
    state.epoch += 1;
    await breathe();
    const isSelected = selectEpoch(state, record);
    await hooks.onEpoch?.({ record, state, isSelected });
  }
}

/** Lets signals, timers and progress have their turn: an epoch computes without a pause. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** One epoch, or what is left of it: step, pseudo seeds, evaluation. */
async function trainEpoch(state: TrainingState, hooks: TrainingHooks): Promise<EpochRecord> {
  const random = state.random.fork(`epoch/${state.epoch}`);
  const { signal, onSearch } = hooks;
  state.unfinished ??= { record: await stepRecord(state, random), isProposed: false };
  if (!state.unfinished.isProposed) {
    const pseudoSeeds = await pseudoSeedRound(state, random, { signal, onProgress: onSearch });
    const { record } = state.unfinished;
    const whole = pseudoSeeds === null ? record : { ...record, pseudoSeeds };
    state.unfinished = { record: whole, isProposed: true };
  }
  const evaluation = await evaluationRound(state, random, signal);
  const { record } = state.unfinished;
  state.unfinished = null;
  return { ...record, ...evaluation };
}

/** The record of one optimiser step. */
async function stepRecord(state: TrainingState, random: Random): Promise<EpochRecord> {
  const { epoch, seeds } = state;
  const { learningRate, loss, ...step } = await state.learner.step({ epoch, seeds, random });
  return { epoch, learningRate, loss, ...step, seeds: seeds.length / 2 };
}

/** The seed pairs in random order, cut into batches; a last batch of one joins its neighbour. */
export function seedBatches(seeds: Int32Array, batchSize: number, random: Random): SeedBatch[] {
  const order = random.permutation(seeds.length / 2);
  const batches: SeedBatch[] = [];
  for (let start = 0; start < order.length; ) {
    const rest = order.length - start;
    const size = rest - batchSize === 1 ? rest : Math.min(batchSize, rest);
    const rows = order.subarray(start, start + size);
    batches.push({
      left: Int32Array.from(rows, (row) => seeds[2 * row]!),
      right: Int32Array.from(rows, (row) => seeds[2 * row + 1]!),
    });
    start += size;
  }
  return batches;
}
