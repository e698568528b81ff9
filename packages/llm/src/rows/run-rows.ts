/**
 * Rows through a step, each finished once, whatever happens to the process.
 *
 * Predictions are appended as rows finish, so that a slow row holds nothing back and a kill loses
 * only what is in flight; when all rows are done the file is brought into the order of the input,
 * atomically. So a run that was killed and resumed ends with the same bytes as an undisturbed one.
 */
import { existsSync } from 'node:fs';
import { DataError, type Run } from '@lab/core';
import { type Clock, systemClock } from '../clock.js';
import type { LlmClient } from '../llm-client.js';
import type { Budget } from './budget.js';
import { bringIntoOrder, putInOrder } from './canonical-order.js';
import { assertFewFailures, type ErrorLimit } from './error-limit.js';
import type { CostOf } from './row-calls.js';
import { RowEngine } from './row-engine.js';
import { RowLedger } from './row-ledger.js';
import type { RowStatus, RunRow } from './row-record.js';
import {
  closeRowFiles,
  loadFinished,
  loadWasted,
  openRowFiles,
  openRowsRun,
  type RunDescription,
} from './run-files.js';
import { type RowCounts, RunTotals, type RunUsage } from './run-totals.js';
import { type Shard, shardFile, shardOf } from './shard.js';

/** What a step works with. */
export interface RowContext {
  /** The run's client; what it asks is counted for the row. */
  readonly client: LlmClient;
  /** Further clients by name, e.g. a judge. */
  readonly clients: Readonly<Record<string, LlmClient>>;
  /** Aborted when the run ends without waiting for the row. */
  readonly signal: AbortSignal;
  /** Sets the status of a finished row; default `ok`. */
  setStatus(status: RowStatus): void;
  /** Adds fields to the row's prediction, e.g. `reasoning`; they must not hold times. */
  addFields(fields: Readonly<Record<string, unknown>>): void;
}

/** How far a run is. */
export interface RowsProgress {
  /** Finished and failed rows, those of earlier processes included. */
  readonly done: number;
  readonly total: number | null;
  readonly failed: number;
  readonly inFlight: number;
  readonly costUsd: number | null;
  /** Rows a second of this process. */
  readonly rowsPerSecond: number;
}

/** Settings of {@link runRows}. */
export interface RunRowsOptions<Row extends RunRow, Output> {
  /** Read as the run goes on; ids must differ. */
  readonly rows: Iterable<Row> | AsyncIterable<Row>;
  /** Number of rows where it is known, for the progress. */
  readonly total?: number | undefined;
  /** What is done for a row; an LlmFailure about the sample finishes it with that status. */
  readonly step: (row: Row, context: RowContext) => Promise<Output>;
  readonly client: LlmClient;
  readonly clients?: Readonly<Record<string, LlmClient>> | undefined;
  /** Folder of the run. */
  readonly out: string;
  readonly description: RunDescription;
  /** The hash of a row's first request, to find rows that were asked something else. */
  readonly hashOf?: ((row: Row) => string) | undefined;
  /** Goes on with the run in the folder, if there is one. */
  readonly resume?: boolean | undefined;
  /** Keeps finished rows that were asked something else. */
  readonly allowMixed?: boolean | undefined;
  /** Rows in flight at most; default 64. How many requests there are at once is the client's. */
  readonly concurrency?: number | undefined;
  readonly shard?: Shard | undefined;
  readonly budget?: Budget | undefined;
  readonly costOf?: CostOf | undefined;
  /** Failed rows that are put up with; default none at the end, and no end before it. */
  readonly maxErrors?: ErrorLimit | undefined;
  /** Further results for `run.json`, asked for at the end. */
  readonly summary?: (() => Readonly<Record<string, unknown>>) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: RowsProgress) => void) | undefined;
  readonly clock?: Clock | undefined;
  /** Milliseconds that rows in flight get after an interruption; default 30 s. */
  readonly graceMs?: number | undefined;
}

