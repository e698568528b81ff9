/** `experiment`: ablations and sweeps, resumable, as tables and figures. */
import { ConfigError, formatCount, type ResolvedConfig } from '@lab/core';
import { type CliCommand, type CliContext, type CliInput, configOptions } from '@lab/core/cli';
import { automaticWarnings } from '../automatic-seeds.js';
import { type AlignmentConfig, modalities } from '../config-fields.js';
import { type AlignmentTask, type DataSource, readTask } from '../data.js';
import type { AblationGroup } from '../experiment/cell.js';
import { assertGroups, groupsFor, runAlignmentExperiment } from '../experiment.js';
import type { AlignmentMethod } from '../method.js';
import { backendOptions, dataSource, sourceOptions, textOption } from './options.js';
import { chosenBackend, trainingConfig } from './train.js';

/** The verb `experiment`. */
export const experimentCommand = (method: AlignmentMethod): CliCommand => ({
  name: 'experiment',
  summary: 'Run ablations and sweeps on two graphs; the same command goes on after a stop.',
  options: [
    ...sourceOptions,
    ...configOptions(method.config),
    {
      flags: '--only <groups>',
      summary: 'groups, separated by commas',
      kind: 'list',
      unit: 'default all',
    },
    { flags: '--list', summary: 'list the groups and their cells, then stop' },
    { flags: '--epochs <n>', summary: 'epochs of each cell', kind: 'integer', default: 20 },
    {
      flags: '--run-seeds <list>',
      summary: 'seeds of the runs, separated by commas',
      kind: 'list',
      unit: 'default the config seed',
    },
    { flags: '--out <dir>', summary: 'folder of results', default: 'experiment' },
    ...backendOptions,
  ],
  example: `${method.name} experiment --data ./data --only modalities,low-resource --epochs 20`,
  run: (context, input) => runExperimentCommand(method, context, input),
});

async function runExperimentCommand(
  method: AlignmentMethod,
  context: CliContext,
  input: CliInput,
): Promise<number> {
  const { options } = input;
  const source = dataSource(options);
  const isList = options['list'] === true;
  if (source === undefined && !isList) {
    throw new ConfigError(`${method.name} experiment: no data were given.`, {
      help:
        'give the folder of the two graphs (--data DIR), or two graphs of your own ' +
        '(--source FILE --target FILE --links FILE)',
    });
  }
  const base = await experimentConfig(method, input, source);
  const task = source === undefined ? null : await readTask(source, base.config);
  const { seedShare } = base.config.data;
  const groups =
    task === null
      ? method.groups({ present: [...modalities], seedShare })
      : groupsFor(method, task);
  const only = options['only'] as string[] | undefined;
  const names = groups.map((group) => group.name);
  assertGroups(`${method.name} experiment`, only ?? [], names);
  if (task !== null && !isList) return runGroups(method, context, { input, task, base, only });
  if (task === null) context.note('note: without data all groups; some need images or attributes');
  return listGroups(
    context,
    groups.filter(({ name }) => only === undefined || only.includes(name)),
  );
}

/** Share of the links of one's own that are seeds; the others measure. */
const OWN_SEED_SHARE = 0.3;

/** Preset `own` for graphs of one's own, but with links left to measure on. */
async function experimentConfig(
  method: AlignmentMethod,
  input: CliInput,
  source: DataSource | undefined,
): Promise<ResolvedConfig<AlignmentConfig>> {
  if (source?.own === undefined) return trainingConfig(method, input);
  const config = await trainingConfig(method, input, 'own');
  const isChosen = !config.origins['data.seedShare']?.startsWith('preset');
  if (isChosen || source.seedsFile !== undefined) return config;
  const { set } = input.options;
  const given = Array.isArray(set) ? set.map(String) : [];
  const options = { ...input.options, set: [`data.seedShare=${OWN_SEED_SHARE}`, ...given] };
  return trainingConfig(method, { ...input, options }, 'own');
}

/** What the cells are trained on. */
interface ExperimentInput {
  readonly input: CliInput;
  readonly task: AlignmentTask;
  readonly base: ResolvedConfig<AlignmentConfig>;
  readonly only: readonly string[] | undefined;
}

/** Trains the cells and prints the files of the results. */
async function runGroups(
  method: AlignmentMethod,
  context: CliContext,
  { input, task, base, only }: ExperimentInput,
): Promise<number> {
  const { options } = input;
  await chosenBackend(context, input);
  const out = textOption(options, 'out')!;
  const { files, groups: results } = await runAlignmentExperiment({
    method,
    task,
    base,
    epochs: Number(options['epochs']),
    seeds: runSeeds(method, options['runSeeds'], base.config.seed),
    ...(only === undefined ? {} : { only }),
    dir: out,
    signal: context.signal,
    onProgress: (text, share) => context.progress.update(text, share),
  });
  context.progress.done();
  const { origin: seedOrigin } = task.split;
  const tables = Object.fromEntries(
    results.map(({ group, table }) => [
      group.name,
      table.rows.map(({ settings: _, ...row }) => row),
    ]),
  );
  context.printJson({ run: out, status: 'success', metrics: null, seedOrigin, tables, files });
  for (const line of automaticWarnings(task.split)) context.print(`note: ${line}\n`);
  for (const file of files.filter((path) => path.endsWith('.md'))) context.print(`${file}\n`);
  return 0;
}

function listGroups(context: CliContext, groups: readonly AblationGroup[]): number {
  const cells = groups.map(({ name, cells: list }) => ({ name, cells: list.map(({ id }) => id) }));
  context.printJson({ run: null, status: 'planned', metrics: null, groups: cells });
  for (const { name, title, cells: list } of groups) {
    context.print(`${name.padEnd(18)} ${formatCount(list.length).padStart(3)} cells  ${title}\n`);
  }
  return 0;
}

function runSeeds(method: AlignmentMethod, value: unknown, fallback: number): number[] {
  if (!Array.isArray(value) || value.length === 0) return [fallback];
  return value.map((text) => {
    const seed = Number(text);
    if (Number.isSafeInteger(seed) && seed >= 0) return seed;
    throw new ConfigError(`${method.name} experiment: --run-seeds has "${text}".`, {
      help: 'give whole numbers, e.g. --run-seeds 1,2,3',
    });
  });
}
