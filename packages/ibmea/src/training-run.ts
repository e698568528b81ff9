/**
 * A whole training from files to results: what `ibmea train` does, and the library call `train`.
 */
import { join, resolve } from 'node:path';
import {
  createRun,
  DataError,
  LabError,
  type Logger,
  openRun,
  type ResolvedConfig,
  resolveConfig,
  type Run,
  sha256,
  silentLogger,
} from '@lab/core';
import type { OwnGraphFiles } from '@lab/graph';
import { memoryReport, selectBackend, selectedBackend } from '@lab/tensor';
import { hasCheckpoint, readCheckpoint, writeCheckpoint } from '@lab/tensor/io';
import { type BaselineResult, measureBaseline } from './baseline.js';
import {
  fingerprint,
  loadParameters,
  parameterArrays,
  restoreTraining,
  saveTraining,
} from './checkpoint.js';
import { configSchema, type IbmeaConfig, ibmeaConfig } from './config.js';
import { type AlignmentTask, AUTOMATIC_SEEDS, type DataSource, readTask } from './data.js';
import type { AlignmentMetrics } from './evaluate.js';
import type { presets } from './presets.js';
import { asInterruption, interruption } from './interruption.js';
import { assertFits } from './memory-estimate.js';
import {
  createTraining,
  type EpochEvent,
  type EpochRecord,
  selectionRule,
  trainEpochs,
  type TrainingState,
} from './train.js';
import { version } from './version.js';

/** What a training tells while it runs. */
export type TrainProgress =
  | { readonly stage: 'reading' }
  | {
      readonly stage: 'ready';
      readonly task: AlignmentTask;
      readonly state: TrainingState;
      readonly run: Run | null;
    }
  | { readonly stage: 'baseline' }
  | {
      readonly stage: 'epoch';
      readonly record: EpochRecord;
      readonly epochs: number;
      /** Wall seconds of this epoch. */
      readonly seconds: number;
    };

/** Settings of a library call: a resolved config, or the parts that make one. */
export interface SettingOptions {
  readonly config?: ResolvedConfig<IbmeaConfig> | undefined;
  readonly preset?: keyof typeof presets | undefined;
  /** Default `corrected`. */
  readonly mode?: 'corrected' | 'official' | undefined;
  /** Default 2023. */
  readonly seed?: number | undefined;
  readonly epochs?: number | undefined;
  /** Single settings by path, e.g. `{ 'loss.temperature': 0.2 }`. */
  readonly settings?: Readonly<Record<string, unknown>> | undefined;
}

/** What every long call takes. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: TrainProgress) => void) | undefined;
  readonly logger?: Logger | undefined;
  /** Seconds of a clock that only moves forward; default `performance.now() / 1000`. */
  readonly now?: (() => number) | undefined;
}

/** Options of `train`. */
export interface TrainOptions extends SettingOptions, CallOptions {
  /** A folder in the field's layout, a source with more to say, or a task that is read already. */
  readonly data: string | DataSource | AlignmentTask;
  /** Where to write a run folder; without it nothing is written. */
  readonly run?: RunTarget | undefined;
}

/** The config of a library call. */
export function settingsOf(options: SettingOptions): ResolvedConfig<IbmeaConfig> {
  if (options.config !== undefined) return options.config;
  const { preset, mode, seed, epochs, settings } = options;
  return resolveConfig(ibmeaConfig, {
    preset,
    mode,
    flags: { ...settings, ...(seed === undefined ? {} : { seed }), 'training.epochs': epochs },
  });
}

/** A new run folder, or one to go on with. */
export type RunTarget =
  | {
      readonly parent: string;
      readonly dir?: string | undefined;
      readonly label: string;
      readonly command: readonly string[];
      readonly backend: unknown;
    }
  | { readonly resume: string };

