/** `probe`: how well small classifiers tell the classes apart, state by state. */
import { join } from 'node:path';
import { ConfigError, formatCounted, formatShare, resumeRun, writeFileAtomic } from '@lab/core';
import {
  type CliCommand,
  type CliContext,
  type CliInput,
  configOptions,
  readConfigInput,
  table,
} from '@lab/core/cli';
import { type Collection, openCollection } from '../collection.js';
import { type Config, weakProbeConfig } from '../config.js';
import { learningCurve } from '../learning-curve.js';
import { probeKinds } from '../probes.js';
import { type LearningCurve, probeCollection, type ProbeResult } from '../probe-result.js';
import { predictionsFile, writeResult } from '../run-files.js';
import { carriedPlaces, type TransferPoint, transferProbes } from '../transfer.js';
import { collectionArgument, numbersOf } from './collected.js';

/** Flags of verbs that fit probes. */
export const probeOptions = configOptions(weakProbeConfig);

/** The verb `probe`. */
export const probeCommand: CliCommand = {
  name: 'probe',
  summary: 'Say at which state probes tell the classes apart, beside what the words alone tell.',
  arguments: [collectionArgument],
  options: [
    { flags: '--probes <list>', summary: `of ${probeKinds.join(', ')}`, kind: 'list' },
    { flags: '--states <list>', summary: 'states that are probed; default all', kind: 'list' },
    { flags: '--folds <n>', summary: 'folds of cross-validation', kind: 'integer' },
    { flags: '--repeats <n>', summary: 'splits with seeds of their own', kind: 'integer' },
    {
      flags: '--learning <list>',
      summary: 'accuracy of the first probe at its best state with so many training rows',
      kind: 'list',
    },
    {
      flags: '--transfer <run>',
      summary: 'measure the probes on another collection as well',
      kind: 'repeated',
    },
    {
      flags: '--rename <other=own>',
      summary: "the other collection's class in the words of this one",
      kind: 'repeated',
    },
    ...probeOptions,
  ],
  example: 'weak-probe probe runs/organism --probes svm,mlp,mass-mean --folds 5',
  run: async (context, input) => {
    const collection = openCollection(input.arguments[0]!);
    const config = await probeConfig(collection, input);
    const states = numbersOf(input, 'states');
    const others = othersOf(input, collection);
    context.setRun(collection.dir);
    context.onSecondInterrupt('ended at once; the state at work is probed again next time.');
    const run = resumeRun(collection.dir);
    try {
      const probed = await probeAll(context, { collection, config, states });
      const result = await withLearning(context, input, { collection, config, result: probed });
      const transfers = await transferAll(context, { collection, config, states, others });
      context.progress.done();
      say(context, collection.dir, { result, transfers });
    } finally {
      context.progress.done();
      run.release();
    }
  },
};

/** Settings of this call; what was collected, and how, is as it was. */
export async function probeConfig(
  { record, config: collected }: Collection,
  { options }: CliInput,
): Promise<Config> {
  const mode = options['mode'] ?? record.config.mode;
  const flags = {
    'probe.kinds': options['probes'],
    'split.folds': options['folds'],
    'split.repeats': options['repeats'],
  };
  const { config } = await readConfigInput(weakProbeConfig, { ...options, mode }, flags);
  const { data, states } = collected;
  const seed = options['seed'] === undefined ? collected.seed : config.seed;
  return { ...config, data, states, seed };
}

interface Work {
  readonly collection: Collection;
  readonly config: Config;
  readonly states: readonly number[] | undefined;
}

async function probeAll(
  context: CliContext,
  { collection, config, states }: Work,
): Promise<ProbeResult> {
  const { dir, store } = collection;
  const count = states?.length ?? store.stateCount;
  let begun = -1;
  let last = -1;
  const { result, predictions } = await probeCollection({
    ...{ collection, config, states, signal: context.signal },
    recordPath: join(dir, 'probe-states.jsonl'),
    onProgress: ({ state, probe, split }) => {
      if (state !== last) begun += 1;
      last = state;
      context.progress.update(`probe  state ${state}  ${probe}  ${split}`, begun / count);
    },
  });
  writeResult(dir, 'probes', result);
  const lines = predictions.map((one) => `${JSON.stringify(one)}\n`);
  writeFileAtomic(join(dir, predictionsFile), lines);
  return result;
}

/** The result with the learning curve that was asked for. */
async function withLearning(
  context: CliContext,
  input: CliInput,
  { collection, config, result }: Pick<Work, 'collection' | 'config'> & { result: ProbeResult },
): Promise<ProbeResult> {
  const counts = numbersOf(input, 'learning')?.toSorted((a, b) => a - b);
  if (counts === undefined) return result;
  const probe = config.probe.kinds[0]!;
  const { state } = result.states.reduce((best, one) =>
    one.probes[0]!.accuracy > best.probes[0]!.accuracy ? one : best,
  );
  context.progress.update(`learning curve  state ${state}  ${probe}`);
  const given = { store: collection.store, config, state, probe, counts, signal: context.signal };
  const learnt = { ...result, learning: { probe, state, points: await learningCurve(given) } };
  writeResult(collection.dir, 'probes', learnt);
  return learnt;
}

/** Another collection that probes are carried to. */
interface Other {
  readonly to: string;
  readonly store: Collection['store'];
  readonly classNames: Readonly<Record<string, string>>;
}

/** Other collections, looked at before the work begins. */
function othersOf(input: CliInput, { store }: Collection): Other[] {
  const classNames = namesOf(input);
  const given = (input.options['transfer'] ?? []) as readonly string[];
  return given.map((to) => {
    const other = openCollection(to).store;
    carriedPlaces({ from: store, to: other, classNames });
    return { to, store: other, classNames };
  });
}

