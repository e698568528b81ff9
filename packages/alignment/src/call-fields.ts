/**
 * What the options of the library calls may be: a schema for each call.
 *
 * Schemas say what is allowed; the meaning and the default of an option stand at its interface.
 * `satisfies` ties the two: an option that is new at one of them is missed at the other.
 */
import { checkOptions } from '@lab/core';
import { z } from 'zod';
import type { AddedAlignOptions } from './added-entities.js';
import type { AlignGraphsOptions } from './align-graphs.js';
import type { AlignOptions } from './align.js';
import type { CandidateOptions } from './candidate-table.js';
import type { ConcludeOptions } from './conclude.js';
import type { DataSource } from './data.js';
import type { ExplainOptions } from './explain.js';
import type { AlignmentExperimentOptions } from './experiment.js';
import { matchings } from './matchings.js';
import type { Contestant, MethodComparisonOptions } from './method-comparison.js';
import type { ReviewOptions } from './review.js';
import type { CalibrationOptions } from './time-estimate.js';
import type { CallOptions, RunTarget, SettingOptions, TrainOptions } from './training-options.js';

type Fields<Options> = Readonly<Record<keyof Options, z.ZodType>>;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const has = (value: unknown, ...names: readonly string[]): boolean =>
  isObject(value) && names.every((name) => name in value);

const path = z.string().min(1);
const count = z.int().min(0);
const share = z.number().min(0).max(1);
const callback = z.custom((value) => typeof value === 'function', 'must be a function').optional();
const signal = z.custom((value) => has(value, 'aborted'), 'must be an AbortSignal').optional();
const logger = z
  .custom((value) => has(value, 'info', 'warn'), 'must be a logger with info, warn and debug')
  .optional();
const task = z.custom(isTask, 'must be a task, as readTask gives it');
const resolved = z.custom(
  (value) => has(value, 'config', 'origins'),
  'must be a config, as resolveConfig gives it',
);
const method = z.custom((value) => has(value, 'name', 'createLearner'), 'must be a method');
const confidence = z
  .custom(
    (value) => value === null || has(value, 'coefficients', 'intercept'),
    'must be a fitted confidence or null',
  )
  .optional();
const dataText = 'must be a folder, a data source, or a task that is read already';

function isTask(value: unknown): boolean {
  return has(value, 'data', 'split');
}

const settingFields = {
  config: resolved.optional(),
  preset: z.string().optional(),
  mode: z.string().optional(),
  seed: count.optional(),
  epochs: count.optional(),
  settings: z.record(z.string(), z.unknown()).optional(),
} satisfies Fields<SettingOptions>;

const callFields = {
  signal,
  onProgress: callback,
  logger,
  now: callback,
} satisfies Fields<CallOptions>;

const alignFields = {
  matching: z.enum(matchings).optional(),
  minConfidence: share.optional(),
  signal,
} satisfies Fields<AlignOptions>;

const candidateFields = {
  encoding: z.custom((value) => has(value, 'embed'), 'must be an encoding').optional(),
  side: z.enum(['source', 'target']).optional(),
  folder: path.optional(),
  signal,
  onProgress: callback,
} satisfies Fields<CandidateOptions>;

const trainSchema = z.strictObject({
  ...settingFields,
  ...callFields,
  data: z.custom((value) => (typeof value === 'string' ? value !== '' : isObject(value)), dataText),
  run: z.custom(isObject, 'must be { parent, label, command, backend } or { resume }').optional(),
} satisfies Fields<TrainOptions>);

const newRunSchema = z.strictObject({
  parent: path,
  dir: path.optional(),
  label: z.string(),
  command: z.array(z.string()),
  backend: z.unknown().optional(),
} satisfies Fields<Exclude<RunTarget, { resume: string }>>);

const resumeSchema = z.strictObject({ resume: path });

/** Checks the options of `train`. */
export function checkTrainOptions(name: string, options: TrainOptions): void {
  const call = `${name}/train`;
  checkOptions(call, options, trainSchema);
  const { data, run } = options;
  if (typeof data !== 'string' && !isTask(data)) checkDataSource(call, data as DataSource);
  if (run === undefined) return;
  checkOptions(`${call}, run`, run, 'resume' in run ? resumeSchema : newRunSchema);
}

