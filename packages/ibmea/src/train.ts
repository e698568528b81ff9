/**
 * The training loop: one full-graph step per epoch, evaluations and pseudo seeds in between.
 *
 * Every draw comes from a stream named after the epoch, so a state that holds parameters, moments,
 * seeds and proposals is enough to go on with the same results.
 */
import { createRandom, InterruptedError, LabError, type Random } from '@lab/core';
import { createPseudoSeeds, type PseudoSeeds } from '@lab/graph';
import { type AdamW, createAdamW, type ParameterArray, tf, warmupCosine } from '@lab/tensor';
import type { IbmeaConfig, Modality } from './config.js';
import { type AlignmentTask, createInputs } from './data.js';
import { countNonFinite } from './bottleneck.js';
import {
  type AlignmentMetrics,
  disposePosteriors,
  encodeOutside,
  evaluatePosteriors,
} from './evaluate.js';
import type { SeedBatch } from './losses.js';
import { createModel, type IbmeaModel, type ModelInputs, type Posteriors } from './model.js';
import { isRecomputed } from './memory-estimate.js';
import { drawNoise, epochDropout } from './noise.js';
import { pseudoSeedRound, type PseudoSeedRecord } from './pseudo-seeds.js';
import { type BatchLoss, type StepResult, trainStep } from './step.js';

/** What is recorded of one epoch: a line of `metrics.jsonl`. */
export interface EpochRecord {
  readonly epoch: number;
  readonly learningRate: number;
  /** Sum over the batches, weighted. */
  readonly loss: number;
  readonly batches: readonly BatchLoss[];
  readonly gradientNorms: readonly number[];
  /** Seed pairs that this epoch trained on. */
  readonly seeds: number;
  readonly pseudoSeeds?: PseudoSeedRecord;
  readonly evaluation?: AlignmentMetrics;
  readonly validation?: AlignmentMetrics;
  /** Fusion weights after the step, in slot order; absent with attention fusion. */
  readonly fusionWeights?: readonly number[];
  /** Mean posterior deviation per modality, without dropout; at evaluations only. */
  readonly meanScale?: Partial<Record<Modality, number>>;
  /** Values that mode official replaced because they were not finite. */
  readonly repaired?: number;
}

/** Everything that changes while training. */
export interface TrainingState {
  readonly task: AlignmentTask;
  readonly config: IbmeaConfig;
  readonly inputs: ModelInputs;
  readonly model: IbmeaModel;
  readonly optimizer: AdamW;
  readonly pseudoSeeds: PseudoSeeds;
  readonly random: Random;
  /** Epochs done. */
  epoch: number;
  /** Seed pairs in use, interleaved; grows with accepted pseudo seeds. */
  seeds: Int32Array;
  /** Mode official: repair posteriors from now on. */
  repair: boolean;
  /** The evaluation that `evaluation.select` prefers so far. */
  selection: Selection;
  /** Parameters of the selected epoch when there is no run folder to keep them in. */
  selectedParameters: Record<string, ParameterArray> | null;
  dispose(): void;
}

/** The best evaluation so far, by the configured rule. */
export interface Selection {
  /** Score of the best epoch (validation MRR or test H@1); null before the first evaluation. */
  readonly score: number | null;
  /** Epochs that were done when it was reached. */
  readonly epoch: number;
  /** Metrics on the test links then. */
  readonly evaluation: AlignmentMetrics | null;
  /** Evaluations since then. */
  readonly waited: number;
}

/** A fresh state: inputs on the backend, new parameters, epoch 0. */
export function createTraining(task: AlignmentTask, config: IbmeaConfig): TrainingState {
  const random = createRandom(config.seed);
  const inputs = createInputs(task, config, random.fork('images'));
  const model = createModel(config, inputs, {
    random: random.fork('parameters'),
    isRecomputed: isRecomputed(task, config),
  });
  const optimizer = createAdamW(model.parameters, { weightDecay: config.training.weightDecay });
  const { start, every, accept, remove } = config.pseudoSeeds;
  return {
    task,
    config,
    inputs,
    model,
    optimizer,
    pseudoSeeds: createPseudoSeeds({
      data: task.data,
      seeds: task.split.seeds,
      start,
      proposeEvery: every,
      acceptEvery: accept,
      removal: remove,
    }),
    random,
    epoch: 0,
    seeds: task.split.seeds,
    repair: false,
    selection: { score: null, epoch: 0, evaluation: null, waited: 0 },
    selectedParameters: null,
    dispose: () => {
      optimizer.dispose();
      model.dispose();
      inputs.dispose();
    },
  };
}

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
    const isSelected = select(state, record);
    await hooks.onEpoch?.({ record, state, isSelected });
  }
}

