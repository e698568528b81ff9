/**
 * A whole training from files to results: what the verb `train` does, and the library call.
 */
import {
  ConfigError,
  type Logger,
  type ResolvedConfig,
  resolveConfig,
  resumeRun,
  type Run,
  sha256,
  silentLogger,
} from '@lab/core';
import { selectBackend, selectedBackend } from '@lab/tensor';
import { hasCheckpoint } from '@lab/tensor/io';
import { automaticWarnings } from './automatic-seeds.js';
import { type BaselineResult, measureBaseline } from './baseline.js';
import { backendChanges } from './backend-changes.js';
import { fingerprint, restoreTraining, saveTraining } from './checkpoint.js';
import type { AlignmentConfig } from './config-fields.js';
import { readTask } from './data.js';
import { asInterruption, interruption } from './interruption.js';
import type { Learner } from './learner.js';
import { assertFits, type MemoryExpectation } from './memory-expectation.js';
import type { AlignmentMethod } from './method.js';
import { peakTensorBytes } from './peak-memory.js';
import { loadSelected, saveSelected } from './selected-parameters.js';
import { selectionRule } from './selection.js';
import { type EpochEvent, trainEpochs } from './train.js';
import {
  type CallOptions,
  checkTrainOptions,
  type SettingOptions,
  type TrainingOutline,
  type TrainOptions,
  type TrainResult,
} from './training-options.js';
import { newRun, recordFailure, statusOf } from './training-record.js';
import { createTraining } from './create-training.js';
import type { TrainingState } from './training-state.js';

/**
 * The config of a library call.
 *
 * @throws {ConfigError} for a resolved config together with parts that would make another one.
 */
export function settingsOf<C extends AlignmentConfig>(
  { config: definition }: Pick<AlignmentMethod<C>, 'config'>,
  options: SettingOptions<C>,
): ResolvedConfig<C> {
  const { preset, mode, seed, epochs, settings } = options;
  if (options.config !== undefined) {
    const parts = Object.entries({ preset, mode, seed, epochs, settings });
    const [unused] = parts.filter(([, value]) => value !== undefined);
    if (unused === undefined) return options.config;
    throw new ConfigError(`${definition.name}: ${unused[0]} would do nothing beside config.`, {
      help: 'give a config, or the parts that make one',
    });
  }
  return resolveConfig(definition, {
    preset,
    mode,
    flags: { ...settings, ...(seed === undefined ? {} : { seed }), 'training.epochs': epochs },
  });
}

/**
 * Trains a method on a pair of graphs.
 *
 * With a run folder, every epoch is a line of its `metrics.jsonl`, the state is saved from time to
 * time, and a run that was killed goes on with `{ resume }` to the same results.
 *
 * The folder stays locked for this process until the run is concluded, `run.finish` is called, or
 * the process ends.
 *
 * @throws {InterruptedError} when the signal aborts, after saving.
 * @throws {ConfigError} for options that are unknown or not of their kind, before any work, and
 *   when another process is at work on the run to resume.
 * @throws {DataError} for bad files, {@link ModelError} for a loss that is not finite.
 */
export async function train<C extends AlignmentConfig, L extends Learner>(
  method: AlignmentMethod<C, L>,
  options: TrainOptions<C>,
): Promise<TrainResult<C, L>> {
  checkTrainOptions(method.name, options);
  const target = options.run;
  const resolved = settingsOf(method, options);
  // Before the data are read: another process may be at work on the run.
  const resumed = target !== undefined && 'resume' in target ? resumeRun(target.resume) : null;
  try {
    return await trainIn(method, options, { resolved, resumed });
  } catch (error) {
    resumed?.release();
    throw error;
  }
}

/** The training in the run that is resumed, in a new one, or in none. */
async function trainIn<C extends AlignmentConfig, L extends Learner>(
  method: AlignmentMethod<C, L>,
  options: TrainOptions<C>,
  { resolved, resumed }: { readonly resolved: ResolvedConfig<C>; readonly resumed: Run | null },
): Promise<TrainResult<C, L>> {
  const { config } = resolved;
  await ensureBackend(options.logger);
  options.onProgress?.({ stage: 'reading' });
  const source = typeof options.data === 'string' ? { dir: options.data } : options.data;
  const task = 'split' in source ? source : await readTask(source, config);
  const expected = method.expectedMemory(task, config);
  assertFits(method.name, task.data, expected);
  const state = createTraining(method, task, config);
  let run: Run | null = null;
  try {
    const opened = resumed ?? newRun(method, options.run, { resolved, source, task });
    const key = fingerprint(config, [
      ...task.data.files.map((file) => file.sha256),
      sha256(task.split.seeds.join(' ')),
    ]);
    if (resumed !== null) await resumeState(options, resumed, state, key);
    run = opened; // from here on a failure is one of this run
    const changes = resumed === null || state.epoch === 0 ? [] : backendChanges(resumed);
    logStart(
      run,
      [...automaticWarnings(task.split), ...task.data.remarks, ...changes],
      state.epoch,
    );
    const outline = outlineOf(state, run, expected);
    const remarks = [...outline.remarks, ...changes];
    options.onProgress?.({ stage: 'ready', ...outline, remarks });
    const baseline = await baselineOf(options, run, state);
    await epochs(options, run, state, key);
    await loadSelected(run, state);
    return {
      task,
      state,
      run,
      metrics: state.selection.evaluation,
      selectedEpoch: state.selection.epoch || state.epoch,
      baseline,
      peakTensorBytes: peakTensorBytes(),
    };
  } catch (cause) {
    state.dispose();
    const error = asInterruption(cause, { signal: options.signal, run, name: method.name });
    recordFailure(run, error);
    throw error;
  }
}

