/**
 * The loop of a run: a window of rows in flight, and what becomes of each.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ConfigError, InterruptedError, LabError, type Run } from '@lab/core';
import type { Clock } from '../clock.js';
import { LlmFailure } from '../llm-failure.js';
import { BudgetGuard } from './budget.js';
import { failedRows, isBeyond } from './error-limit.js';
import { type CallRules, RowCalls } from './row-calls.js';
import { addFields, predictionOf, timingOf, watchAll } from './row-outcome.js';
import type { RowLedger } from './row-ledger.js';
import { isSampleFailure, type Prediction, recordLine, type RunRow } from './row-record.js';
import { UnparsedAnswer } from '../structured/ask-for-json.js';
import type { RowFiles } from './run-files.js';
import type { RowContext, RunRowsOptions } from './run-rows.js';
import type { RunTotals } from './run-totals.js';

/** What an engine works on. */
export interface EngineParts {
  readonly run: Run;
  readonly files: RowFiles;
  readonly ledger: RowLedger;
  readonly totals: RunTotals;
  readonly clock: Clock;
}

/** A row and its number in the ledger. */
interface PlacedRow {
  readonly row: RunRow;
  readonly place: number;
}

/** Rows and bytes that may wait for the disk before the run does. */
const maxUnsyncedRows = 4096;
const maxUnsyncedBytes = 16 * 1024 * 1024;
const truncatedInARow = 3;
const defaultGraceMs = 30_000;
/** Rows that begin before sockets have their turn: the first requests do not wait for the last. */
const rowsATurn = 8;

/** One run of rows. */
export class RowEngine<Row extends RunRow, Output> {
  servedModel: string | null = null;
  readonly #options: RunRowsOptions<Row, Output>;
  readonly #parts: EngineParts;
  readonly #window: number;
  readonly #rules: CallRules;
  /** Ends calls in flight. */
  readonly #abort = new AbortController();
  readonly #startMs: number;
  #begun = 0;
  #inFlight = 0;
  #unsynced = 0;
  #finishedHere = 0;
  #truncated = 0;
  #stop: { readonly reason: unknown } | null = null;
  #wake: () => void = () => undefined;

  constructor(options: RunRowsOptions<Row, Output>, parts: EngineParts) {
    this.#options = options;
    this.#parts = parts;
    this.#window = options.concurrency ?? 64;
    this.#startMs = parts.clock.now();
    const { totals } = parts;
    const budget = new BudgetGuard(options.budget ?? {}, totals.spent);
    const signal = this.#abort.signal;
    this.#rules = { budget, costOf: options.costOf, signal };
  }

