/**
 * What a run has done so far, in numbers.
 */
import type { JsonResult } from '../chat.js';
import { createStructuredRates, type StructuredShares } from '../structured/rates.js';
import type { Spending } from './budget.js';
import { costRecord, CostSums, type RunCost } from './cost-record.js';
import type { RowCalls } from './row-calls.js';
import type { Prediction, RowTiming } from './row-record.js';

/** Tokens, money and calls of a run: also those of answers that were of no use. */
export interface RunUsage extends RunCost {
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

type CallCounts = 'attempts' | 'cachedCalls' | 'lost' | 'unknown';

/** A run asks one model by name, whoever answers. */
const everyModel = '';

/** Sums over rows as they finish. */
export class RunTotals {
  readonly #byStatus = new Map<string, number>();
  readonly #costs = new CostSums();
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
    const { status, requestHash, requestHashes } = prediction;
    this.finished += 1;
    this.#calls += requestHashes?.length ?? (requestHash === null ? 0 : 1);
    // A row that was asked for JSON and has no such answer says how it was asked all the same.
    if (prediction.level !== undefined) {
      this.#rates.record(everyModel, prediction.origin ?? 'failed');
    }
    this.#byStatus.set(status, (this.#byStatus.get(status) ?? 0) + 1);
    this.#costs.add(prediction);
  }

  /** Counts all that a row did cost which failed in this process. */
  addFailed(calls: Pick<RowCalls, 'costUsd' | 'estimated' | 'usage'>): void {
    const { prompt, completion } = calls.usage;
    if (prompt + completion > 0) this.#costs.add(costRecord(calls));
  }

  /** Counts the calls of a row, finished or not. */
  addCalls({ attempts, cachedCalls, lost, unknown }: Pick<RowCalls, CallCounts>): void {
    this.#sentCalls += attempts;
    this.#cachedCalls += cachedCalls;
    if (lost.length > 0 || unknown !== null) this.#costs.addWasted({ lost, unknown });
  }

  /** Counts what a row of an earlier process did waste. */
  addTiming(timing: RowTiming): void {
    this.#costs.addWasted(timing);
  }

  /** Money so far by the count of servers; null where a price is unknown, and before any is. */
  get costUsd(): number | null {
    return this.#costs.costUsd;
  }

  /** What counts towards budgets: also estimates, and prompts of requests without an answer. */
  get spent(): Spending {
    return { calls: this.#calls, ...this.#costs.spent };
  }

  /** Tokens, calls and money so far. */
  usage(): RunUsage {
    return {
      ...this.#costs.cost(),
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
