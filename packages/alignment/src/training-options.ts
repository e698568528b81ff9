/**
 * What a training takes, tells and gives back.
 */
import {
  checkOptions,
  hasFields,
  type Logger,
  objectWith,
  type OptionFields,
  optionFields,
  type ResolvedConfig,
  type Run,
} from '@lab/core';
import { z } from 'zod';
import type { BaselineResult } from './baseline.js';
import { callFields, isTask } from './call-fields.js';
import type { AlignmentConfig, Modality } from './config-fields.js';
import { type AlignmentTask, checkDataSource, type DataSource } from './data.js';
import type { EpochRecord } from './epoch-record.js';
import type { AlignmentMetrics } from './alignment-metrics.js';
import type { Learner } from './learner.js';
import type { SearchProgress } from './search/approximate-nearest.js';
import type { TrainingState } from './training-state.js';

/** What a training tells while it runs: plain records, which may be kept, sent and printed. */
export type TrainProgress =
  | { readonly stage: 'reading' }
  | ({ readonly stage: 'ready' } & TrainingOutline)
  | { readonly stage: 'baseline' }
  /** What the ranking of the baseline did otherwise than asked; only where it did. */
  | { readonly stage: 'baseline-remarks'; readonly remarks: readonly string[] }
  /** Pairs are searched for pseudo seeds, by an index: rows done of both directions. */
  | ({ readonly stage: 'search'; readonly epoch: number; readonly epochs: number } & SearchProgress)
  | {
      readonly stage: 'epoch';
      readonly record: EpochRecord;
      readonly epochs: number;
      /** Wall seconds of this epoch. */
      readonly seconds: number;
    };

/** What is known of a training before its first epoch. */
export interface TrainingOutline {
  readonly entities: { readonly left: number; readonly right: number };
  readonly triples: number;
  readonly seeds: number;
  /** Where the seeds came from; automatic ones are named as such. */
  readonly seedOrigin: string;
  readonly validationPairs: number;
  readonly testPairs: number;
  readonly modalities: readonly Modality[];
  readonly parameters: number;
  /** Peak tensor memory that is expected, bytes. */
  readonly expectedTensorBytes: number;
  /** What is to be known of the data, one sentence each. */
  readonly remarks: readonly string[];
  /** Path of the run folder; null without one. */
  readonly run: string | null;
}

/** Settings of a library call: a resolved config, or the parts that make one. */
export interface SettingOptions<
  C extends AlignmentConfig = AlignmentConfig,
  P extends string = string,
> {
  readonly config?: ResolvedConfig<C> | undefined;
  /** A preset of the method, by name. */
  readonly preset?: P | undefined;
  /** Default `corrected`. */
  readonly mode?: 'corrected' | 'official' | undefined;
  /** Default 2023. */
  readonly seed?: number | undefined;
  readonly epochs?: number | undefined;
  /** Single settings by path, e.g. `{ 'loss.temperature': 0.2 }`. */
  readonly settings?: Readonly<Record<string, unknown>> | undefined;
}

/** The settings as calls check them. */
export const settingFields = {
  config: callFields.resolved.optional(),
  preset: z.string().optional(),
  mode: z.string().optional(),
  seed: optionFields.count.optional(),
  epochs: optionFields.count.optional(),
  settings: z.record(z.string(), z.unknown()).optional(),
} satisfies OptionFields<SettingOptions>;

/** What every long call takes. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: TrainProgress) => void) | undefined;
  readonly logger?: Logger | undefined;
  /** Seconds of a clock that only moves forward; default `performance.now() / 1000`. */
  readonly now?: (() => number) | undefined;
}

/** What every long call takes, as calls check it. */
export const watchFields = {
  signal: optionFields.signal,
  onProgress: optionFields.callback,
  logger: optionFields.logger,
  now: optionFields.callback,
} satisfies OptionFields<CallOptions>;

/** Options of `train`. */
export interface TrainOptions<
  C extends AlignmentConfig = AlignmentConfig,
  P extends string = string,
> extends SettingOptions<C, P>,
    CallOptions {
  /** A folder in the field's layout, a source with more to say, or a task that is read already. */
  readonly data: string | DataSource | AlignmentTask;
  /** Where to write a run folder; without it nothing is written. */
  readonly run?: RunTarget | undefined;
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

const trainSchema = z.strictObject({
  ...settingFields,
  ...watchFields,
  data: z.custom(
    (value) => (typeof value === 'string' ? value !== '' : hasFields(value)),
    'must be a folder, a data source, or a task that is read already',
  ),
  run: objectWith([], 'must be { parent, label, command, backend } or { resume }').optional(),
} satisfies OptionFields<TrainOptions>);

const newRunSchema = z.strictObject({
  parent: optionFields.path,
  dir: optionFields.path.optional(),
  label: z.string(),
  command: z.array(z.string()),
  backend: z.unknown().optional(),
} satisfies OptionFields<Exclude<RunTarget, { resume: string }>>);

const resumeSchema = z.strictObject({ resume: optionFields.path });

/** Checks the options of `train`. */
export function checkTrainOptions(name: string, options: TrainOptions): void {
  const call = `${name}/train`;
  checkOptions(call, options, trainSchema);
  const { data, run } = options;
  if (typeof data !== 'string' && !isTask(data)) checkDataSource(call, data as DataSource);
  if (run === undefined) return;
  checkOptions(`${call}, run`, run, 'resume' in run ? resumeSchema : newRunSchema);
}

/** A finished training. The caller disposes `state`. */
export interface TrainResult<
  C extends AlignmentConfig = AlignmentConfig,
  L extends Learner = Learner,
> {
  readonly task: AlignmentTask;
  readonly state: TrainingState<C, L>;
  readonly run: Run | null;
  /** Metrics of the selected epoch on the test links; null without test links or evaluation. */
  readonly metrics: AlignmentMetrics | null;
  /** Epochs that were done when the reported parameters were reached. */
  readonly selectedEpoch: number;
  readonly baseline: BaselineResult | null;
  /** Most bytes that tensors held at one time, called peak tensor memory where it is shown. */
  readonly peakTensorBytes: number;
}
