/**
 * A trained model from its run folder.
 */
import { DataError, openRun, type Run } from '@lab/core';
import { hasCheckpoint, readCheckpoint } from '@lab/tensor/io';
import { loadParameters } from './checkpoint.js';
import type { ConcludeOptions } from './conclude.js';
import type { RunSummary } from './run-summary.js';
import type { AlignmentConfig } from './config-fields.js';
import { type AlignmentTask, type DataSource, readTask } from './data.js';
import type { Learner } from './learner.js';
import type { AlignmentMethod } from './method.js';
import { createTraining } from './create-training.js';
import type { TrainingState } from './training-state.js';
import type { TrainResult } from './training-options.js';
import { recordedTraining } from './training-record.js';

/** A run and the state of its model; the caller disposes `state`. */
export interface RestoredRun<
  C extends AlignmentConfig = AlignmentConfig,
  L extends Learner = Learner,
> {
  readonly run: Run;
  readonly state: TrainingState<C, L>;
  readonly config: C;
  readonly source: DataSource;
}

/**
 * The model of a finished run with the parameters of its selected epoch, and its data read again.
 *
 * @throws {DataError} when the folder is no run, has no checkpoint, or its data are gone or others.
 */
export async function restoreRun<C extends AlignmentConfig, L extends Learner>(
  method: AlignmentMethod<C, L>,
  dir: string,
): Promise<RestoredRun<C, L>> {
  const run = openRun(dir);
  const { config, source } = recordedTraining(method, run);
  const folder = ['selected', 'checkpoint'].map((name) => run.path(name)).find(hasCheckpoint);
  if (folder === undefined) {
    throw new DataError(`${run.dir}: the run has no checkpoint yet.`, {
      file: run.dir,
      help: `train on: ${method.name} train --resume ${run.dir}`,
    });
  }
  const task = await readTask(source, config);
  assertUnchanged(run, task);
  const state = createTraining(method, task, config);
  try {
    const checkpoint = await readCheckpoint(folder);
    loadParameters(state.learner, checkpoint);
    state.epoch = (checkpoint.meta as { epoch: number }).epoch;
    return { run, state, config, source };
  } catch (error) {
    state.dispose();
    throw error;
  }
}

/** Refuses files that are not those of the training: entities would get the vectors of others. */
function assertUnchanged(run: Run, task: AlignmentTask): void {
  const digests = new Set(task.data.files.map(({ sha256 }) => sha256));
  const changed = run.record.data.find(({ sha256 }) => !digests.has(sha256));
  if (changed === undefined) return;
  throw new DataError(`${changed.path} has changed since the training of ${run.dir}.`, {
    file: changed.path,
    help: 'bring the file back as it was, or train again; new entities: align --added FILE',
  });
}

/**
 * A restored run as the training that it was, to write its report again.
 *
 * @throws {DataError} when the run has not finished.
 */
export function finishedTraining<C extends AlignmentConfig, L extends Learner>(
  restored: RestoredRun<C, L>,
): {
  readonly result: TrainResult<C, L>;
  readonly options: ConcludeOptions<C>;
} {
  const { run, state, config } = restored;
  const { results, usage } = run.record;
  if (results === null) {
    throw new DataError(`${run.dir}: the run has not finished (status ${run.record.status}).`, {
      file: run.path('run.json'),
      help: `go on with it: ${state.name} train --resume ${run.dir}`,
    });
  }
  const summary = results as unknown as RunSummary;
  const { mode, preset, origins } = run.record.config;
  return {
    result: {
      task: state.task,
      state,
      run,
      metrics: summary.metrics,
      selectedEpoch: summary.selectedEpoch,
      baseline: summary.baseline,
      peakTensorBytes: Number(usage?.['peakTensorBytes'] ?? 0),
    },
    options: {
      config: { config, mode: mode ?? 'corrected', preset, origins },
      seconds: Number(usage?.['seconds'] ?? 0),
    },
  };
}
