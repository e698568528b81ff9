/** `llm run`: every row of a file through a prompt, each finished and paid once. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  exitCodeOf,
  findGitState,
  formatCount,
  hashFile,
  InterruptedError,
  LabError,
  readRunRecord,
} from '@lab/core';
import type { CliCommand, CliContext } from '@lab/core/cli';
import { presumedCapabilities } from '../capabilities.js';
import type { ChatRequest, ChatResult } from '../chat.js';
import { systemClock } from '../clock.js';
import { timelineFile } from '../exports/run-timeline.js';
import { type Plan, planRows } from '../plan.js';
import { parseAddress } from '../redact.js';
import { type FileRow, readRows } from '../rows/row-file.js';
import { RowLedger } from '../rows/row-ledger.js';
import { loadFinished, type RunDescription, runFolder } from '../rows/run-files.js';
import { type RowContext, type RowsResult, runRows } from '../rows/run-rows.js';
import { type RowCounts, RunTotals, type RunUsage } from '../rows/run-totals.js';
import { shardFile, shardOf } from '../rows/shard.js';
import { withSchema } from '../structured/with-schema.js';
import { version } from '../version.js';
import { passedCommand, withoutCredentials } from './earlier-flags.js';
import { queueWindow } from './queue-options.js';
import { structuredNote } from './run-capabilities.js';
import { runOptions } from './run-flags.js';
import { readPromptSettings, requestOf, type PromptSettings } from './run-options.js';
import { pageOfRun, planText, progressReporter, resultText, seldom } from './run-report.js';
import { openAsker, openSession, type Session } from './run-session.js';
import { WindowGuard } from './window-guard.js';
import { characterCount } from '../tokens.js';

/** The verb `run`. */
export const runCommand: CliCommand = {
  name: 'run',
  summary: 'Ask a model about every row of a file; resume after anything, pay once.',
  options: runOptions,
  example:
    'llm run --data rows.jsonl --prompt prompt.md --base-url http://localhost:8000/v1 ' +
    '--model NAME --out runs/first',
  run: async (context, input) => runOrPlan(context, readPromptSettings(input.options, process.env)),
};

/** Requests at once that plans and windows reckon with where the client finds its own. */
const presumedConcurrency = 20;
const adaptiveWindow = 200;

async function runOrPlan(context: CliContext, settings: PromptSettings): Promise<number> {
  const session = await openSession(context, settings);
  try {
    return settings.isDryRun ? await showPlan(context, session) : await runAll(context, session);
  } finally {
    await session.close();
  }
}

/** Whether answers are taken from the cache. */
const isRead = ({ cacheMode }: PromptSettings): boolean =>
  cacheMode === 'read' || cacheMode === 'read-write';

/** All rows once, before anything is asked. */
function plan(session: Session, finished: RowLedger): Promise<Plan> {
  const { settings, cache, prices } = session;
  return planRows({
    rows: readRows(settings.data, settings),
    requestOf: (row) => requestOf(row, settings),
    cacheHashOf: (row) => cacheHashOf(requestOf(row, settings), session),
    cache: isRead(settings) ? cache : undefined,
    finished,
    costOf: (usage) => prices?.costUsd(settings.model, usage) ?? null,
    concurrency: settings.concurrency ?? presumedConcurrency,
    shard: settings.shard,
  });
}

/** The hash of a row's first call, which holds how the server is told a schema. */
function cacheHashOf(request: ChatRequest, { settings, client }: Session): string {
  const { schema } = settings;
  const { structuredLevel: level = presumedCapabilities.structured } = client;
  return client.hashOf(schema === null ? request : withSchema(request, schema, level));
}

async function showPlan(context: CliContext, session: Session): Promise<number> {
  const { settings } = session;
  const planned = await plan(session, await finishedRows(settings));
  context.print(planText(planned));
  context.printJson({ run: null, status: 'planned', metrics: null, plan: planned });
  return 0;
}

