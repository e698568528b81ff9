/** `train`: from two graphs to a trained model, its metrics and its report. */
import {
  assertWritableFolder,
  ConfigError,
  formatBytes,
  formatCount,
  formatDuration,
  openRun,
  type ResolvedConfig,
} from '@lab/core';
import {
  type CliCommand,
  type CliContext,
  type CliInput,
  configOptions,
  readConfigInput,
} from '@lab/core/cli';
import { type BackendChoice, type BackendReport, selectBackend } from '@lab/tensor';
import { isAutomatic, validationText } from '../automatic-seeds.js';
import { type Conclusion, conclude } from '../conclude.js';
import { type AlignmentConfig, valueAt } from '../config-fields.js';
import { type AlignmentTask, type DataSource, readTask } from '../data.js';
import type { AlignmentMethod } from '../method.js';
import type { RunTarget } from '../training-options.js';
import { recordedTraining } from '../training-record.js';
import { PEAK_MEMORY } from '../peak-memory.js';
import { train } from '../training-run.js';
import { metricsTable, seedLine } from './metrics-table.js';
import {
  backendOptions,
  dataSource,
  epochsOption,
  given,
  presetFlag,
  sourceOptions,
  textOption,
} from './options.js';
import { searchReporter } from './search-progress.js';
import { trainingReporter } from './train-progress.js';

/** The verb `train`. */
export const trainCommand = (method: AlignmentMethod): CliCommand => ({
  name: 'train',
  summary: 'Train on two graphs and say how well held-out pairs are found.',
  options: [
    ...sourceOptions,
    ...configOptions(method.config),
    epochsOption(method),
    { flags: '--no-evaluate', summary: 'only train: no test, no baseline', topic: 'settings' },
    { flags: '--out <dir>', summary: 'folder of runs', topic: 'output', default: 'runs' },
    { flags: '--resume <run>', summary: 'go on with a run folder', topic: 'output' },
    { flags: '--dry-run', summary: 'say what would be done, then stop', topic: 'output' },
    ...backendOptions,
  ],
  example: `${method.name} train --data ./data${presetFlag(method)} --epochs 100 --seed 1`,
  run: async (context, input) => {
    // Own graphs come with few links and no paper's settings.
    const preset = textOption(input.options, 'source') === undefined ? undefined : 'own';
    const start = readStart(method, input, await trainingConfig(method, input, preset));
    const backend = await chosenBackend(context, input);
    if (input.options['dryRun'] === true) return dryRun(context, start, backend);
    printConclusion(method, context, await trainAndConclude(method, context, start, backend));
    return 0;
  },
});

/** What a training starts from: files or a task, and a run folder that is new or goes on. */
export interface TrainingStart {
  readonly config: ResolvedConfig<AlignmentConfig>;
  readonly data: DataSource | AlignmentTask;
  readonly run: (backend: BackendReport) => RunTarget;
}

/** The backend that `--backend` names, with the threads of `--threads`. */
export async function chosenBackend(
  context: CliContext,
  { options }: CliInput,
): Promise<BackendReport> {
  const choice = (textOption(options, 'backend') as BackendChoice | undefined) ?? 'auto';
  // Which backend it is stands in the outline; that it must be compiled first is news.
  const logger = { ...context.logger, info: () => undefined };
  const threads = options['threads'] as number;
  const backend = await selectBackend(choice, { logger, ...given({ threads }) });
  context.addFact('backend', `${backend.name}, ${backend.reason}`);
  return backend;
}

/** The config of this call, with another default preset where a verb has one. */
export async function trainingConfig(
  method: Pick<AlignmentMethod, 'config'>,
  { options }: CliInput,
  defaultPreset?: string,
): Promise<ResolvedConfig<AlignmentConfig>> {
  const preset = options['preset'] ?? defaultPreset;
  return readConfigInput(
    method.config,
    { ...options, ...given({ preset }) },
    given({
      'training.epochs': options['epochs'],
      'evaluation.enabled': options['evaluate'] === false ? false : undefined,
    }),
  );
}

/** A new run folder under a parent. */
export function newRun(
  { name }: Pick<AlignmentMethod, 'name'>,
  parent: string,
  label: string,
): TrainingStart['run'] {
  const command = [name, ...process.argv.slice(2)];
  return (backend) => ({ parent, label, command, backend });
}

/** Config and data of this call; `--resume` takes both from the run. */
function readStart(
  method: AlignmentMethod,
  { options }: CliInput,
  config: ResolvedConfig<AlignmentConfig>,
): TrainingStart {
  const resume = textOption(options, 'resume');
  if (resume !== undefined) return resumedStart(method, { resume, options, asked: config });
  const data = dataSource(options);
  if (data === undefined) {
    throw new ConfigError(`${method.name} train: --data is missing.`, {
      help:
        'give the folder of the two graphs (--data DIR), two graphs of your own ' +
        '(--source FILE --target FILE --links FILE), or --resume RUN',
    });
  }
  const run = newRun(method, textOption(options, 'out') ?? 'runs', config.preset ?? 'custom');
  return { config, data, run };
}

/** What `--resume` was given with. */
interface Resumption {
  readonly resume: string;
  readonly options: Record<string, unknown>;
  readonly asked: ResolvedConfig<AlignmentConfig>;
}

