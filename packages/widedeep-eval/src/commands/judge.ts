/** `judge`, `baseline` and `plan`: pairs through a network, or what that would take. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  ConfigError,
  type FileRecord,
  formatCount,
  hashFile,
  InterruptedError,
  nearest,
  readJsonLines,
} from '@lab/core';
import {
  type CliCommand,
  type CliContext,
  type CliInput,
  configOptions,
  readConfigInput,
} from '@lab/core/cli';
import { type Shard, systemClock } from '@lab/llm';
import {
  batchFlags,
  countOf,
  damagedText,
  passedCommand,
  passedFlags,
  processFlags,
  readRunSettings,
  runFlags,
  type RunSettings,
  textOf,
  withEarlierFlags,
  writePendingBatch,
} from '@lab/llm/commands';
import { type WidedeepConfig, widedeepConfig } from '../config.js';
import { type Families, loadFamilies } from '../families/load-families.js';
import { parseGates } from '../gate.js';
import { checkConfig, checkFamilies, judgePairs } from '../judge-pairs.js';
import { judgeSample } from '../judge-sample.js';
import { type NetworkPlan, planNetwork } from '../plan-network.js';
import { baselines } from '../presets.js';
import { readSamples } from '../readers/read-samples.js';
import type { Sample } from '../sample.js';
import { concludeRun } from './conclude.js';
import { dataOptions, sampleSource, slicedSamples } from './data-options.js';
import { planText, progressReporter } from './result-text.js';
import { type JudgeSession, openJudges } from './session.js';

const gateOption = {
  flags: '--fail-under <metric=value>',
  summary: 'end with 8 below it, e.g. kappa=0.3',
  kind: 'repeated',
  topic: 'output',
} as const;

const rolesOption = {
  flags: '--expected-roles <n>',
  summary: 'angles of a pair that plans assume',
  kind: 'integer',
  unit: 'default 5',
  topic: 'output',
} as const;

const options = [
  ...dataOptions,
  ...runFlags('pairs'),
  ...batchFlags,
  rolesOption,
  gateOption,
  ...configOptions(widedeepConfig),
];

/** Flags of a process and not of its run: a run that goes on does not take them over. */
const ownFlags = [...processFlags, 'failUnder', 'expectedRoles'];

/** The verb `judge`. */
export const judgeCommand: CliCommand = {
  name: 'judge',
  summary: 'Judge pairs of answers with a network of roles; resume after anything, pay once.',
  options,
  example:
    'widedeep-eval judge --data pairs.csv --base-url http://localhost:8000/v1 --model NAME ' +
    '--out runs/first',
  run: (context, input) => runOrPlan(context, input),
};

/** The verb `baseline`. */
export const baselineCommand: CliCommand = {
  name: 'baseline',
  summary: `Judge with a baseline: ${baselines.join(', ')}.`,
  arguments: [{ name: 'name', summary: 'which one', required: true }],
  options: options.filter(({ flags }) => !flags.startsWith('--preset')),
  example: 'widedeep-eval baseline length --data pairs.csv --out runs/length',
  run: (context, input) => {
    const [name = ''] = input.arguments;
    assertBaseline(name);
    return runOrPlan(context, { ...input, options: { ...input.options, preset: name } });
  },
};

function assertBaseline(name: string): void {
  if (baselines.some((baseline) => baseline === name)) return;
  const close = nearest(name, baselines);
  throw new ConfigError(`there is no baseline ${JSON.stringify(name)}.`, {
    help: close === undefined ? `baselines are ${baselines.join(', ')}.` : `did you mean ${close}?`,
  });
}

/** The verb `plan`. */
export const planCommand: CliCommand = {
  name: 'plan',
  summary: 'Say how many calls, tokens, dollars and minutes a run takes; ask nothing.',
  options: options.filter(
    ({ flags }) => !/^--(dry-run|resume|fail-under|export-batch)/.test(flags),
  ),
  example: 'widedeep-eval plan --data pairs.csv --base-url URL --model NAME --prices prices.json',
  run: (context, input) =>
    runOrPlan(context, { ...input, options: { ...input.options, dryRun: true } }),
};

/** What a run is made of. */
interface Work {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly samples: readonly Sample[];
  readonly families: Families;
  readonly config: WidedeepConfig;
  readonly mode: string;
  readonly preset: string | null;
  readonly settings: RunSettings;
  readonly session: JudgeSession;
}

async function runOrPlan(context: CliContext, { options: given }: CliInput): Promise<number> {
  const flags = withEarlierFlags(given);
  // What is wrong with a gate is said before the first call is paid.
  parseGates(gatesOf(flags));
  const isExport = flags['exportBatch'] !== undefined;
  const settings = readRunSettings(isExport ? { ...flags, dryRun: true } : flags);
  const { config, mode, preset } = await readConfigInput(widedeepConfig, flags);
  const families = loadFamilies(textOf(flags, 'families'));
  const samples = slicedSamples(await readSamples(sampleSource(flags)), flags);
  const session = await openJudges({
    ...{ context, options: flags, config, budget: settings.budget },
    isDryRun: settings.isDryRun,
  });
  const work = { flags, samples, families, config, mode, preset, settings, session };
  try {
    if (isExport) return await exportAll(context, work);
    return settings.isDryRun ? await showPlan(context, work) : await runAll(context, work);
  } finally {
    await session.close();
  }
}

