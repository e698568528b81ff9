/**
 * What a run will ask, take and cost, before anything is asked.
 */
import type { AnswerStore } from './answer-cache.js';
import type { ChatRequest, TokenUsage } from './chat.js';
import { requestDefaults } from './request-hash.js';
import { RowLedger } from './rows/row-ledger.js';
import type { RunRow } from './rows/row-record.js';
import { type Shard, shardOf } from './rows/shard.js';
import { countMessages } from './tokens.js';

/** The least and the most that something can be. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** What a run will ask. */
export interface Plan {
  /** Rows of the input, of this shard. */
  readonly rows: number;
  /** Rows that an earlier process finished. */
  readonly finished: number;
  /** Answers that the cache has. */
  readonly cacheHits: number;
  /** Requests that will be sent, retries aside. */
  readonly calls: number;
  /** Estimate: prompts are counted in one encoding, and of many rows only some. */
  readonly promptTokens: number;
  /** From a token an answer to the most that is asked for. */
  readonly completionTokens: Range;
  /** Null where no price is known. */
  readonly costUsd: Range | null;
  /** At the concurrency, see {@link secondsPerCall}. */
  readonly seconds: Range;
  readonly concurrency: number;
}

/** Settings of {@link planRows}. */
export interface PlanOptions<Row extends RunRow> {
  readonly rows: AsyncIterable<Row>;
  /** The row's request; it also says what is wrong with a row. */
  readonly requestOf: (row: Row) => ChatRequest;
  /** The hash of the request in the cache. */
  readonly cacheHashOf?: ((row: Row) => string) | undefined;
  readonly cache?: Pick<AnswerStore, 'has'> | undefined;
  /** Rows that are finished already. */
  readonly finished?: RowLedger | undefined;
  readonly costOf?: ((usage: TokenUsage) => number | null) | undefined;
  readonly concurrency: number;
  readonly shard?: Shard | undefined;
}

/** Prompts that are counted; of the others the length is measured. */
const countedRows = 200;
const countedEvery = 100;

/** How long a call takes: a quick short answer, and a whole one from a slow server. */
export const secondsPerCall = (maxTokens: number): Range => ({
  low: 0.5,
  high: 1 + maxTokens / 20,
});

/**
 * What a run will ask, take and cost. All rows are read, so that a row without id, a doubled id or
 * an empty slot is found before the first call is paid.
 *
 * @throws {DataError} for such a row.
 */
export async function planRows<Row extends RunRow>(options: PlanOptions<Row>): Promise<Plan> {
  const { cache, cacheHashOf, finished = new RowLedger(), shard } = options;
  const tokens = new TokenEstimate();
  let [done, hits, calls, mostTokens] = [0, 0, 0, 0];
  for await (const row of options.rows) {
    if (shard !== undefined && shardOf(row.id, shard.count) !== shard.index) continue;
    const request = options.requestOf(row);
    if (finished.take(row.id, null) === 'finished') done += 1;
    else if (cache !== undefined && cacheHashOf !== undefined && cache.has(cacheHashOf(row))) {
      hits += 1;
    } else {
      calls += 1;
      mostTokens += request.maxTokens ?? requestDefaults.maxTokens;
      await tokens.add(request);
    }
  }
  const completionTokens = { low: calls, high: mostTokens };
  const rounds = calls / options.concurrency;
  const each = secondsPerCall(calls === 0 ? 0 : mostTokens / calls);
  return {
    rows: finished.takenCount,
    finished: done,
    cacheHits: hits,
    calls,
    promptTokens: tokens.total,
    completionTokens,
    costUsd: costRange(options.costOf, tokens.total, completionTokens),
    seconds: { low: rounds * each.low, high: rounds * each.high },
    concurrency: options.concurrency,
  };
}

function costRange(
  costOf: PlanOptions<RunRow>['costOf'],
  prompt: number,
  { low, high }: Range,
): Range | null {
  const costAt = (completion: number) =>
    costOf?.({ prompt, completion, cached: 0, reasoning: 0, isEstimated: true }) ?? null;
  const [least, most] = [costAt(low), costAt(high)];
  return least === null || most === null ? null : { low: least, high: most };
}

/** Tokens of many prompts: some are counted, the others measured by their length. */
class TokenEstimate {
  #counted = 0;
  #countedBytes = 0;
  #bytes = 0;
  #requests = 0;

  /** Prompt tokens of all requests. */
  get total(): number {
    if (this.#countedBytes === 0) return 0;
    return Math.round((this.#counted / this.#countedBytes) * this.#bytes);
  }

  async add(request: ChatRequest): Promise<void> {
    let bytes = 1; // an empty prompt has tokens too
    for (const { content } of request.messages) bytes += Buffer.byteLength(content);
    this.#bytes += bytes;
    this.#requests += 1;
    if (this.#requests > countedRows && this.#requests % countedEvery !== 0) return;
    this.#counted += await countMessages(request.messages);
    this.#countedBytes += bytes;
  }
}
