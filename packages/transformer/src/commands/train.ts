/** `transformer train`: a model on texts, or on prompts with answers. */
import { resolve } from 'node:path';
import {
  assertWritableFolder,
  ConfigError,
  formatCount,
  formatCounted,
  formatDuration,
  formatNumber,
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
import type { BackendReport } from '@lab/tensor';
import { type ModelSource, openSource } from '../training/model-source.js';
import { recordedConfig } from '../training/recorded-config.js';
import { type DoneTraining, trainOpened } from '../training/train-model.js';
import { type TrainingConfig, trainingConfig } from '../training/training-config.js';
import { readTrainingData } from '../training/training-data.js';
import type { TrainingRunTarget } from '../training/training-events.js';
import { stepCounts } from '../training/training-loop.js';
import { backendOption, chosenBackend, threadsOption } from './model-options.js';
import { trainingReporter } from './train-progress.js';

/** The verb `train`. */
export const trainCommand: CliCommand = {
  name: 'train',
  summary: 'Train a decoder or a T5 on texts, or on prompts with answers.',
  options: [
    ...configOptions(trainingConfig),
    { flags: '--out <dir>', summary: 'folder of runs', topic: 'output', default: 'runs' },
    { flags: '--resume <run>', summary: 'go on with a run folder', topic: 'output' },
    {
      flags: '--dry-run',
      summary: 'read model and data, say what would be done, then stop',
      topic: 'output',
      kind: 'boolean',
    },
    backendOption,
    threadsOption,
  ],
  example:
    'transformer train --set model.path=MODEL --set data.train=pairs.jsonl ' +
    '--set training.epochs=3 --seed 1',
  run: async (context, input) => {
    const start = await readStart(input);
    const { path, from } = start.resolved.config.model;
    const source = openSource(from === 'scratch' ? { config: path } : path);
    const backend = await chosenBackend(context, input);
    if (input.options['dryRun'] === true) return dryRun(context, source, start.resolved);
    return train(context, source, start, backend);
  },
};

/** What a training starts from. */
interface Start {
  readonly resolved: ResolvedConfig<TrainingConfig>;
  readonly run: TrainingRunTarget;
}

async function readStart({ options }: CliInput): Promise<Start> {
  const given = await readConfigInput(trainingConfig, options);
  const asked = { ...given, config: withWholePaths(given.config) };
  const resume = options['resume'];
  if (typeof resume === 'string') {
    return { resolved: recordedConfig(openRun(resume), asked), run: { resume } };
  }
  const { model, data } = given.config;
  for (const [path, value] of [
    ['model.path', model.path],
    ['data.train', data.train],
  ] as const) {
    if (value !== '') continue;
    throw new ConfigError(`transformer train: ${path} is missing.`, {
      help: `Give it in --config FILE, or with --set ${path}=PATH.`,
    });
  }
  const parent = options['out'] as string;
  const command = ['transformer', ...process.argv.slice(2)];
  return { resolved: asked, run: { parent, command } };
}

/** Paths that mean the same in every folder, so that a run can be resumed from any. */
function withWholePaths(config: TrainingConfig): TrainingConfig {
  const { model, data } = config;
  const evaluation = data.evaluation === null ? null : resolve(data.evaluation);
  return {
    ...config,
    model: { ...model, path: resolve(model.path) },
    data: { ...data, train: resolve(data.train), evaluation },
  };
}

async function train(
  context: CliContext,
  source: ModelSource,
  { resolved, run }: Start,
  backend: BackendReport,
): Promise<number> {
  const began = performance.now();
  const { data } = resolved.config;
  if ('parent' in run) assertWritableFolder(run.parent); // before the data are read
  const options = {
    ...{ resolved, run, signal: context.signal },
    onProgress: trainingReporter(context, { source, backend }),
  };
  const done = await trainOpened(source, data.train, options, async (one) => one).finally(() =>
    context.progress.done(),
  );
  printEnd(context, done, (performance.now() - began) / 1000);
  return 0;
}

/** The losses, where the model is, and what to do next. */
function printEnd(
  context: CliContext,
  { result: { losses, evaluation }, steps, run }: DoneTraining,
  seconds: number,
): void {
  const model = run!.path('model');
  const loss = losses.at(-1) ?? null;
  context.printJson({ run: run!.dir, status: 'success', steps, loss, evaluation, model });
  const lines = [`${formatCounted(steps, 'step')} in ${formatDuration(seconds)}`];
  if (loss !== null) lines.push(`loss of the last step    ${loss.toFixed(4)}`);
  if (evaluation !== null) {
    const { loss: heldOut, perplexity, examples } = evaluation;
    lines.push(
      `loss of held-out text    ${heldOut.toFixed(4)}   perplexity ${formatNumber(perplexity)}, ` +
        `${formatCounted(examples, 'example')}`,
    );
  }
  context.print(
    `${lines.join('\n')}\nmodel ${model}\n` +
      `next: transformer generate ${model} --prompt 'Once upon a time'\n`,
  );
}

/** Says what a training would do. */
async function dryRun(
  context: CliContext,
  source: ModelSource,
  { config }: ResolvedConfig<TrainingConfig>,
): Promise<number> {
  const { train: examples, evaluation } = config.data;
  const inputs = { train: examples, evaluation };
  const data = await readTrainingData(source, config, inputs, context.signal);
  const { steps, epochs } = stepCounts(config.training, data.train.length);
  const tokens = data.train.reduce(
    (sum, { ids, answer }) => sum + ids.length + (answer?.length ?? 0),
    0,
  );
  const plan = { examples: data.train.length, heldOut: data.heldOut.length, tokens, steps, epochs };
  context.printJson({ run: null, status: 'planned', plan, remarks: data.remarks });
  for (const remark of data.remarks) context.note(`note   ${remark}`);
  context.print(
    `would train ${formatCounted(steps, 'step')} in ${formatCounted(epochs, 'epoch')} on ` +
      `${formatCounted(plan.examples, 'example')}, ${formatCount(tokens)} tokens, with ` +
      `${formatCount(plan.heldOut)} held out\n`,
  );
  return 0;
}
