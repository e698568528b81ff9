/**
 * The training loop: one full-graph step per epoch, evaluations and pseudo seeds in between.
 *
 * Every draw comes from a stream named after the epoch, so a state that holds parameters, moments,
 * seeds and proposals is enough to go on with the same results.
 */
import { InterruptedError, LabError, type Random } from '@lab/core';
import { tf, warmupCosine } from '@lab/tensor';
import { countNonFinite } from './bottleneck.js';
import type { IbmeaConfig } from './config.js';
import type { EpochRecord } from './epoch-record.js';
import { disposePosteriors, encodeOutside } from './evaluate.js';
import { evaluationRound } from './evaluation-round.js';
import type { SeedBatch } from './losses.js';
import { drawNoise, epochDropout } from './noise.js';
import { pseudoSeedRound } from './pseudo-seeds.js';
import { selectEpoch } from './selection.js';
import { type StepResult, trainStep } from './step.js';
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
  /** After every epoch, with the state as it is then; saving happens here. */
  readonly onEpoch?: (event: EpochEvent) => Promise<void> | void;
}

/**
 * Trains from the state's epoch to the configured one.
 *
 * @throws {InterruptedError} when the signal aborts; the state is that of the last whole epoch.
 * @throws {ModelError} when a loss is not finite.
 */
export async function trainEpochs(state: TrainingState, hooks: TrainingHooks = {}): Promise<void> {
  const { epochs, patience } = state.config.training;
  while (state.epoch < epochs && (patience === 0 || state.selection.waited < patience)) {
    if (hooks.signal?.aborted === true) {
      throw new InterruptedError(`ibmea/train: interrupted after epoch ${state.epoch}.`);
    }
    const record = await trainEpoch(state);
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

/** One epoch: draws, step, pseudo seeds, evaluation. */
async function trainEpoch(state: TrainingState): Promise<EpochRecord> {
  const { config, epoch } = state;
  const random = state.random.fork(`epoch/${epoch}`);
  const learningRate = config.training.learningRate * scheduleFactor(config, epoch);
  const pairs = state.seeds.length / 2;
  const { result, repaired } = await stepOrRepair(state, random, learningRate);
  const pseudoSeeds = await pseudoSeedRound(state, random);
  const evaluation = await evaluationRound(state, random);
  return {
    epoch,
    learningRate,
    loss: result.batches.reduce((sum, batch) => sum + batch.total, 0),
    batches: result.batches,
    gradientNorms: result.gradientNorms,
    seeds: pairs,
    ...(pseudoSeeds === null ? {} : { pseudoSeeds }),
    ...evaluation,
    ...(await fusionWeights(state)),
    ...(repaired === 0 ? {} : { repaired }),
  };
}

/** Learning rate of an epoch as a share of its peak; the first epoch of a warm-up has rate 0. */
export function scheduleFactor(config: IbmeaConfig, epoch: number): number {
  if (config.training.schedule === 'constant') return 1;
  return warmupCosine(config.training)(epoch);
}

/** One optimiser step over all seed batches, shuffled. */
function step(state: TrainingState, random: Random, learningRate: number): Promise<StepResult> {
  const { config, model, seeds } = state;
  return trainStep(model, state.optimizer, {
    batches: seedBatches(seeds, config.training.batchSize, random.fork('seeds')),
    noise: drawNoise(config.model, model.modalities, random.fork('noise')),
    dropout: epochDropout(config.model.dropout, random.fork('dropout')),
    learningRate,
    repair: state.repair,
  });
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

/**
 * The step; in mode official, a KL term that is not finite is repaired as the released code does,
 * counted, and the step is taken again.
 */
async function stepOrRepair(
  state: TrainingState,
  random: Random,
  learningRate: number,
): Promise<{ result: StepResult; repaired: number }> {
  try {
    return { result: await step(state, random, learningRate), repaired: 0 };
  } catch (error) {
    const isRepairable = LabError.is(error) && error.details['term'] === 'KL' && !state.repair;
    if (!isRepairable || state.config.model.prior !== 'official') throw error;
    const repaired = await countRepairs(state, random);
    state.repair = true;
    return { result: await step(state, random, learningRate), repaired };
  }
}

/** Entries of the posteriors that are not finite in this epoch's forward pass. */
async function countRepairs(state: TrainingState, random: Random): Promise<number> {
  const dropout = epochDropout(state.config.model.dropout, random.fork('dropout'));
  const posteriors = encodeOutside(state.model, dropout);
  let count = 0;
  for (const { mean, scale } of Object.values(posteriors)) {
    count += await countNonFinite(mean);
    if (scale !== null) count += await countNonFinite(scale);
  }
  disposePosteriors(posteriors);
  return count;
}

/** The soft-max of the fusion scores, where there are such. */
async function fusionWeights(state: TrainingState): Promise<Pick<EpochRecord, 'fusionWeights'>> {
  if (state.config.model.fusion !== 'weighted') return {};
  const scores = state.model.parameters.get('fusion.weights') as tf.Tensor1D;
  const weights = tf.softmax(scores);
  const values = Array.from(await weights.data());
  weights.dispose();
  return { fusionWeights: values };
}
