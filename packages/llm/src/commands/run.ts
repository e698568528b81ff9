/** `llm run`: every row of a file through a prompt, each finished and paid once. */
import { existsSync } from 'node:fs';
import { ConfigError, formatCount, hashFile, InterruptedError, LabError } from '@lab/core';
import type { CliCommand, CliContext } from '@lab/core/cli';
import type { AnswerStore } from '../answer-cache.js';
import type { ChatResult } from '../chat.js';
import { openAnswerStore } from '../cache/answer-store.js';
import { withoutWaiting } from '../cache/eager-store.js';
import { createClient, type HttpClient } from '../client.js';
import { systemClock } from '../clock.js';
import { type Plan, planRows } from '../plan.js';
import { type PriceTable, readPrices } from '../prices.js';
import { parseAddress } from '../redact.js';
import { type FileRow, readRows } from '../rows/row-file.js';
import { RowLedger } from '../rows/row-ledger.js';
import { loadFinished, type RunDescription, runFolder } from '../rows/run-files.js';
import { type RowContext, type RowsResult, runRows } from '../rows/run-rows.js';
import { RunTotals } from '../rows/run-totals.js';
import { shardFile, shardOf } from '../rows/shard.js';
import { withSchema } from '../structured/with-schema.js';
import { version } from '../version.js';
import { openQueueClient, queueWindow } from './queue-options.js';
import { readRunSettings, requestOf, runOptions, type RunSettings } from './run-options.js';
import { planText, progressReporter, resultText, seldom } from './run-report.js';

/** The verb `run`. */
export const runCommand: CliCommand = {
  name: 'run',
  summary: 'Ask a model about every row of a file; resume after anything, pay once.',
  options: runOptions,
  example:
    'llm run --data rows.jsonl --prompt prompt.md --base-url http://localhost:8000/v1 ' +
    '--model NAME --out runs/first',
  run: async (context, input) => runOrPlan(context, readRunSettings(input.options, process.env)),
};

/** Requests at once that plans and windows reckon with where the client finds its own. */
const presumedConcurrency = 20;
const adaptiveWindow = 200;

/** What a run works with. */
interface Session {
  readonly settings: RunSettings;
  readonly client: HttpClient;
  readonly cache: AnswerStore | undefined;
  readonly prices: PriceTable | undefined;
}

async function runOrPlan(context: CliContext, settings: RunSettings): Promise<number> {
  const prices =
    settings.pricesFile === undefined ? undefined : await readPrices(settings.pricesFile);
  assertPriced(settings, prices);
  const { cacheMode, cacheDir, isDryRun } = settings;
  // A plan makes no folder.
  const isCached = cacheMode !== 'off' && (!isDryRun || existsSync(cacheDir));
  const store = isCached ? openAnswerStore(cacheDir) : undefined;
  // A queue forgets an answer once it is safe here, and so must wait for that.
  const isEager = settings.queue === undefined && store !== undefined;
  const cache = isEager ? withoutWaiting(store) : store;
  const client = createClient({
    ...{ baseUrl: settings.baseUrl, alias: settings.alias, model: settings.model },
    ...{ apiKey: settings.apiKey, concurrency: settings.concurrency, cache, cacheMode, prices },
    logger: context.logger,
  });
  const session = { settings, client, cache, prices };
  try {
    return isDryRun ? await showPlan(context, session) : await runAll(context, session);
  } finally {
    await client.close();
    await cache?.close();
  }
}

function assertPriced({ budget, model, pricesFile }: RunSettings, prices: PriceTable | undefined) {
  if (budget.budgetUsd === undefined) return;
  const known = { prompt: 1, completion: 1, cached: 0, reasoning: 0, isEstimated: false };
  if (prices !== undefined && prices.costUsd(model, known) !== null) return;
  const what = pricesFile === undefined ? 'no price list' : `no price in USD of ${model}`;
  throw new ConfigError(`--budget-usd needs prices, and there is ${what}.`, {
    help: 'give --prices FILE with the model, or --max-total-tokens.',
  });
}

/** All rows once, before anything is asked. */
function plan({ settings, client, cache, prices }: Session, finished: RowLedger): Promise<Plan> {
  const { schema, cacheMode } = settings;
  const cacheHashOf = (row: FileRow) => {
    const request = requestOf(row, settings);
    const level = client.structuredLevel;
    return client.hashOf(schema === null ? request : withSchema(request, schema, level));
  };
  const isRead = cacheMode === 'read' || cacheMode === 'read-write';
  return planRows({
    rows: readRows(settings.data, settings),
    requestOf: (row) => requestOf(row, settings),
    cacheHashOf,
    cache: isRead ? cache : undefined,
    finished,
    costOf: (usage) => prices?.costUsd(settings.model, usage) ?? null,
    concurrency: settings.concurrency ?? presumedConcurrency,
    shard: settings.shard,
  });
}