/** A finished training. The caller disposes `state`. */
export interface TrainResult {
  readonly task: AlignmentTask;
  readonly state: TrainingState;
  readonly run: Run | null;
  /** Metrics of the selected epoch on the test links; null without test links or evaluation. */
  readonly metrics: AlignmentMetrics | null;
  /** Epochs that were done when the reported parameters were reached. */
  readonly selectedEpoch: number;
  readonly baseline: BaselineResult | null;
  /** Largest memory of the tensor backend, bytes. */
  readonly peakTensorBytes: number;
}

/**
 * Trains IBMEA on a pair of graphs.
 *
 * With a run folder, every epoch is a line of its `metrics.jsonl`, the state is saved from time to
 * time, and a run that was killed goes on with `{ resume }` to the same results.
 *
 * @throws {InterruptedError} when the signal aborts, after saving.
 * @throws {DataError} for bad files, {@link ModelError} for a loss that is not finite.
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const resolved = settingsOf(options);
  const { config } = resolved;
  await ensureBackend(options.logger);
  options.onProgress?.({ stage: 'reading' });
  const source = typeof options.data === 'string' ? { dir: options.data } : options.data;
  const task = 'split' in source ? source : await readTask(source, config);
  assertFits(task, config);
  const state = createTraining(task, config);
  let run: Run | null = null;
  try {
    const opened = openTarget(options.run, resolved, source, task);
    const key = fingerprint(config, [
      ...task.data.files.map((file) => file.sha256),
      sha256(task.split.seeds.join(' ')),
      `backend ${selectedBackend()?.name}`,
    ]);
    await resumeState(options, opened, state, key);
    run = opened; // from here on a failure is one of this run
    options.onProgress?.({ stage: 'ready', task, state, run });
    const baseline = await baselineOf(options, task, config);
    await epochs(options, run, state, key);
    await loadSelected(run, state);
    return {
      task,
      state,
      run,
      metrics: state.selection.evaluation,
      selectedEpoch: state.selection.epoch || state.epoch,
      baseline,
      peakTensorBytes: memoryReport().peakHeapBytes ?? memoryReport().tensorBytes,
    };
  } catch (cause) {
    state.dispose();
    const error = asInterruption(cause, { signal: options.signal, run });
    recordFailure(run, error);
    throw error;
  }
}

/** Notes the failure in `run.json`; where that fails as well (full disk), the old one stays. */
export function recordFailure(run: Run | null, error: unknown): void {
  try {
    run?.finish({ status: statusOf(error), error });
  } catch (failure) {
    if (!LabError.is(failure)) throw failure; // else the first error says what happened
  }
}

function statusOf(error: unknown): 'interrupted' | 'error' {
  return LabError.is(error) && error.code === 'LAB_INTERRUPTED' ? 'interrupted' : 'error';
}

/** The backend that was selected, or the best one when none was. */
async function ensureBackend(logger: Logger | undefined): Promise<void> {
  if (selectedBackend() === null)
    await selectBackend('auto', logger === undefined ? {} : { logger });
}

/** The run folder, created or opened. */
function openTarget(
  target: RunTarget | undefined,
  { config, mode, preset, origins }: ResolvedConfig<IbmeaConfig>,
  source: DataSource | AlignmentTask,
  task: AlignmentTask,
): Run | null {
  if (target === undefined) return null;
  if ('resume' in target) return openRun(target.resume);
  return createRun({
    ...target,
    method: 'ibmea',
    seed: config.seed,
    config,
    passed: { source: 'split' in source ? null : sourceRecord(source) },
    origins,
    mode,
    preset,
    data: task.data.files,
    packages: { '@lab/ibmea': version },
  });
}

/**
 * A data source as `run.json` keeps it, with whole paths, so that `--resume` and `align --run` find
 * the data again from any folder.
 */