async function finishedRows(settings: PromptSettings): Promise<RowLedger> {
  const ledger = new RowLedger();
  const { out, shard, isResumed } = settings;
  if (!isResumed) return ledger;
  const path = `${runFolder(out, shard)}/${shardFile('predictions', shard)}`;
  await loadFinished(path, ledger, new RunTotals());
  return ledger;
}

async function runAll(context: CliContext, session: Session): Promise<number> {
  const { settings, client, prices, timeline } = session;
  const { data, out, shard, concurrency } = settings;
  const dir = runFolder(out, shard);
  context.setRun(dir);
  context.onSecondInterrupt('ended at once; rows in flight are asked again on resume.');
  const { total, longest } = await countRows(session);
  noteStart(context, session, total);
  const { queue } = settings;
  const guard = guardOf(context, session, longest);
  const report = seldom(progressReporter(context), () => systemClock.now());
  const asker = await openAsker(context, session);
  try {
    const result = await runRows<FileRow, unknown>({
      rows: readRows(data, settings),
      total,
      step: async (row, row_) => {
        const request = requestOf(row, settings);
        await guard?.before(request, () => cacheHashOf(request, session));
        return askRow(request, row_, settings);
      },
      client: asker,
      hashOf: (row) => client.hashOf(requestOf(row, settings)),
      description: await describe(session),
      ...{ out, shard, budget: settings.budget, maxErrors: settings.maxErrors },
      ...{ resume: settings.isResumed, allowMixed: settings.allowMixed, signal: context.signal },
      // Some rows more than requests at once, so that no request waits for a row to be written.
      concurrency: queue === undefined ? windowOf(concurrency) : queueWindow,
      costOf: prices === undefined ? undefined : (usage, model) => prices.costUsd(model, usage),
      // What the server did not take, so that whoever reads the run knows how it was asked.
      summary: () => ({
        structuredLevel: settings.schema === null ? null : (asker.structuredLevel ?? null),
        adaptations: client.adaptations ?? [],
      }),
      onProgress: (progress) => {
        timeline.progress(progress.done);
        report(progress);
      },
    });
    timeline.append(join(dir, timelineFile));
    return await finish(context, result);
  } catch (error) {
    timeline.append(join(dir, timelineFile));
    return await end(context, dir, error);
  } finally {
    if (asker !== client) await asker.close();
  }
}

/** What is asked, whom and how. */
function noteStart(context: CliContext, { settings, known }: Session, total: number): void {
  const { data, model, baseUrl, replicas, replay, cacheMode, cacheDir } = settings;
  const further = replicas.length === 0 ? '' : ` and ${replicas.length} more`;
  const whom = replay ?? `${parseAddress(baseUrl)?.url ?? ''}${further}`;
  const cache = cacheMode === 'off' || replay !== undefined ? 'no cache' : `cache ${cacheDir}`;
  context.note(`${formatCount(total)} rows of ${data}, ${model} at ${whom}, ${cache}`);
  const structured = replay === undefined ? structuredNote(settings, known) : null;
  if (structured !== null) context.note(structured);
}

/** Where a server is asked by this process itself. */
function guardOf(
  context: CliContext,
  { settings, cache, openClient }: Session,
  longest: ChatRequest['messages'],
): WindowGuard | null {
  if (settings.queue !== undefined || settings.replay !== undefined) return null;
  const { signal } = context;
  const onDoubt = (text: string) => context.note(`warning: ${text}`);
  const found = isRead(settings) ? cache : undefined;
  return new WindowGuard({ open: openClient, cache: found, longest, onDoubt, signal });
}

const windowOf = (concurrency: number | undefined) =>
  concurrency === undefined
    ? adaptiveWindow
    : concurrency + Math.max(2, Math.ceil(concurrency / 4));