/** The recorded config and data; `--data` may name another place of the same files. */
function resumedStart(method: AlignmentMethod, resumption: Resumption): TrainingStart {
  const { resume, options, asked } = resumption;
  const run = openRun(resume);
  const { config: recorded, source } = recordedTraining(method, run);
  assertSameConfig(method.name, recorded, resumption);
  const training = { ...recorded.training };
  for (const name of freeOnResume) {
    if (isByHand(asked.origins[`training.${name}`])) training[name] = asked.config.training[name];
  }
  const config = { ...recorded, training };
  const { mode, preset, origins } = run.record.config;
  return {
    config: { config, mode: mode ?? 'corrected', preset, origins },
    data: { ...source, ...dataSource(options) },
    run: () => ({ resume }),
  };
}

/** Settings of `training` that may differ from the run that is resumed. */
const freeOnResume = ['epochs', 'checkpointSeconds'] as const;

/** Whether a value was given as a flag or in a file. */
const isByHand = (origin = '') => /^(--|file )/.test(origin);

/** Refuses settings, given together with `--resume`, that the run was not started with. */
function assertSameConfig(
  name: string,
  recorded: AlignmentConfig,
  { asked, options }: Resumption,
): void {
  const isAsked = (origin: string) =>
    isByHand(origin) ||
    (origin.startsWith('mode') && options['mode'] !== undefined) ||
    (origin.startsWith('preset') && options['preset'] !== undefined);
  for (const [path, origin] of Object.entries(asked.origins)) {
    const isFree = freeOnResume.some((field) => path === `training.${field}`);
    if (isFree || !isAsked(origin)) continue;
    const [was, wanted] = [recorded, asked.config].map((config) =>
      JSON.stringify(valueAt(config, path)),
    );
    if (was === wanted) continue;
    throw new ConfigError(
      `${name} train: the run was made with ${path} ${was}, ${origin} says ${wanted}.`,
      { help: 'leave the setting out to go on with the run, or start a new run without --resume' },
    );
  }
}

/** Says what a training would do. */
async function dryRun(
  context: CliContext,
  start: TrainingStart,
  backend: BackendReport,
): Promise<number> {
  const { data, split } =
    'split' in start.data ? start.data : await readTask(start.data, start.config.config);
  const plan = {
    entities: data.entityCount,
    triples: data.triples.heads.length,
    seeds: split.seeds.length / 2,
    seedOrigin: split.origin,
    test: split.test.length / 2,
    epochs: start.config.config.training.epochs,
    backend: backend.name,
  };
  context.printJson({ run: null, status: 'planned', metrics: null, plan });
  context.print(
    `would train ${formatCount(plan.epochs)} epochs on ${formatCount(plan.entities)} entities, ` +
      `${formatCount(plan.triples)} triples, ${formatCount(plan.seeds)} seeds ` +
      `from ${plan.seedOrigin} (${plan.backend}: ${backend.reason})\n`,
  );
  return 0;
}

/** A concluded run and what the training took. */
interface TrainingConclusion extends Conclusion {
  readonly seconds: number;
  readonly peakTensorBytes: number;
}

/** Trains into the run folder and writes predictions and report. */
export async function trainAndConclude(
  method: AlignmentMethod,
  context: CliContext,
  start: TrainingStart,
  backend: BackendReport,
): Promise<TrainingConclusion> {
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1000;
  const run = start.run(backend);
  if ('parent' in run) assertWritableFolder(run.parent); // before the data are read
  const trained = await train(method, {
    data: start.data,
    config: start.config,
    run,
    signal: context.signal,
    logger: context.logger,
    onProgress: trainingReporter(method, context, { label: start.config, backend }),
  }).finally(() => context.progress.done());
  const seconds = elapsed();
  try {
    context.progress.update('writing the report');
    const onProgress = searchReporter(context, 'writing the report: searching counterparts');
    const options = { config: start.config, seconds, signal: context.signal, onProgress };
    const { peakTensorBytes } = trained;
    return { ...(await conclude(method, trained, options)), seconds, peakTensorBytes };
  } finally {
    context.progress.done();
    trained.state.dispose();
  }
}

/** The table, where the report is, and what to do next. */
export function printConclusion(
  { name }: AlignmentMethod,
  context: CliContext,
  { summary, run, reportPath, seconds, peakTensorBytes }: TrainingConclusion,
): void {
  context.printJson({ run, ...summary, report: reportPath });
  const metrics = summary.metrics ?? summary.validation;
  if (metrics !== null) context.print(`${metricsTable(name, { ...summary, metrics })}\n`);
  else if (isAutomatic(summary.seedOrigin))
    context.print(`${seedLine(summary.seedOrigin).trim()}\n`);
  if (summary.metrics === null && metrics !== null) {
    context.print(`measured on ${validationText(summary.validationPairs, summary.seedOrigin)}\n`);
  }
  if (metrics !== null && summary.selectedEpoch !== summary.epochs) {
    const pairs = summary.select === 'validation' ? 'validation' : 'test';
    context.print(
      `of epoch ${summary.selectedEpoch}, the best of ${summary.epochs} on ${pairs} pairs\n`,
    );
  }
  context.print(
    `${formatDuration(seconds)}, ${PEAK_MEMORY} ${formatBytes(peakTensorBytes)}; ` +
      `report ${reportPath}\n` +
      `next: ${name} align --run ${run} --out pairs.csv\n`,
  );
}