/** Lets signals, timers and progress have their turn: an epoch computes without a pause. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Takes the epoch's evaluation into account; true when it is the new selected one. */
function select(state: TrainingState, record: EpochRecord): boolean {
  const score = selectionScore(selectionRule(state), record);
  if (score === null) return false;
  const { score: best, waited } = state.selection;
  if (best !== null && score <= best) {
    state.selection = { ...state.selection, waited: waited + 1 };
    return false;
  }
  const evaluation = record.evaluation ?? null;
  state.selection = { score, epoch: state.epoch, evaluation, waited: 0 };
  return true;
}

/** The rule in force: without validation pairs `validation` selects nothing, so the last counts. */
export function selectionRule({
  config,
  task,
}: Pick<TrainingState, 'config' | 'task'>): IbmeaConfig['evaluation']['select'] {
  const { select: rule } = config.evaluation;
  return rule === 'validation' && task.split.validation.length === 0 ? 'last' : rule;
}

/** What the selection rule maximises; null without such an evaluation in this epoch. */
function selectionScore(
  rule: IbmeaConfig['evaluation']['select'],
  record: EpochRecord,
): number | null {
  if (rule === 'validation') return record.validation?.forward.mrr ?? null;
  if (rule === 'test-oracle') return record.evaluation?.forward['hits@1'] ?? null;
  return record.evaluation === undefined ? null : record.epoch;
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
async function step(
  state: TrainingState,
  random: Random,
  learningRate: number,
): Promise<StepResult> {
  const { config, model, seeds } = state;
  const noise = drawNoise(
    config.model,
    model.modalities,
    Int32Array.from(new Set(seeds)),
    random.fork('noise'),
  );
  try {
    return await trainStep(model, state.optimizer, {
      batches: seedBatches(seeds, config.training.batchSize, random.fork('seeds')),
      noise,
      dropout: epochDropout(config.model.dropout, random.fork('dropout')),
      learningRate,
      repair: state.repair,
    });
  } finally {
    noise.dispose();
  }
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

/** Whether this epoch ends with an evaluation. */
function isEvaluationDue({ config, epoch }: TrainingState): boolean {
  const { every } = config.evaluation;
  return (epoch + 1) % every === 0 || epoch + 1 === config.training.epochs;
}

/**
 * Evaluations on test and validation links, when one is due.
 *
 * They cannot be interrupted: the step of this epoch is done, and a state without the record of its
 * last step could not go on with the same results.
 */
async function evaluationRound(
  state: TrainingState,
  random: Random,
): Promise<Pick<EpochRecord, 'evaluation' | 'validation' | 'meanScale'>> {
  const { test, validation } = state.task.split;
  if (!state.config.evaluation.enabled || !isEvaluationDue(state)) return {};
  const posteriors = encodeOutside(state.model);
  const measure = async (pairs: Int32Array, name: string) => {
    const input = { data: state.task.data, pairs, random: random.fork(name) };
    const { forward, backward } = await evaluatePosteriors(state.model, posteriors, input);
    return { forward, backward };
  };
  try {
    return {
      ...(test.length > 0 ? { evaluation: await measure(test, 'test') } : {}),
      ...(validation.length > 0 ? { validation: await measure(validation, 'validation') } : {}),
      meanScale: await meanScales(posteriors),
    };
  } finally {
    disposePosteriors(posteriors);
  }
}

/** Mean deviation of each variational modality. */
async function meanScales(posteriors: Posteriors): Promise<Partial<Record<Modality, number>>> {
  const means: Partial<Record<Modality, number>> = {};
  for (const [modality, { scale }] of Object.entries(posteriors)) {
    if (scale === null) continue;
    const mean = tf.mean(scale);
    means[modality as Modality] = (await mean.data())[0]!;
    mean.dispose();
  }
  return means;
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
