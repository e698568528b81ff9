/** `check`: every defect of the data at once, or what machine this is. */
import { totalmem } from 'node:os';
import {
  collectDefects,
  ConfigError,
  formatBytes,
  formatCount,
  formatCounted,
  formatDuration,
} from '@lab/core';
import {
  type CliCommand,
  type CliContext,
  type CliInput,
  configOptions,
  defectList,
  defectsError,
  printEnvironment,
} from '@lab/core/cli';
import { summarizeAlignment } from '@lab/graph';
import type { BackendReport } from '@lab/tensor';
import { automaticWarnings } from '../automatic-seeds.js';
import type { AlignmentConfig } from '../config-fields.js';
import { type AlignmentTask, readTask } from '../data.js';
import type { MemoryExpectation } from '../memory-expectation.js';
import type { AlignmentMethod } from '../method.js';
import { expectedTime, type TimeExpectation } from '../time-estimate.js';
import { backendOptions, dataSource, sourceOptions } from './options.js';
import { chosenBackend, trainingConfig } from './train.js';

/** The verb `check`. */
export const checkCommand = (method: AlignmentMethod): CliCommand => ({
  name: 'check',
  summary: 'List every defect of the data at once, or describe the machine.',
  options: [
    ...sourceOptions,
    {
      flags: '--no-time',
      summary: 'leave out the expected time, which takes some 10 s',
      topic: 'machine',
    },
    { flags: '--env', summary: 'versions, backend and machine, for bug reports', topic: 'machine' },
    ...backendOptions,
    ...configOptions(method.config),
  ],
  example: `${method.name} check --data ./data`,
  run: async (context, input) => {
    if (input.options['env'] === true) return describeMachine(method, context, input);
    return checkData(method, context, input);
  },
});

async function describeMachine(
  { packageName, version }: AlignmentMethod,
  context: CliContext,
  input: CliInput,
): Promise<void> {
  const backend = await chosenBackend(context, input);
  const unused = backend.tried.map(({ why }) => why.replace(/^tensor: /, ''));
  printEnvironment(
    context,
    { [packageName]: version },
    {
      lines: [
        ['backend', backendText(backend)],
        ...unused.map((why) => ['not used', why] as const),
      ],
      json: { backend },
    },
  );
}

/** Name and facts of a backend in one line. */
function backendText({ name, reason, simd, threads, memoryLimitBytes }: BackendReport): string {
  return [
    `${name} (${reason})`,
    ...(simd === null ? [] : [`SIMD ${simd}`]),
    formatCounted(threads, 'thread'),
    ...(memoryLimitBytes === null ? [] : [`at most ${formatBytes(memoryLimitBytes)}`]),
  ].join(', ');
}

async function checkData(
  method: AlignmentMethod,
  context: CliContext,
  input: CliInput,
): Promise<void> {
  const { options } = input;
  const source = dataSource(options);
  if (source === undefined) {
    throw new ConfigError(`${method.name} check: no data were given.`, {
      help: 'give --data DIR, or --source FILE --target FILE, or --env',
    });
  }
  const { config } = await trainingConfig(
    method,
    input,
    source.own === undefined ? undefined : 'own',
  );
  const collected = collectDefects();
  context.progress.update('reading the graphs');
  const task = await readTask({ ...source, onDefect: collected.onDefect }, config);
  context.progress.done();
  if (collected.count > 0) {
    context.print(`${defectList(collected, context.width)}\n`);
    throw defectsError(collected);
  }
  const counts = summarizeAlignment(task.data);
  const seeds = task.split.seeds.length / 2;
  const test = task.split.test.length / 2;
  const { remarks } = task.data;
  const backend = await chosenBackend(context, input);
  const memory = method.expectedMemory(task, config);
  const time = await timeOf(method, context, { input, task, config });
  const { origin: seedOrigin } = task.split;
  const found = {
    counts,
    seeds,
    seedOrigin,
    test,
    remarks,
    memory: { backend: backend.name, ...memory },
    time,
  };
  context.printJson({ run: null, status: 'success', metrics: null, ...found });
  for (const [name, count] of Object.entries(counts)) {
    context.print(`${spaced(name).padEnd(26)} ${formatCount(Number(count)).padStart(10)}\n`);
  }
  context.print(`${'seeds'.padEnd(26)} ${formatCount(seeds).padStart(10)}\n`);
  context.print(`${'test pairs'.padEnd(26)} ${formatCount(test).padStart(10)}\n`);
  context.print(`${memoryLine(memory, backend)}\n`);
  if (time !== null) context.print(`${timeLine(time, config)}\n`);
  const notes = [...automaticWarnings(task.split), ...remarks];
  for (const remark of notes) context.print(`note: ${remark}\n`);
  context.print('no defects\n');
}

/** The time that a training will take; null where it is not asked for, or none could start. */
async function timeOf(
  method: AlignmentMethod,
  context: CliContext,
  {
    input,
    task,
    config,
  }: {
    readonly input: CliInput;
    readonly task: AlignmentTask;
    readonly config: AlignmentConfig;
  },
): Promise<TimeExpectation | null> {
  const isTrainable = task.split.seeds.length >= 4 && method.expectedMemory(task, config).fits;
  if (input.options['time'] === false || !isTrainable) return null;
  context.progress.update('measuring some steps');
  const time = await expectedTime(method, task, { config, signal: context.signal });
  context.progress.done();
  return time;
}

/** How long a training with these settings will take here. */
function timeLine(time: TimeExpectation, { training }: AlignmentConfig): string {
  const { epochSeconds, trainingSeconds, measuredEntities } = time;
  const whole = `${'time expected'.padEnd(26)} ${formatDuration(trainingSeconds).padStart(10)}`;
  const epochs = formatCounted(training.epochs, 'epoch');
  return (
    `${whole}  (${epochs} of ${formatDuration(epochSeconds)} with evaluations; two steps ` +
    `measured on ${formatCount(measuredEntities)} entities)`
  );
}

/** What a training with these settings will hold, and whether it can. */
function memoryLine(memory: MemoryExpectation, backend: BackendReport): string {
  const { tensorBytes, limitBytes, fits, graphLayers, processBytes } = memory;
  const limit = limitBytes === null ? '' : ` of ${formatBytes(limitBytes)}`;
  const how = {
    kept: '',
    recomputed: ', graph layers computed twice to save memory',
    blocks: ', in blocks of rows: slower, for graphs of any size',
  }[graphLayers];
  const line = `${'memory expected'.padEnd(26)} ${formatBytes(tensorBytes).padStart(10)}${limit}`;
  const verdict = fits ? '' : '\nnote: too large for this backend; a training would not start';
  return `${line}  (backend ${backend.name}${how})${processLine(processBytes)}${verdict}`;
}

/** The memory of the whole process, where most of it is not the backend's. */
function processLine(processBytes: number | undefined): string {
  if (processBytes === undefined) return '';
  const has = totalmem();
  const line = `\n${'process expected'.padEnd(26)} ${formatBytes(processBytes).padStart(10)}`;
  const note = processBytes > 0.9 * has ? '\nnote: this machine has too little memory for it' : '';
  return `${line}  of ${formatBytes(has)}${note}`;
}

/** `leftEntities` as `left entities`. */
const spaced = (name: string) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