  /** Resolves when all rows are done; throws why the run ended before. */
  async run(rows: Iterable<Row> | AsyncIterable<Row>): Promise<void> {
    const { signal } = this.#options;
    const onAbort = () => this.#interrupt();
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    try {
      await this.#startAll(rows);
    } catch (error) {
      this.#end(error);
    }
    await this.#until(() => this.#inFlight === 0 && this.#unsynced === 0);
    signal?.removeEventListener('abort', onAbort);
    this.#abort.abort(); // wakes what still waits for the grace to pass
    this.#report();
    if (this.#stop !== null) throw this.#stop.reason;
  }

  async #startAll(rows: Iterable<Row> | AsyncIterable<Row>): Promise<void> {
    const { ledger, totals } = this.#parts;
    const hashOf = ledger.finishedCount > 0 ? this.#options.hashOf : undefined;
    for await (const row of rows) {
      if (this.#stop !== null) break;
      const state = ledger.take(row.id, hashOf?.(row) ?? null);
      if (state === 'stale' && this.#options.allowMixed !== true) throw this.#stale(row.id);
      if (state !== 'new') {
        totals.skipped += 1;
        continue;
      }
      if (!this.#hasRoom()) await this.#until(() => this.#hasRoom());
      else if (this.#begun % rowsATurn === 0) await nextTurn();
      if (this.#isStopped()) break;
      this.#begun += 1;
      this.#inFlight += 1;
      void this.#runRow(row, ledger.lastRow);
    }
  }

  #isStopped(): boolean {
    return this.#stop !== null;
  }

  #hasRoom(): boolean {
    if (this.#stop !== null) return true;
    const { predictions } = this.#parts.files;
    const isSynced =
      this.#unsynced < maxUnsyncedRows && predictions.waitingBytes < maxUnsyncedBytes;
    return this.#inFlight < this.#window && isSynced;
  }

  async #until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #stale(id: string): ConfigError {
    const { dir } = this.#parts.run;
    return new ConfigError(`${dir}: the row ${JSON.stringify(id)} was asked something else.`, {
      help: 'start a new run in another folder, or keep old answers with --allow-mixed.',
      details: { run: dir, id },
    });
  }

  /** Takes no further rows; those in flight are finished. */
  #end(reason: unknown): void {
    this.#stop ??= { reason };
    this.#wake();
  }

  #interrupt(): void {
    const { clock, run } = this.#parts;
    const message = `saved: resume with --resume, the folder is ${run.dir}`;
    this.#end(new InterruptedError(message, { details: { run: run.dir } }));
    const { graceMs = defaultGraceMs } = this.#options;
    clock.sleep(graceMs, this.#abort.signal).then(
      () => this.#abort.abort(new InterruptedError('the run was interrupted')),
      () => undefined,
    );
  }

  async #runRow(row: Row, place: number): Promise<void> {
    const { clock, totals } = this.#parts;
    const calls = new RowCalls(this.#rules);
    const startMs = clock.now();
    const fields: Record<string, unknown> = {};
    let status = 'ok';
    const context: RowContext = {
      client: calls.watch(this.#options.client),
      clients: watchAll(calls, this.#options.clients),
      signal: this.#abort.signal,
      setStatus: (text) => {
        status = text;
      },
      addFields: (more) => addFields(fields, more),
    };
    let isFailed = false;
    try {
      const output = await this.#options.step(row, context);
      this.#keep(predictionOf(row.id, calls, { status, output, fields }), place);
    } catch (error) {
      isFailed = !this.#takeError({ row, place }, calls, error);
    }
    this.#inFlight -= 1;
    totals.addCalls(calls);
    this.servedModel = calls.servedModel ?? this.servedModel;
    this.#noteTiming(row, calls, { milliseconds: clock.now() - startMs, isFailed });
    this.#report();
    this.#wake();
  }

  /** Whether the row is finished all the same. */
  #takeError({ row, place }: PlacedRow, calls: RowCalls, error: unknown): boolean {
    if (!(error instanceof LlmFailure)) {
      // A fault of the step or the program: no row would fare better.
      this.#end(error);
      return false;
    }
    if (this.#isStopped() && (error.kind === 'aborted' || error.kind === 'budget')) return false;
    if (error.endsRun || error.kind === 'budget') {
      this.#end(error);
      return false;
    }
    const isSample = isSampleFailure(error.kind);
    if (isSample) this.#keepProblem({ row, place }, calls, error);
    else this.#keepFailure(row, calls, error);
    return isSample;
  }

  #keepProblem({ row, place }: PlacedRow, calls: RowCalls, error: LlmFailure): void {
    const { kind: status, message: problem, body } = error;
    const more = body === undefined ? {} : { body };
    const isUnparsed = error instanceof UnparsedAnswer;
    const asked = isUnparsed ? { level: error.level } : {};
    const end = { status, output: null, problem: { problem, ...more }, fields: asked };
    this.#keep(predictionOf(row.id, calls, end), place);
    // An answer that was cut says nothing of prompts that are.
    if (status !== 'truncated' || isUnparsed) return;
    this.#truncated += 1;
    if (this.#truncated >= truncatedInARow) this.#end(error);
  }

  #keep(prediction: Prediction, place: number): void {
    const { ledger, totals, files } = this.#parts;
    if (prediction.status !== 'truncated') this.#truncated = 0;
    let line: string;
    try {
      line = recordLine(prediction);
    } catch (error) {
      this.#end(error);
      return;
    }
    this.#unsynced += 1;
    files.predictions.append(line).then(
      (offset) => {
        ledger.finish(place, offset);
        totals.add(prediction);
        this.#finishedHere += 1;
        this.#synced();
      },
      (error: unknown) => this.#synced(error),
    );
  }

  #keepFailure(row: RunRow, calls: RowCalls, error: LlmFailure): void {
    const { totals, files, ledger } = this.#parts;
    const { kind, status = null, message, body } = error;
    const requestHash = calls.hashes[0] ?? null;
    const more = body === undefined ? {} : { body };
    const failure = {
      ...{ id: row.id, requestHash, kind, httpStatus: status, message },
      ...more,
    };
    this.#unsynced += 1;
    totals.failed += 1;
    totals.addFailed(calls);
    files.failures.append(recordLine(failure)).then(
      () => this.#synced(),
      (problem: unknown) => this.#synced(problem),
    );
    const rows = Math.max(this.#options.total ?? 0, ledger.takenCount);
    if (isBeyond(totals.failed, rows, this.#options.maxErrors)) {
      this.#end(failedRows(totals.failed, rows));
    }
  }

  #synced(problem?: unknown): void {
    this.#unsynced -= 1;
    if (problem !== undefined) this.#end(problem);
    this.#wake();
  }

  /** Times are of interest only: nothing waits for them, and a full disk ends the run elsewhere. */
  #noteTiming({ id }: Row, calls: RowCalls, end: Parameters<typeof timingOf>[2]): void {
    const line = recordLine(timingOf(id, calls, end));
    this.#parts.files.timings.append(line).catch((error: unknown) => {
      if (!LabError.is(error)) throw error;
    });
  }

  #report(): void {
    const { totals, clock } = this.#parts;
    const seconds = (clock.now() - this.#startMs) / 1000;
    try {
      this.#options.onProgress?.({
        done: totals.finished + totals.failed,
        total: this.#options.total ?? null,
        failed: totals.failed,
        inFlight: this.#inFlight,
        costUsd: totals.costUsd,
        rowsPerSecond: seconds > 0 ? this.#finishedHere / seconds : 0,
      });
    } catch (error) {
      this.#end(error);
    }
  }
}