/** The training in plain numbers, for who watches it. */
function outlineOf(
  { task, learner }: TrainingState,
  run: Run | null,
  { tensorBytes }: MemoryExpectation,
): TrainingOutline {
  const { data, split } = task;
  return {
    entities: { left: data.left.length, right: data.right.length },
    triples: data.triples.heads.length,
    seeds: split.seeds.length / 2,
    seedOrigin: split.origin,
    validationPairs: split.validation.length / 2,
    testPairs: split.test.length / 2,
    modalities: [...learner.modalities],
    parameters: learner.parameters.count(),
    expectedTensorBytes: tensorBytes,
    remarks: [...data.remarks],
    run: run?.dir ?? null,
  };
}

/** Where the training starts, and what is to be known of its data, into `log.txt`. */
function logStart(run: Run | null, remarks: readonly string[], epoch: number): void {
  run?.log(epoch === 0 ? 'training started' : `training resumed after epoch ${epoch}`);
  for (const remark of remarks) run?.log(`note: ${remark}`);
}

/** The backend that was selected, or the best one when none was. */
async function ensureBackend(logger: Logger | undefined): Promise<void> {
  if (selectedBackend() === null)
    await selectBackend('auto', logger === undefined ? {} : { logger });
}

/** Loads the last checkpoint and cuts the metrics back to it. */
async function resumeState(
  options: CallOptions,
  run: Run,
  state: TrainingState,
  key: string,
): Promise<void> {
  if (hasCheckpoint(run.path('checkpoint'))) {
    await restoreTraining(run.path('checkpoint'), state, key);
  }
  run.keepMetrics((row) => Number(row['epoch']) < state.epoch);
  const resolved = state.config;
  run.update({
    status: 'started',
    error: null,
    end: null,
    config: { ...run.record.config, resolved },
  });
  (options.logger ?? silentLogger).info(`resumed after epoch ${state.epoch}`);
}

/** The training-free baseline on the same split, when asked for and possible. */
async function baselineOf(
  options: CallOptions,
  run: Run | null,
  { task, config }: Pick<TrainingState, 'task' | 'config'>,
): Promise<BaselineResult | null> {
  const { evaluation } = config;
  if (!evaluation.baseline || !evaluation.enabled || task.split.test.length === 0) return null;
  options.onProgress?.({ stage: 'baseline' });
  const baseline = await measureBaseline(task, config, options.signal);
  const { remarks } = baseline;
  for (const remark of remarks ?? []) run?.log(`note: ${remark}`);
  if (remarks !== undefined) options.onProgress?.({ stage: 'baseline-remarks', remarks });
  return baseline;
}

/** The loop, with records, progress and checkpoints. */
async function epochs(
  options: CallOptions,
  run: Run | null,
  state: TrainingState,
  key: string,
): Promise<void> {
  const now = options.now ?? (() => performance.now() / 1000);
  let epochStart = now();
  let cpuStart = process.cpuUsage();
  let saved = now();
  const save = async () => {
    if (run !== null) await saveTraining(run.path('checkpoint'), state, key);
    saved = now();
  };
  const logged = new Set<string>();
  const place = () => ({ epoch: state.epoch, epochs: state.config.training.epochs });
  const onEpoch = async ({ record, isSelected }: EpochEvent) => {
    const seconds = now() - epochStart;
    run?.appendMetrics(record);
    const { user, system } = process.cpuUsage(cpuStart);
    run?.appendTimings({ epoch: record.epoch, seconds, cpuSeconds: (user + system) / 1e6 });
    for (const remark of record.remarks ?? []) {
      if (!logged.has(remark)) run?.log(`note: epoch ${record.epoch + 1}: ${remark}`);
      logged.add(remark);
    }
    if (isSelected && selectionRule(state) !== 'last') await saveSelected(run, state);
    if (now() - saved >= state.config.training.checkpointSeconds) await save();
    options.onProgress?.({
      stage: 'epoch',
      record,
      epochs: state.config.training.epochs,
      seconds,
    });
    epochStart = now();
    cpuStart = process.cpuUsage();
  };
  try {
    await trainEpochs(state, {
      signal: options.signal,
      onSearch: (progress) => options.onProgress?.({ stage: 'search', ...place(), ...progress }),
      onEpoch,
    });
  } catch (error) {
    if (statusOf(error) !== 'interrupted') throw error;
    await save();
    if (run === null) throw error;
    throw interruption({ name: state.name, run }, error);
  }
  await save();
}
