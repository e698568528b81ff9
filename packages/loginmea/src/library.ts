/**
 * The shared calls of `@lab/alignment` with LoginMEA as their method.
 */
import {
  type AlignedGraphs,
  type AlignGraphsOptions as GraphsOptions,
  alignGraphs,
  type AlignmentExperiment,
  type AlignmentExperimentOptions,
  type ConcludeOptions,
  type Conclusion,
  conclude as concludeTraining,
  type RestoredRun as Restored,
  restoreRun as restore,
  runAlignmentExperiment,
  train as trainMethod,
  type TrainOptions as Options,
  type TrainResult as Result,
} from '@lab/alignment';
import type { LoginmeaConfig } from './config.js';
import type { BlockwiseLearner } from './blockwise-learner.js';
import type { LoginmeaLearner } from './learner.js';
import { loginmea } from './method.js';
import type { presets } from './presets.js';

/** Options of {@link train}. */
export type TrainOptions = Options<LoginmeaConfig, keyof typeof presets>;

/** A finished training; the caller disposes `state`. */
export type TrainResult = Result<LoginmeaConfig, LoginmeaLearner | BlockwiseLearner>;

/** Options of {@link align}. */
export type AlignGraphsOptions = GraphsOptions<LoginmeaConfig, keyof typeof presets>;

/** A run and the state of its model; the caller disposes `state`. */
export type RestoredRun = Restored<LoginmeaConfig, LoginmeaLearner | BlockwiseLearner>;

/**
 * Trains LoginMEA on a pair of graphs.
 *
 * With a run folder, every epoch is a line of its `metrics.jsonl`, the state is saved from time to
 * time, and a run that was killed goes on with `{ resume }` to the same results.
 *
 * The folder stays locked for this process until the run is concluded, `run.finish` is called, or
 * the process ends.
 *
 * @throws {InterruptedError} when the signal aborts, after saving.
 * @throws {ConfigError} when another process is at work on the run to resume.
 * @throws {DataError} for bad files, {@link ModelError} for a loss that is not finite.
 */
export function train(options: TrainOptions): Promise<TrainResult> {
  return trainMethod(loginmea, options);
}

/**
 * The pairs of two graphs: trains with preset `own` (unless told otherwise) and matches.
 *
 * @example
 * const dir = 'examples/ibmea-own-data/data';
 * const files = { source: `${dir}/films.csv`, target: `${dir}/katalog.csv` };
 * const { pairs } = await align({ ...files, links: `${dir}/seeds.csv`, epochs: 5 });
 * pairs[0]?.source; // a name of films.csv
 *
 * @throws {DataError} for the first defect of the files.
 */
export function align(options: AlignGraphsOptions): Promise<AlignedGraphs> {
  return alignGraphs(loginmea, options);
}

/**
 * Writes predictions, confidence and report of a training, then the results into `run.json`.
 *
 * @throws {InterruptedError} when the signal aborts; the training is saved, and resuming it
 *   concludes it.
 */
export function conclude(
  trained: TrainResult,
  options: ConcludeOptions<LoginmeaConfig>,
): Promise<Conclusion> {
  return concludeTraining(loginmea, trained, options);
}

/**
 * The model of a finished run with the parameters of its selected epoch, and its data read again.
 *
 * @throws {DataError} when the folder is no run, has no checkpoint, or its data are gone.
 */
export function restoreRun(dir: string): Promise<RestoredRun> {
  return restore(loginmea, dir);
}

/**
 * Trains every cell of the ablations with every seed and writes tables and figures.
 *
 * @throws {InterruptedError} when the signal aborts; finished cells are saved.
 */
export function runLoginmeaExperiment(
  options: Omit<AlignmentExperimentOptions, 'method'>,
): Promise<AlignmentExperiment> {
  return runAlignmentExperiment({ ...options, method: loginmea });
}
