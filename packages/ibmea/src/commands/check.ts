/** `ibmea check`: every defect of the data at once, or what machine this is. */
import { collectDefects, ConfigError, describeEnvironment, formatCount } from '@lab/core';
import {
  type CliCommand,
  type CliContext,
  type CliInput,
  configOptions,
  defectList,
  defectsError,
} from '@lab/core/cli';
import { summarizeAlignment } from '@lab/graph';
import { selectBackend } from '@lab/tensor';
import { ibmeaConfig } from '../config.js';
import { readTask } from '../data.js';
import { version } from '../version.js';
import { dataOptions, given, ownGraphOptions, ownGraphs, textOption } from './options.js';
import { trainingConfig } from './train.js';

/** The verb `check`. */
export const checkCommand: CliCommand = {
  name: 'check',
  summary: 'List every defect of the data at once, or describe the machine.',
  options: [
    ...dataOptions,
    ...ownGraphOptions.filter(({ flags }) => !flags.startsWith('--seeds')),
    { flags: '--env', summary: 'versions, backend and machine, for bug reports', topic: 'machine' },
    ...configOptions(ibmeaConfig),
  ],
  example: 'ibmea check --data ./data',
  run: async (context, input) => {
    if (input.options['env'] === true) return describeMachine(context);
    return checkData(context, input);
  },
};

async function describeMachine(context: CliContext): Promise<void> {
  const backend = await selectBackend('auto');
  const facts = { '@lab/ibmea': version, ...describeEnvironment(), backend };
  context.printJson({ run: null, status: 'success', metrics: null, environment: facts });
  const { tried, ...chosen } = backend;
  for (const [name, value] of Object.entries({ ...facts, backend: chosen })) {
    context.print(
      `${name.padEnd(14)} ${typeof value === 'object' ? JSON.stringify(value) : value}\n`,
    );
  }
  for (const { name, why } of tried) context.print(`${'not used'.padEnd(14)} ${name}: ${why}\n`);
}

async function checkData(context: CliContext, input: CliInput): Promise<void> {
  const { options } = input;
  const dir = textOption(options, 'data');
  const own = ownGraphs(options);
  if (dir === undefined && own === undefined) {
    throw new ConfigError('ibmea check: no data were given.', {
      help: 'give --data DIR, or --source FILE --target FILE, or --env',
    });
  }
  const { config } = await trainingConfig(input, own === undefined ? undefined : 'own');
  const collected = collectDefects();
  context.progress.update('reading the graphs');
  const seedsFile = textOption(options, 'seeds');
  const images = textOption(options, 'images');
  const source = given({ dir, own, seedsFile, images });
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
  context.printJson({ run: null, status: 'success', metrics: null, counts, seeds, test, remarks });
  for (const [name, count] of Object.entries(counts)) {
    context.print(`${spaced(name).padEnd(26)} ${formatCount(Number(count)).padStart(10)}\n`);
  }
  context.print(`${'seeds'.padEnd(26)} ${formatCount(seeds).padStart(10)}\n`);
  context.print(`${'test pairs'.padEnd(26)} ${formatCount(test).padStart(10)}\n`);
  for (const remark of remarks) context.print(`note: ${remark}\n`);
  context.print('no defects\n');
}

/** `leftEntities` as `left entities`. */
const spaced = (name: string) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
