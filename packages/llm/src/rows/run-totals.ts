/**
 * What a run has done so far, in numbers.
 */
import type { JsonResult } from '../chat.js';
import { createStructuredRates, type StructuredShares } from '../structured/rates.js';
import type { RowCalls } from './row-calls.js';
import type { Prediction, RowFailure } from './row-record.js';

/** Tokens, calls and money of a run: also those of answers that were of no use. */
export interface RunUsage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Of the prompt, those that the server had already. */
  readonly cachedTokens: number;
  readonly reasoningTokens: number;
  /** Null where no price is known. */
  readonly costUsd: number | null;
  /** Requests that this process sent. */
  readonly sentCalls: number;
  /** Calls of this process that the cache answered. */
  readonly cachedCalls: number;
}

/** Counts of a run. */
export interface RowCounts {
  /** Rows of the input, of this shard. */
  readonly rows: number;
  /** Finished rows, by status. */
  readonly byStatus: Readonly<Record<string, number>>;
  readonly finished: number;
  /** Finished by an earlier process. */
  readonly skipped: number;
  /** Rows that failed for reasons of the infrastructure and are asked again on resume. */
  readonly failed: number;
  /** Lines of an earlier process that were set aside as damaged; absent for none. */
  readonly damaged?: number;
  /** How answers came to fit their schema; absent where none was asked to. */
  readonly structured?: StructuredShares;
}

/** What a prediction says of an answer in JSON, where its step added that. */
type JsonFacts = Partial<Pick<JsonResult<unknown>, 'level' | 'origin'>>;

type CallCounts = 'attempts' | 'cachedCalls' | 'lost';

/** A run asks one model by name, whoever answers. */
const everyModel = '';

/** Sums over rows as they finish. */
export class RunTotals {
  readonly #byStatus = new Map<string, number>();
  #prompt = 0;
  #completion = 0;
  #cached = 0;
  #reasoning = 0;
  #costUsd = 0;
  #unpriced = 0;
  #priced = 0;
  #sentCalls = 0;
  #cachedCalls = 0;
  #calls = 0;
  readonly #rates = createStructuredRates();
  finished = 0;
  failed = 0;
  /** Lines of earlier processes that were damaged. */
  damaged = 0;
  skipped = 0;

  /** Counts a finished row. */
  add(prediction: Prediction & JsonFacts): void {
    const { status, usage, costUsd, requestHash, requestHashes } = prediction;
    this.finished += 1;
    this.#calls += requestHashes?.length ?? (requestHash === null ? 0 : 1);
    // A row that was asked for JSON and has no such answer says how it was asked all the same.
    if (prediction.level !== undefined) {
      this.#rates.record(everyModel, prediction.origin ?? 'failed');
    }
    this.#byStatus.set(status, (this.#byStatus.get(status) ?? 0) + 1);
    this.#addPaid(usage, costUsd);
  }

  /** Counts all that a row did cost which failed in this process. */
  addFailed({ usage, costUsd }: Pick<RowCalls, 'costUsd' | 'usage'>): void {
    if (usage.prompt + usage.completion > 0) this.#addPaid(usage, costUsd);
  }

  /**
   * Counts what a row did cost in vain that failed in an earlier process: the rest of it is counted
   * again when it is finished.
   */
  addFailure({ usage, costUsd = null }: Pick<RowFailure, 'costUsd' | 'usage'>): void {
    if (usage !== undefined) this.#addPaid(usage, costUsd);
  }

  /** Counts the calls of a row, finished or not. */
  addCalls({ attempts, cachedCalls, lost }: Pick<RowCalls, CallCounts>): void {
    this.#sentCalls += attempts;
    this.#cachedCalls += cachedCalls;
    for (const { usage, costUsd } of lost) this.#addPaid(usage, costUsd);
  }

  #addPaid(usage: Prediction['usage'], costUsd: number | null): void {
    this.#prompt += usage.prompt;
    this.#completion += usage.completion;
    this.#cached += usage.cached;
    this.#reasoning += usage.reasoning;
    if (costUsd === null) this.#unpriced += 1;
    else {
      this.#priced += 1;
      this.#costUsd += costUsd;
    }
  }

  /** Calls of finished rows so far. */
  get calls(): number {
    return this.#calls;
  }

  /** Money so far; null where a price is unknown, and before any is. */
  get costUsd(): number | null {
    return this.#unpriced > 0 || this.#priced === 0 ? null : this.#costUsd;
  }

  /** Tokens in and out so far. */
  get tokens(): number {
    return this.#prompt + this.#completion;
  }

  /** Tokens, calls and money so far. */
  usage(): RunUsage {
    return {
      promptTokens: this.#prompt,
      completionTokens: this.#completion,
      cachedTokens: this.#cached,
      reasoningTokens: this.#reasoning,
      costUsd: this.costUsd,
      sentCalls: this.#sentCalls,
      cachedCalls: this.#cachedCalls,
    };
  }

  /** Counts so far. */
  counts(rows: number): RowCounts {
    const sorted = [...this.#byStatus].sort(([a], [b]) => (a < b ? -1 : 1));
    const structured = this.#rates.shares().get(everyModel);
    return {
      rows,
      byStatus: Object.fromEntries(sorted),
      finished: this.finished,
      skipped: this.skipped,
      failed: this.failed,
      ...(this.damaged === 0 ? {} : { damaged: this.damaged }),
      ...(structured === undefined ? {} : { structured }),
    };
  }
}