const ownFields = {
  source: path,
  target: path,
  links: path.optional(),
  sourceAttributes: path.optional(),
  targetAttributes: path.optional(),
  sourceImages: path.optional(),
  targetImages: path.optional(),
};

const sourceSchema = z.strictObject({
  dir: path.optional(),
  own: z
    .strictObject({
      ...ownFields,
      duplicateTriples: z.enum(['keep', 'drop']).optional(),
      onDefect: callback,
    })
    .optional(),
  seedsFile: path.optional(),
  images: z
    .custom((value) => value === false || (typeof value === 'string' && value !== ''), {
      message: 'must be a file, or false for none',
    })
    .optional(),
  onDefect: callback,
} satisfies Fields<DataSource>);

/** Checks where the data of a call are. */
export function checkDataSource(call: string, source: DataSource): void {
  checkOptions(`${call}, data`, source, sourceSchema);
}

const alignGraphsSchema = z.strictObject({
  ...settingFields,
  ...callFields,
  ...alignFields,
  ...ownFields,
  seedsFile: path.optional(),
} satisfies Fields<AlignGraphsOptions>);

const experimentSchema = z.strictObject({
  method,
  task,
  base: resolved,
  epochs: count,
  seeds: z.array(count).min(1),
  only: z.array(z.string()).optional(),
  sizes: z.array(z.int().min(2)).optional(),
  dir: path,
  signal,
  onProgress: callback,
  now: callback,
} satisfies Fields<AlignmentExperimentOptions>);

const contestant = z.strictObject({
  label: z.string(),
  method,
  config: resolved,
} satisfies Fields<Contestant>);

const comparisonSchema = z.strictObject({
  task,
  contestants: z.array(contestant).min(1),
  seedShares: z.array(share),
  faultyShares: z.array(share).optional(),
  seeds: z.array(count).min(1),
  dir: path,
  signal,
  onProgress: callback,
} satisfies Fields<MethodComparisonOptions>);

const concludeSchema = z.strictObject({
  config: resolved,
  seconds: z.number().min(0),
  signal,
  onProgress: callback,
} satisfies Fields<ConcludeOptions>);

const explainFields = { confidence, signal } satisfies Fields<ExplainOptions>;

const explainPairSchema = z.strictObject({ ...explainFields, source: count, target: count });

const explainPairsSchema = z.strictObject({
  ...explainFields,
  pairs: z.custom(Array.isArray, 'must be a list of pairs'),
});

const explainBestSchema = z.strictObject({
  ...explainFields,
  source: count,
  count: z.int().min(1).optional(),
});

const reviewSchema = z.strictObject({
  count: z.int().min(1).optional(),
  by: z.enum(['confidence', 'margin']).optional(),
  confidence,
  refused: z.custom((value) => value instanceof Int32Array, 'must be an Int32Array').optional(),
  signal,
} satisfies Fields<ReviewOptions>);

const addedSchema = z.strictObject({
  ...alignFields,
  confidence,
} satisfies Fields<AddedAlignOptions>);

const calibrationSchema = z.strictObject({
  config: z.custom(isObject, 'must be the settings of the method'),
  budgetSeconds: z.number().gt(0).optional(),
  now: callback,
  signal,
} satisfies Fields<CalibrationOptions & { config: unknown }>);

/** Schemas of the options of calls, by what they are given to `checkOptions` for. */
export const callSchemas = {
  align: z.strictObject(alignFields),
  candidates: z.strictObject(candidateFields),
  alignGraphs: alignGraphsSchema,
  experiment: experimentSchema,
  comparison: comparisonSchema,
  conclude: concludeSchema,
  explainPair: explainPairSchema,
  explainPairs: explainPairsSchema,
  explainBest: explainBestSchema,
  review: reviewSchema,
  added: addedSchema,
  calibration: calibrationSchema,
} as const;