async function showPlan(context: CliContext, session: Session): Promise<number> {
  const { settings } = session;
  const planned = await plan(session, await finishedRows(settings));
  context.print(planText(planned));
  context.printJson({ run: null, status: 'planned', metrics: null, plan: planned });
  return 0;
}

async function finishedRows(settings: RunSettings): Promise<RowLedger> {
  const ledger = new RowLedger();
  const { out, shard, isResumed } = settings;
  if (!isResumed) return ledger;
  const path = `${runFolder(out, shard)}/${shardFile('predictions', shard)}`;
  await loadFinished(path, ledger, new RunTotals());
  return ledger;
}

async function runAll(context: CliContext, session: Session): Promise<number> {
  const { settings, client, prices } = session;
  const { data, out, shard, concurrency, cacheMode, cacheDir } = settings;
  const dir = runFolder(out, shard);
  context.setRun(dir);
  context.onSecondInterrupt('ended at once; rows in flight are asked again on resume.');
  const total = await countRows(session);
  const shown = parseAddress(settings.baseUrl)?.url ?? '';
  context.note(
    `${formatCount(total)} rows of ${data}, ${settings.model} at ${shown}, ` +
      `${cacheMode === 'off' ? 'no cache' : `cache ${cacheDir}`}`,
  );
  const { queue } = settings;
  const asker = queue === undefined ? client : await openQueueClient(context, session);
  try {
    const result = await runRows<FileRow, unknown>({
      rows: readRows(data, settings),
      total,
      step: (row, row_) => askRow(row, row_, settings),
      client: asker,
      hashOf: (row) => client.hashOf(requestOf(row, settings)),
      description: await describe(settings),
      ...{ out, shard, budget: settings.budget, maxErrors: settings.maxErrors },
      ...{ resume: settings.isResumed, allowMixed: settings.allowMixed, signal: context.signal },
      // Some rows more than requests at once, so that no request waits for a row to be written.
      concurrency: queue === undefined ? windowOf(concurrency) : queueWindow,
      costOf: prices === undefined ? undefined : (usage, model) => prices.costUsd(model, usage),
      // What the server did not take, so that whoever reads the run knows how it was asked.
      summary: () => ({
        structuredLevel: settings.schema === null ? null : asker.structuredLevel,
        adaptations: client.adaptations,
      }),
      onProgress: seldom(progressReporter(context), () => systemClock.now()),
    });
    return finish(context, result);
  } catch (error) {
    return end(context, dir, error);
  } finally {
    if (asker !== client) await asker.close();
  }
}

const windowOf = (concurrency: number | undefined) =>
  concurrency === undefined
    ? adaptiveWindow
    : concurrency + Math.max(2, Math.ceil(concurrency / 4));

/** Reads all rows once: what is wrong with one is said before the first call is paid. */
async function countRows({ settings }: Session): Promise<number> {
  const { shard } = settings;
  const ledger = new RowLedger();
  let total = 0;
  for await (const row of readRows(settings.data, settings)) {
    requestOf(row, settings);
    ledger.take(row.id, null);
    if (shard === undefined || shardOf(row.id, shard.count) === shard.index) total += 1;
  }
  return total;
}

async function describe(settings: RunSettings): Promise<RunDescription> {
  const { config, passed, model, data, sampling, baseUrl } = settings;
  return {
    method: 'llm',
    label: model,
    seed: sampling.seed ?? 0,
    command: ['llm', ...process.argv.slice(2).map(withoutCredentials)],
    config,
    passed,
    data: [await hashFile(data)],
    packages: { '@lab/llm': version },
    backend: { server: parseAddress(baseUrl)?.url ?? null, model },
  };
}

const withoutCredentials = (word: string) => word.replace(/:\/\/[^/@]*@/, '://');

/** Asks one row. */
async function askRow(row: FileRow, context: RowContext, settings: RunSettings): Promise<unknown> {
  const request = requestOf(row, settings);
  if (settings.schema !== null) {
    const result = await context.client.json(request, settings.schema);
    context.addFields({ ...extraFields(result), origin: result.origin });
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

function finish(context: CliContext, result: RowsResult): number {
  context.progress.done();
  context.print(resultText(result));
  const { dir: run, counts, usage, servedModel } = result;
  const seconds = result.milliseconds / 1000;
  const results = { ...counts, servedModel };
  context.printJson({ run, status: 'success', metrics: null, results, usage, seconds });
  return 0;
}

/** Ends with the exit code of what happened; what the command line knows is thrown. */
function end(context: CliContext, run: string, error: unknown): number {
  context.progress.done();
  if (error instanceof InterruptedError) {
    const message = `saved: resume with "llm run --resume ${run}"`;
    throw new InterruptedError(message, { details: { run }, cause: error });
  }
  if (!LabError.is(error) || error.code !== 'LAB_FAILED_ROWS') throw error;
  const { code, message, help = null } = error;
  context.note(`error: ${message}${help === null ? '' : `\n  help: ${help}`}`);
  const details = { code, message, help };
  context.printJson({ run, status: 'error', metrics: null, error: details });
  return tooManyFailed;
}

const tooManyFailed = 7;
