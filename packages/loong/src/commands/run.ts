/** `run` and `plan`: every question to a model, or what that would take. */
import { existsSync } from 'node:fs';
import { type FileRecord, hashFile, LabError } from '@lab/core';
import {
  type CliCommand,
  type CliContext,
  type CliInput,
  configOptions,
  readConfigInput,
} from '@lab/core/cli';
import {
  batchFlags,
  type ModelSession,
  passedCommand,
  passedFlags,
  processFlags,
  readRunSettings,
  runFlags,
  type RunSettings,
  textOf,
  underTopic,
  withEarlierFlags,
  writePendingBatch,
} from '@lab/llm/commands';
import { type LoongConfig, loongConfig } from '../config.js';
import { answerRecord } from '../answer-record.js';
import { assertDocuments, generateAnswers } from '../generate.js';
import { planAnswers } from '../plan.js';
import { readAnswers } from '../read-run.js';
import type { TokenCounter } from '../tokens.js';
import {
  askedBenchmark,
  dataFile,
  dataOptions,
  docsFolder,
  selectedRecords,
} from './data-options.js';
import { longPromptGuard, openCounter } from './server-window.js';
import { openModel, openRetriever } from './session.js';
import { planText, progressReporter, resultText } from './texts.js';

const retrievalOptions = underTopic('retrieval', [
  { flags: '--rag <how>', summary: 'chunks in place of documents: embeddings, bm25, fusion' },
  { flags: '--top-k <n>', summary: 'chunks in a prompt', kind: 'integer', unit: 'default 30' },
  { flags: '--embed-model <name>', summary: 'model that makes vectors' },
  { flags: '--embed-base-url <url>', summary: 'its server', unit: 'default --base-url' },
]);

const windowOptions = underTopic('prompt', [
  {
    flags: '--max-length <n>',
    summary: 'window of the model, tokens',
    kind: 'integer',
    unit: 'default 128000',
  },
  { flags: '--closed-book', summary: 'ask without documents: what is known by heart' },
]);

const options = [
  ...dataOptions,
  ...runFlags('questions'),
  ...batchFlags,
  ...windowOptions,
  ...retrievalOptions,
  ...configOptions(loongConfig),
];

/** The verb `run`. */
export const runCommand: CliCommand = {
  name: 'run',
  summary: 'Ask a model every question; resume after anything, pay once.',
  options,
  example:
    'loong run --data loong.jsonl --docs doc --subset mini --base-url http://localhost:8000/v1 ' +
    '--model NAME --out runs/first',
  run: (context, input) => run(context, input, false),
};

/** The verb `plan`. */
export const planCommand: CliCommand = {
  name: 'plan',
  summary: 'Say what a run would ask, take and cost, by set; ask nothing.',
  options: options.filter(({ flags }) => !flags.startsWith('--export-batch')),
  example: 'loong plan --data loong.jsonl --docs doc --model NAME --max-length 128000',
  run: (context, input) => run(context, input, true),
};

type Flags = Readonly<Record<string, unknown>>;

/** The settings that flags make. */
export async function configOf(flags: Flags): Promise<{
  readonly config: LoongConfig;
  readonly mode: string;
  readonly preset: string | null;
}> {
  return readConfigInput(loongConfig, flags, {
    'window.maxLength': flags['maxLength'],
    'assembly.closedBook': flags['closedBook'],
    'rag.retriever': flags['rag'],
    'rag.topK': flags['topK'],
  });
}

async function run(context: CliContext, input: CliInput, isPlan: boolean): Promise<number> {
  const flags = withEarlierFlags(input.options);
  const isExport = !isPlan && flags['exportBatch'] !== undefined;
  const settings = readRunSettings(isPlan || isExport ? { ...flags, dryRun: true } : flags);
  const resolved = await configOf(flags);
  const session = await planSession(context, flags, settings, isPlan);
  const held: { close(): Promise<void> }[] = [session];
  try {
    const open = openRetriever(context, flags, resolved.config.rag);
    held.push(open);
    const counting = await openCounter(session, resolved.config);
    held.push(counting);
    const { retriever } = open;
    const { counter } = counting;
    const facts = { ...resolved, retriever, counter, session, settings, flags };
    if (isExport) return await exportAll(context, facts);
    return settings.isDryRun ? await showPlan(context, facts) : await runAll(context, facts);
  } finally {
    for (const one of held.toReversed()) await one.close();
  }
}