function sourceRecord({ dir, own, seedsFile, images }: DataSource): DataSource {
  const whole = (path: string) => resolve(path);
  const files = Object.entries(own ?? {}).filter(([, path]) => typeof path === 'string');
  return {
    ...(dir === undefined ? {} : { dir: whole(dir) }),
    ...(own === undefined
      ? {}
      : {
          own: Object.fromEntries(
            files.map(([name, path]) => [name, whole(String(path))]),
          ) as unknown as OwnGraphFiles,
        }),
    ...(seedsFile === undefined
      ? {}
      : { seedsFile: seedsFile === AUTOMATIC_SEEDS ? seedsFile : whole(seedsFile) }),
    ...(images === undefined ? {} : { images: images === false ? images : whole(images) }),
  };
}

/**
 * Config and data source of a run, for `--resume` and `align --run`.
 *
 * @throws {DataError} when the run is not one of files, or its config is of another version.
 */
export function recordedTraining(run: Run): { config: IbmeaConfig; source: DataSource } {
  const { resolved, passed } = run.record.config as {
    resolved: unknown;
    passed?: { source?: DataSource | null };
  };
  const source = passed?.source ?? null;
  if (run.record.method !== 'ibmea' || source === null) {
    throw new DataError(`${run.dir}: this is not a run of ibmea train on files.`, {
      file: run.path('run.json'),
      help: 'give the folder of a run that "ibmea train" made',
    });
  }
  const parsed = configSchema.safeParse(resolved);
  if (parsed.success) return { config: parsed.data, source };
  const made = run.record.packages['@lab/ibmea'] ?? 'unknown';
  const [issue] = parsed.error.issues;
  throw new DataError(
    `${run.dir}: the run was made by version ${made}, this is ${version}; its config does not ` +
      `fit: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'another form'}.`,
    { file: run.path('run.json'), help: 'use the version that made the run, or start a new run' },
  );
}

/** Loads the last checkpoint and cuts the metrics back to it. */
async function resumeState(
  options: TrainOptions,
  run: Run | null,
  state: TrainingState,
  key: string,
): Promise<void> {
  if (run === null || options.run === undefined || !('resume' in options.run)) return;
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
  options: TrainOptions,
  task: AlignmentTask,
  config: IbmeaConfig,
): Promise<BaselineResult | null> {
  const { evaluation } = config;
  if (!evaluation.baseline || !evaluation.enabled || task.split.test.length === 0) return null;
  options.onProgress?.({ stage: 'baseline' });
  return measureBaseline(task, config, options.signal);
}

/** The loop, with records, progress and checkpoints. */
async function epochs(
  options: TrainOptions,
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
  const onEpoch = async ({ record, isSelected }: EpochEvent) => {
    const seconds = now() - epochStart;
    run?.appendMetrics(record);
    const { user, system } = process.cpuUsage(cpuStart);
    run?.appendTimings({ epoch: record.epoch, seconds, cpuSeconds: (user + system) / 1e6 });
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
    await trainEpochs(state, { signal: options.signal, onEpoch });
  } catch (error) {
    if (statusOf(error) !== 'interrupted') throw error;
    await save();
    if (run === null) throw error;
    throw interruption(run, error);
  }
  await save();
}

/** Parameters of the selected epoch, kept beside the checkpoint. */
const selectedDir = (run: Run) => join(run.dir, 'selected');

async function saveSelected(run: Run | null, state: TrainingState): Promise<void> {
  if (run === null) {
    state.selectedParameters = await state.model.parameters.toArrays();
    return;
  }
  const tensors = await parameterArrays(state.model);
  await writeCheckpoint(selectedDir(run), { tensors, meta: { epoch: state.epoch } });
}

/** Puts the selected parameters into the model, where they are not the last ones. */
async function loadSelected(run: Run | null, state: TrainingState): Promise<void> {
  if (selectionRule(state) === 'last' || state.selection.epoch === state.epoch) return;
  if (run !== null && hasCheckpoint(selectedDir(run))) {
    const checkpoint = await readCheckpoint(selectedDir(run));
    const { epoch } = checkpoint.meta as { epoch: number };
    if (epoch === state.selection.epoch) loadParameters(state.model, checkpoint);
  } else if (state.selectedParameters !== null) {
    state.model.parameters.load(state.selectedParameters);
  }
}