/** Probes of this collection on another one. */
interface Transfer {
  readonly to: string;
  readonly points: readonly TransferPoint[];
}

async function transferAll(
  context: CliContext,
  { collection, config, states, others }: Work & { readonly others: readonly Other[] },
): Promise<Transfer[]> {
  const transfers: Transfer[] = [];
  for (const { to, store, classNames } of others) {
    const points = await transferProbes({
      ...{ from: collection.store, to: store, config, classNames, states },
      signal: context.signal,
      onProgress: (state) => context.progress.update(`transfer  ${to}  state ${state}`),
    });
    transfers.push({ to, points });
  }
  if (transfers.length > 0) writeResult(collection.dir, 'transfer', { transfers });
  return transfers;
}

function namesOf({ options }: CliInput): Record<string, string> {
  const given = (options['rename'] ?? []) as readonly string[];
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=');
      if (at > 0 && at < text.length - 1) return [text.slice(0, at), text.slice(at + 1)];
      throw new ConfigError(`--rename ${text} names no two classes.`, {
        help: 'write OTHER=OWN, e.g. --rename unsafe=malicious.',
      });
    }),
  );
}

interface Said {
  readonly result: ProbeResult;
  readonly transfers: readonly Transfer[];
}

function say(context: CliContext, dir: string, { result, transfers }: Said): void {
  for (const warning of result.warnings) context.note(`warning: ${warning}`);
  context.print(table(stateRows(result)));
  context.print(`${controlText(result)}${emergenceText(result)}`);
  if (result.learning !== undefined) context.print(learningText(result.learning));
  for (const { to, points } of transfers) {
    const left = points[0]?.leftOutCount ?? 0;
    const without = left > 0 ? `, without ${formatCounted(left, 'row')} of texts trained on` : '';
    context.print(`\non ${to}${without}\n${table(points.map(transferRow))}`);
  }
  context.print(`result  ${join(dir, 'probes.json')}\nnext: weak-probe report ${dir}\n`);
  const metrics = Object.fromEntries(
    result.states
      .at(-1)!
      .probes.map(({ probe }, place) => [
        probe,
        Math.max(...result.states.map(({ probes }) => probes[place]!.accuracy)),
      ]),
  );
  const { emergence, strongestControl } = result;
  context.printJson({
    ...{ run: dir, status: 'success', metrics: { bestAccuracy: metrics } },
    ...{ emergence, strongestControl, path: join(dir, 'probes.json') },
  });
}

/** A row a state: accuracies with their intervals, and mean recalls of unequal classes. */
function stateRows({ states, classes }: ProbeResult): Record<string, string | number>[] {
  const isBalanced = new Set(classes.map(({ count }) => count)).size === 1;
  return states.map(({ state, probes, degenerateFeatures }) => ({
    state,
    ...Object.fromEntries(
      probes.map(({ probe, accuracy, interval, converged }) => [
        probe,
        `${formatShare(accuracy)} (${formatShare(interval.low)}-${formatShare(interval.high)})` +
          (converged ? '' : ' *'),
      ]),
    ),
    ...(!isBalanced &&
      Object.fromEntries(
        probes.map((one) => [`${one.probe} balanced`, formatShare(one.balancedAccuracy)]),
      )),
    ...(states.some((one) => one.degenerateFeatures) && {
      remark: degenerateFeatures ? 'all rows are the same' : '',
    }),
  }));
}

function controlText({ controls, splits, classes }: ProbeResult): string {
  const counts = classes.map(({ label, count }) => `${label} ${count}`).join(', ');
  const rows = splits.length === 1 ? `, ${formatCounted(splits[0]!.testCount, 'test row')}` : '';
  const shown = controls.map(({ control, accuracy }) => `${control} ${formatShare(accuracy)}`);
  const texts = shown.length === 0 ? '' : `texts alone: ${shown.join(', ')}\n`;
  return `accuracy with its 95 % interval; ${counts}${rows}\n${texts}`;
}

function emergenceText({ emergence, strongestControl: control }: ProbeResult): string {
  return emergence
    .map(({ probe, baseline, firstState, lastingState, best }) => {
      const than = `${control} (${formatShare(baseline)})`;
      if (firstState === null) return `${probe} is at no state surely above ${than}\n`;
      const until = lastingState === null ? 'not to the end' : `for good from ${lastingState} on`;
      return (
        `${probe} is surely above ${than} from state ${firstState}, ${until}; ` +
        `best ${formatShare(best.accuracy)} at state ${best.state}\n`
      );
    })
    .join('');
}

function learningText({ probe, state, points }: LearningCurve): string {
  const shown = points.map(
    ({ trainCount, accuracy }) => `${formatShare(accuracy)} of ${trainCount}`,
  );
  return `${probe} at state ${state} by training rows: ${shown.join(', ')}\n`;
}

function transferRow(point: TransferPoint) {
  const { state, probe, within, accuracy, interval, binary, native, directionCosine } = point;
  const { rowCount } = point;
  return {
    ...{ state, probe, within: formatShare(within.accuracy) },
    there: `${formatShare(accuracy)} (${formatShare(interval.low)}-${formatShare(interval.high)})`,
    native: formatShare(native),
    rows: rowCount,
    ...(binary !== null && {
      ...{
        auroc: formatShare(binary.auroc),
        'found at 1 % alarms': formatShare(binary.truePositiveRate),
      },
      ece: formatShare(binary.ece),
    }),
    cosine: directionCosine === null ? '' : directionCosine.toFixed(3),
  };
}
