/**
 * Training of a model, from examples to a model that runs: the library call, and what the verb
 * `train` does.
 */
import {
  checkOptions,
  createRandom,
  createRun,
  LabError,
  resolveConfig,
  type ResolvedConfig,
  resumeRun,
  type Run,
} from '@lab/core';
import { selectBackend, selectedBackend } from '@lab/tensor';
import type { Model } from '../model.js';
import type { T5Model } from '../t5/t5-model.js';
import { version } from '../version.js';
import { epochBatches, paddingShare } from './batch-order.js';
import { assertKind, optionsSchema } from './call-fields.js';
import { type ModelSource, type NewModel, openSource } from './model-source.js';
import { TrainingOptimizer } from './optimizer.js';
import {
  fingerprintOf,
  restoreTraining,
  type SavedTraining,
  saveTraining,
} from './training-checkpoint.js';
import { type TrainingConfig, trainingConfig } from './training-config.js';
import { type ExampleInput, readTrainingData, type TrainingData } from './training-data.js';
import type { TrainingOutline, TrainModelOptions } from './training-events.js';
import { type LoopResult, runSteps, stepCounts } from './training-loop.js';
import type { Evaluation } from './training-step.js';
import type { TrainableModel } from './trainable-model.js';
import type { Tuning } from './tuning.js';
import { writeModel } from './write-model.js';

/** A trained model. */
export interface TrainedModel<M> {
  /** Ready to run; adapters are merged. */
  readonly model: M;
  /** Steps in all. */
  readonly steps: number;
  /** Mean loss of each step of this call, before the step, nats. */
  readonly losses: readonly number[];
  /** Of the held-out examples at the end; null where there are none. */
  readonly evaluation: Evaluation | null;
  /** Path of the run folder; null without one. */
  readonly run: string | null;
  /** Writes it as a folder that `loadModel` and `from_pretrained` of `transformers` take. */
  save(folder: string): Promise<void>;
  /** Frees the model. */
  dispose(): void;
}

/**
 * Trains a decoder.
 *
 * @param source - folder of a checkpoint, or `{ config }` for a model that begins from nothing.
 * @param examples - texts, prompts with answers, conversations or token ids, or a file of them.
 * @throws {DataError} for examples that cannot be used, {@link ModelError} for a model that cannot,
 *   or a loss that is no number, {@link InterruptedError} where the signal aborts, after saving.
 */
export async function trainModel(
  source: NewModel | string,
  examples: ExampleInput,
  options: TrainModelOptions = {},
): Promise<TrainedModel<Model>> {
  const opened = openSource(source);
  assertKind(opened, 'decoder');
  return trainOpened(opened, examples, options, (done) => finished<Model>(opened, done));
}

/** Trains a T5, as {@link trainModel}; its examples are prompts with answers. */
export async function trainT5(
  source: NewModel | string,
  examples: ExampleInput,
  options: TrainModelOptions = {},
): Promise<TrainedModel<T5Model>> {
  const opened = openSource(source);
  assertKind(opened, 't5');
  return trainOpened(opened, examples, options, (done) => finished<T5Model>(opened, done));
}

/** A training at its end; the model is gone once the caller has what it wants of it. */
export interface DoneTraining {
  readonly model: TrainableModel;
  readonly result: LoopResult;
  /** Steps in all. */
  readonly steps: number;
  readonly run: Run | null;
}

/** Trains either kind; gives what `finish` makes of it. */
export async function trainOpened<T>(
  source: ModelSource,
  examples: ExampleInput,
  options: TrainModelOptions,
  finish: (done: DoneTraining) => Promise<T>,
): Promise<T> {
  checkOptions('transformer/train', options, optionsSchema);
  const resolved = settingsOf(options);
  const target = options.run;
  // Before the data are read: another process may be at work on the run.
  const resumed = target !== undefined && 'resume' in target ? resumeRun(target.resume) : null;
  let run: Run | null = resumed;
  try {
    if (selectedBackend() === null) await selectBackend();
    options.onProgress?.({ stage: 'reading' });
    const inputs = {
      train: examples,
      evaluation: options.evaluation ?? resolved.config.data.evaluation,
    };
    const data = await readTrainingData(source, resolved.config, inputs, options.signal);
    run ??= newRun(options, resolved, data);
    return await trainIn(run, source, { data, resolved, options }, finish);
  } catch (error) {
    recordFailure(run, error);
    throw error;
  }
}

function settingsOf(options: TrainModelOptions): ResolvedConfig<TrainingConfig> {
  if (options.resolved !== undefined) return options.resolved;
  const { seed, tuning, data, training } = options;
  return resolveConfig(trainingConfig, {
    file: { name: 'of the call', values: { seed, tuning, data, training } },
  });
}