/** What {@link runRows} did. */
export interface RowsResult {
  readonly dir: string;
  readonly counts: RowCounts;
  readonly usage: RunUsage;
  /** As the server calls it, of the last answer; null where nothing was asked. */
  readonly servedModel: string | null;
  readonly milliseconds: number;
}

/**
 * Runs rows through a step with a window of rows in flight, and keeps each once its line is on
 * disk.
 *
 * @throws {InterruptedError} when the signal aborts, after what is in flight was finished.
 * @throws {BudgetError} when a budget is reached.
 * @throws {FailedRowsError} when more rows failed than are put up with.
 * @throws {LlmFailure} when the server refuses all further work.
 * @throws {ConfigError} when the folder holds another run.
 * @throws {DataError} for rows that cannot be read, doubled ids, and a full disk.
 */
export async function runRows<Row extends RunRow, Output>(
  options: RunRowsOptions<Row, Output>,
): Promise<RowsResult> {
  const { shard, clock = systemClock } = options;
  const run = openRowsRun(options.description, {
    dir: options.out,
    shard,
    isResumed: options.resume ?? false,
    allowMixed: options.allowMixed ?? false,
    clock,
  });
  const totals = new RunTotals();
  const ledger = new RowLedger();
  const start = clock.now();
  const resultOf = (engine?: RowEngine<Row, Output>): RowsResult => ({
    dir: run.dir,
    counts: totals.counts(ledger.takenCount),
    usage: totals.usage(),
    servedModel: engine?.servedModel ?? null,
    milliseconds: clock.now() - start,
  });
  let engine: RowEngine<Row, Output> | undefined;
  try {
    await loadFinished(run.path(shardFile('predictions', shard)), ledger, totals);
    await loadWasted(run.path(shardFile('timings', shard)), totals);
    const files = await openRowFiles(run, shard, clock);
    try {
      engine = new RowEngine(options, { run, files, ledger, totals, clock });
      await engine.run(shard === undefined ? options.rows : rowsOfShard(options.rows, shard));
    } finally {
      await closeRowFiles(files);
    }
    await finishFiles(run, ledger, shard);
    assertFewFailures(totals.failed, ledger.takenCount, options.maxErrors);
    const result = resultOf(engine);
    run.finish({ status: 'success', ...recordOf(result, options.summary?.()) });
    return result;
  } catch (error) {
    try {
      const record = recordOf(resultOf(engine), options.summary?.());
      run.finish({ status: statusOf(error), ...record, error });
    } catch (later) {
      // A full disk takes no run.json either; what happened first is what must be said.
      if (!(later instanceof DataError)) throw later;
    }
    throw error;
  }
}

/** Brings the files of a run whose rows are all done into the order of the input. */
async function finishFiles(run: Run, ledger: RowLedger, shard: Shard | undefined): Promise<void> {
  const predictions = run.path(shardFile('predictions', shard));
  if (ledger.lineStarts !== null) putInOrder(predictions, ledger.lineStarts);
  else await bringIntoOrder(predictions, (id) => ledger.placeOf(id));
  const failures = run.path(shardFile('failures', shard));
  if (!existsSync(failures)) return;
  // Of the failures only those stay that still are some.
  await bringIntoOrder(failures, (id) => (ledger.isFinished(id) ? -1 : ledger.placeOf(id)));
}

async function* rowsOfShard<Row extends RunRow>(
  rows: Iterable<Row> | AsyncIterable<Row>,
  shard: Shard,
): AsyncGenerator<Row> {
  for await (const row of rows) if (shardOf(row.id, shard.count) === shard.index) yield row;
}

function statusOf(error: unknown): 'error' | 'interrupted' {
  const isObject = typeof error === 'object' && error !== null && 'code' in error;
  return isObject && error.code === 'LAB_INTERRUPTED' ? 'interrupted' : 'error';
}

function recordOf(
  { counts, usage, servedModel }: RowsResult,
  summary: Readonly<Record<string, unknown>> = {},
) {
  return { results: { ...counts, servedModel, ...summary }, usage: { ...usage } };
}