/** Reads all rows once: what is wrong with one is said before the first call is paid. */
async function countRows({ settings }: Session) {
  const { shard } = settings;
  const ledger = new RowLedger();
  let total = 0;
  let longest: ChatRequest['messages'] = [];
  for await (const row of readRows(settings.data, settings)) {
    const { messages } = requestOf(row, settings);
    ledger.take(row.id, null);
    if (shard !== undefined && shardOf(row.id, shard.count) !== shard.index) continue;
    total += 1;
    if (characterCount(messages) > characterCount(longest)) longest = messages;
  }
  return { total, longest };
}

async function describe({ settings, known }: Session): Promise<RunDescription> {
  const { config, passed, model, data, sampling, baseUrl, replicas } = settings;
  const [file, git] = await Promise.all([hashFile(data), findGitState(process.cwd())]);
  return {
    method: 'llm',
    label: model,
    seed: sampling.seed ?? 0,
    command: passedCommand('llm'),
    config,
    passed,
    ...{ data: [file], git },
    packages: { '@lab/llm': version },
    backend: {
      ...{ server: parseAddress(baseUrl)?.url ?? null, model },
      ...(replicas.length === 0 ? {} : { replicas: replicas.map(withoutCredentials) }),
      ...{ capabilities: known.capabilities, capabilitiesFrom: known.source },
    },
  };
}

/** Asks one row. */
async function askRow(
  request: ChatRequest,
  context: RowContext,
  { schema }: PromptSettings,
): Promise<unknown> {
  if (schema !== null) {
    const result = await context.client.json(request, schema);
    const { origin, level } = result;
    context.addFields({ ...extraFields(result), origin, level });
    return result.json;
  }
  const result = await context.client.chat(request);
  if (result.finish === 'length') context.setStatus('length');
  context.addFields(extraFields(result));
  return result.text;
}

function extraFields({ reasoning, servedModel }: ChatResult): Record<string, unknown> {
  return reasoning === null ? { servedModel } : { servedModel, reasoning };
}

async function finish(context: CliContext, result: RowsResult): Promise<number> {
  context.progress.done();
  const report = await pageOfRun(context, result.dir);
  context.print(resultText(result, report));
  const { dir: run, counts, usage, servedModel } = result;
  const seconds = result.milliseconds / 1000;
  const results = { ...counts, servedModel };
  context.printJson({ run, status: 'success', metrics: null, results, usage, seconds, report });
  return 0;
}

/** What a server, a quota or a budget ended goes on later: says how. */
function noteSaved(context: CliContext, run: string, error: unknown): void {
  if (!LabError.is(error) || !resumableCodes.has(error.code)) return;
  if (!existsSync(join(run, 'run.json'))) return;
  context.note(`saved: what is done is kept; "llm run --resume ${run}" goes on`);
}

const resumableCodes: ReadonlySet<string> = new Set(['LAB_BUDGET', 'LAB_LLM', 'LAB_MODEL']);

/** Ends with the exit code of what happened; what the command line knows is thrown. */
async function end(context: CliContext, run: string, error: unknown): Promise<number> {
  context.progress.done();
  if (error instanceof InterruptedError) {
    const message = `saved: resume with "llm run --resume ${run}"`;
    throw new InterruptedError(message, { details: { run }, cause: error });
  }
  if (!LabError.is(error) || error.code !== 'LAB_FAILED_ROWS') {
    noteSaved(context, run, error);
    throw error;
  }
  const report = await pageOfRun(context, run);
  const { results, usage } = readRunRecord(run);
  // What was kept and paid stands in the record of a run that had failures as in any other.
  const [counts, paid] = [results, usage] as unknown as [RowCounts, RunUsage];
  context.print(resultText({ counts, usage: paid, dir: run, milliseconds: null }, report));
  const { code, message, help = null } = error;
  context.note(`error: ${message}${help === null ? '' : `\n  help: ${help}`}`);
  const details = { code, message, help };
  context.printJson({
    ...{ run, status: 'error', metrics: null, error: details, results, usage, report },
  });
  return exitCodeOf(error);
}