/** The gates that flags set. */
export function gatesOf(flags: Readonly<Record<string, unknown>>): string[] {
  const { failUnder } = flags;
  return Array.isArray(failUnder) ? failUnder.map(String) : [];
}

function plan({ flags, samples, families, config, settings, session }: Work): Promise<NetworkPlan> {
  const { prices, client, clients, cache } = session;
  return planNetwork({
    ...{ samples, families, config, client, clients, cache, shard: settings.shard },
    finished: settings.isResumed ? finishedIds(settings) : undefined,
    costOf: (usage, model) => prices?.costUsd(model, usage) ?? null,
    concurrency: settings.concurrency,
    expectedRoles: countOf(flags, 'expectedRoles', '--expected-roles'),
  });
}

async function showPlan(context: CliContext, work: Work): Promise<number> {
  const planned = await plan(work);
  context.print(planText(planned));
  context.printJson({ run: null, status: 'planned', metrics: null, plan: planned });
  return 0;
}

/** Writes what the pairs would ask next; a step of the network is a batch. */
async function exportAll(context: CliContext, work: Work): Promise<number> {
  const { flags, samples, families, config, session } = work;
  checkConfig(config);
  checkFamilies(samples, families);
  await writePendingBatch(context, flags, {
    rows: samples,
    step: (sample, client, clients) => judgeSample(sample, { config, families, client, clients }),
    ...{ session, rowName: 'pair' },
  });
  return 0;
}

/** The folder of a shard inside that of all. */
const folderOf = (out: string, shard: Shard | undefined): string =>
  shard === undefined ? out : join(out, `${shard.index}-of-${shard.count}`);

function finishedIds({ out, shard }: RunSettings): ReadonlySet<string> {
  const stem = shard === undefined ? '' : `.${shard.index}-of-${shard.count}`;
  const path = join(folderOf(out, shard), `predictions${stem}.jsonl`);
  if (!existsSync(path)) return new Set();
  const rows = readJsonLines(path).rows as readonly { readonly id: string }[];
  return new Set(rows.map(({ id }) => id));
}

async function runAll(context: CliContext, work: Work): Promise<number> {
  const { flags, samples, config, mode, preset, settings, session } = work;
  const { out, shard } = settings;
  const dir = folderOf(out, shard);
  context.setRun(dir);
  context.onSecondInterrupt('ended at once; pairs in flight are asked again on resume.');
  const data = textOf(flags, 'data') ?? '';
  const whom =
    session.server === null ? 'no model' : `${session.client.model} at ${session.server}`;
  context.note(
    `${formatCount(samples.length)} pairs of ${data}, ${preset ?? 'own'} network, ${whom}`,
  );
  const { prices } = session;
  try {
    const result = await judgePairs({
      ...{ samples, config, families: work.families, out, shard },
      ...{ client: session.client, clients: session.clients },
      facts: {
        label: `${session.client.model}, ${preset ?? 'own settings'}`,
        command: passedCommand('widedeep-eval'),
        passed: passedFlags(flags, ownFlags),
        ...{ mode, preset, server: session.server ?? undefined },
        data: await hashedData(data),
        backend: { server: session.server, model: session.client.model },
      },
      ...{ resume: settings.isResumed, allowMixed: settings.allowMixed },
      ...{ budget: settings.budget, maxErrors: settings.maxErrors, signal: context.signal },
      costOf: prices === undefined ? undefined : (usage, model) => prices.costUsd(model, usage),
      onProgress: seldom(progressReporter(context)),
    });
    context.progress.done();
    for (const text of damagedText(result.counts)) context.note(text);
    return await concludeRun(context, result.dir, { flags, gates: parseGates(gatesOf(flags)) });
  } catch (error) {
    context.progress.done();
    throw ended(dir, error);
  }
}

/** Calls a reporter at most ten times a second. */
function seldom<T>(report: (progress: T) => void): (progress: T) => void {
  let nextMs = 0;
  return (progress) => {
    const now = systemClock.now();
    if (now < nextMs) return;
    nextMs = now + 100;
    report(progress);
  };
}

/** The files of the data with their digests. */
async function hashedData(path: string): Promise<FileRecord[]> {
  const names = statSync(path).isDirectory()
    ? readdirSync(path)
        .filter((name) => /\.(jsonl?|txt|csv|tsv)(\.gz)?$/.test(name))
        .sort()
        .map((name) => join(path, name))
    : [path];
  return Promise.all(names.map(hashFile));
}

/** What is thrown at the end of a run that is not finished. */
function ended(run: string, error: unknown): unknown {
  if (!(error instanceof InterruptedError)) return error;
  const message = `saved: resume with "widedeep-eval judge --resume ${run}"`;
  return new InterruptedError(message, { details: { run }, cause: error });
}