function newRun(
  { run: target }: TrainModelOptions,
  { config, origins }: ResolvedConfig<TrainingConfig>,
  data: TrainingData,
): Run | null {
  if (target === undefined || 'resume' in target) return null;
  return createRun({
    ...{ parent: target.parent, dir: target.dir, label: target.label ?? '' },
    ...{ method: 'transformer-train', seed: config.seed, command: target.command ?? [] },
    ...{ config, origins, data: data.files, backend: selectedBackend() },
    packages: { '@lab/transformer': version },
  });
}

/** Notes how a run ended; where that fails as well (full disk), the first error says what was. */
function recordFailure(run: Run | null, error: unknown): void {
  const isStop = LabError.is(error) && error.code === 'LAB_INTERRUPTED';
  const status = isStop ? 'interrupted' : 'error';
  try {
    run?.log(`${status}: ${error instanceof Error ? error.message : String(error)}`);
    run?.finish({ status, error });
  } catch (failure) {
    if (!LabError.is(failure)) throw failure;
  }
}

/** What a training is to do. */
interface Job {
  readonly data: TrainingData;
  readonly resolved: ResolvedConfig<TrainingConfig>;
  readonly options: TrainModelOptions;
}

async function trainIn<T>(
  run: Run | null,
  source: ModelSource,
  job: Job,
  finish: (done: DoneTraining) => Promise<T>,
): Promise<T> {
  const { data, resolved, options } = job;
  const { config } = resolved;
  options.onProgress?.({ stage: 'loading' });
  const random = createRandom(config.seed).fork('initial');
  const model = await source.load(tuningOf(config.tuning), random);
  const optimizer = new TrainingOptimizer(model.parameters, config.training);
  try {
    const fingerprint = fingerprintOf(config, source, data);
    const stepsDone = run === null ? 0 : await begin(run, { model, optimizer }, fingerprint);
    const outline = outlineOf(model, job, { run, stepsDone });
    for (const remark of outline.remarks) run?.log(`note: ${remark}`);
    options.onProgress?.(Object.assign({ stage: 'ready' as const }, outline));
    const save = async (step: number) => {
      const meta = { step, fingerprint };
      if (run !== null) await saveTraining(run, { model, optimizer }, source, meta);
    };
    const input = { model, optimizer, config, data, run, stepsDone, save };
    const result = await runSteps(input, options);
    run?.finish({ status: 'success', results: { ...resultsOf(result, outline.steps) } });
    return await finish({ model, result, steps: outline.steps, run });
  } finally {
    optimizer.dispose();
    model.dispose();
  }
}

/** The tuning that the settings name. */
function tuningOf({ kind, lastBlocks, rank, alpha, modules }: TrainingConfig['tuning']): Tuning {
  if (kind === 'last-blocks') return { kind, count: lastBlocks };
  return kind === 'low-rank' ? { kind, rank, alpha, modules } : { kind };
}

/** Puts back what was saved, and cuts the metrics to it. */
async function begin(run: Run, state: SavedTraining, fingerprint: string): Promise<number> {
  const stepsDone = await restoreTraining(run, state, fingerprint);
  run.keepMetrics((row) => Number(row['step']) <= stepsDone);
  run.update({ status: 'started', error: null, end: null });
  run.log(stepsDone === 0 ? 'training started' : `training resumed after step ${stepsDone}`);
  return stepsDone;
}

function outlineOf(
  model: TrainableModel,
  { data, resolved }: Job,
  { run, stepsDone }: { readonly run: Run | null; readonly stepsDone: number },
): TrainingOutline {
  const { training, seed } = resolved.config;
  const lengths = data.train.map((example) => model.length(example));
  const random = createRandom(seed).fork('order/0');
  const batches = epochBatches(lengths, training.batchSize, random);
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  const padding = batches.reduce((sum, batch) => {
    const own = batch.map((at) => lengths[at]!);
    return sum + paddingShare(own) * Math.max(...own) * own.length;
  }, 0);
  const { steps, epochs } = stepCounts(training, data.train.length);
  return {
    ...{ weights: model.weightCount, trained: model.parameters.count() },
    ...{ examples: data.train.length, heldOut: data.heldOut.length, tokens },
    ...{ paddingShare: padding / (tokens + padding), steps, epochs, stepsDone },
    ...{ remarks: data.remarks, run: run?.dir ?? null },
  };
}

const resultsOf = ({ losses, evaluation }: LoopResult, steps: number) => ({
  steps,
  loss: losses.at(-1) ?? null,
  evaluation,
});

/** The trained model, ready to run. */
async function finished<M extends Model | T5Model>(
  source: ModelSource,
  { model, result, steps, run }: DoneTraining,
): Promise<TrainedModel<M>> {
  const arrays = await model.arrays();
  const made = await model.modelOf(arrays);
  return {
    ...{ model: made as M, steps, run: run?.dir ?? null },
    ...{ losses: result.losses, evaluation: result.evaluation },
    save: (folder) => writeModel(folder, source, arrays),
    dispose: () => made.dispose(),
  };
}