/** A plan needs no server: without one nothing is taken from a cache. */
async function planSession(
  context: CliContext,
  flags: Flags,
  settings: RunSettings,
  isPlan: boolean,
): Promise<ModelSession> {
  const { budget, isDryRun } = settings;
  const baseUrl = isPlan && flags['baseUrl'] === undefined ? { baseUrl: 'http://nobody/v1' } : {};
  return openModel({ context, options: { ...baseUrl, ...flags }, budget, isDryRun });
}

interface RunParts {
  readonly config: LoongConfig;
  readonly mode: string;
  readonly preset: string | null;
  readonly retriever: ReturnType<typeof openRetriever>['retriever'];
  readonly counter: TokenCounter | undefined;
  readonly session: ModelSession;
  readonly settings: RunSettings;
  readonly flags: Flags;
}

async function showPlan(context: CliContext, parts: RunParts): Promise<number> {
  const { config, session, settings, flags, retriever, counter } = parts;
  const hasDocs = docsFolder(flags) !== undefined;
  const benchmark = hasDocs ? await askedBenchmark(flags) : null;
  const records = benchmark?.records ?? (await selectedRecords(flags));
  if (benchmark === null) context.note('no --docs: prompts are not made, lengths are those given.');
  const isRead = textOf(flags, 'cache') !== 'refresh';
  const { out, isResumed } = settings;
  const plan = await planAnswers({
    ...{ records, config, client: session.client, prices: session.prices },
    documents: benchmark === null ? null : { library: benchmark.library, retriever, counter },
    cache: isRead ? session.cache : undefined,
    finished: isResumed && existsSync(out) ? new Set(readAnswers(out).keys()) : undefined,
    ...{ concurrency: settings.concurrency, shard: settings.shard, signal: context.signal },
    onProgress: (done) => {
      context.progress.update(`plan  ${done}/${records.length} prompts`, done / records.length);
    },
  });
  context.progress.done();
  context.print(`${planText(plan)}\n`);
  context.print('with a judge: as many calls again, of about 1,200 tokens each\n');
  context.printJson({ run: null, status: 'planned', metrics: null, plan });
  return 0;
}

async function runAll(context: CliContext, parts: RunParts): Promise<number> {
  const { config, mode, preset, retriever, counter, session, settings, flags } = parts;
  const { records, library, skipped } = await askedBenchmark(flags);
  const { out } = settings;
  context.setRun(out);
  context.onSecondInterrupt('ended at once; questions in flight are asked again on resume.');
  if (skipped > 0) context.note(`${skipped} questions are left out: documents are missing.`);
  context.note(`${records.length} questions, ${session.client.model} at ${session.server}`);
  const { client, prices } = session;
  const source = { config, library, retriever, counter };
  const result = await generateAnswers({
    ...{ records, client, out, ...source },
    beforeAsk: await longPromptGuard(context, { session, records, source, flags }),
    facts: {
      ...{ mode, preset, server: session.server, data: await dataRecords(flags) },
      ...{ command: passedCommand('loong'), passed: passedFlags(flags, processFlags) },
    },
    ...{ resume: settings.isResumed, allowMixed: settings.allowMixed, shard: settings.shard },
    ...{ budget: settings.budget, maxErrors: settings.maxErrors, signal: context.signal },
    costOf: prices === undefined ? undefined : (usage, model) => prices.costUsd(model, usage),
    onProgress: progressReporter(context, 'run'),
  }).catch((error: unknown) => {
    throw withResume(error, `loong run --resume ${out}`);
  });
  context.progress.done();
  context.print(`${resultText(result)}\nrun     ${result.dir}\n`);
  context.print(`next: loong judge ${out} --model JUDGE, or loong evaluate ${out} --rule-scores\n`);
  const { counts, usage } = result;
  context.printJson({ run: result.dir, status: 'success', metrics: null, results: counts, usage });
  return 0;
}

/** Writes what the questions would ask next. */
async function exportAll(context: CliContext, parts: RunParts): Promise<number> {
  const { config, retriever, counter, session, flags } = parts;
  const { records, library } = await askedBenchmark(flags);
  assertDocuments({ records, library, config });
  const source = { config, library, retriever, counter };
  await writePendingBatch(context, flags, {
    rows: records,
    step: (record, client) => answerRecord(record, { client, setStatus: () => undefined }, source),
    ...{ session, rowName: 'question' },
  });
  return 0;
}

/** The file of questions as the record names it. */
export async function dataRecords(flags: Flags): Promise<FileRecord[]> {
  return [await hashFile(dataFile(flags))];
}

/** An interruption with the command that goes on. */
export function withResume(error: unknown, command: string): unknown {
  if (!LabError.is(error) || error.code !== 'LAB_INTERRUPTED') return error;
  error.message = `saved: resume with "${command}"`;
  return error;
}
