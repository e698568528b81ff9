/**
 * What a run will ask, take and cost, before anything is asked.
 */
import type { ChatRequest, LlmClient, PriceTable, Shard } from '@lab/llm';
import { shardOf } from '@lab/llm';
import type { LoongConfig } from './config.js';
import { promptOf, type PromptSource, requestOf } from './answer-record.js';
import { promptLimit } from './length.js';
import type { LoongRecord } from './record.js';
import { countTokens } from './tokens.js';

/** The least and the most that something can be. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** Questions and tokens of a length set. */
export interface SetPlan {
  readonly set: number;
  readonly rows: number;
  readonly promptTokens: number;
  /** What its calls cost; null where no price is known. */
  readonly costUsd: Range | null;
  /** Questions that do not get all of their documents. */
  readonly truncated: number;
}

/** What a run will ask. */
export interface RunPlan {
  readonly rows: number;
  /** Rows that an earlier process finished. */
  readonly finished: number;
  /** Answers that the cache has. */
  readonly cacheHits: number;
  readonly calls: number;
  /** Of all calls, in cl100k_base; a server counts some more for its chat format. */
  readonly promptTokens: number;
  /** Whether prompts were made and counted; else their lengths are those of the questions' file. */
  readonly isExact: boolean;
  readonly completionTokens: Range;
  /** Null where no price is known. */
  readonly costUsd: Range | null;
  readonly seconds: Range;
  readonly concurrency: number;
  readonly bySet: readonly SetPlan[];
}

/** What plans of answers and judgements share. */
export interface PlanOptions {
  readonly client: Pick<LlmClient, 'hashOf' | 'model'>;
  /** Answers that there are. */
  readonly cache?: { has(hash: string): boolean } | undefined;
  /** Ids that an earlier process finished. */
  readonly finished?: ReadonlySet<string> | undefined;
  readonly prices?: PriceTable | undefined;
  /** Calls at once; default 8. */
  readonly concurrency?: number | undefined;
  readonly shard?: Shard | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Settings of {@link planAnswers}. */
export interface PlanAnswersOptions extends PlanOptions {
  readonly records: readonly LoongRecord[];
  readonly config: LoongConfig;
  /** Null for a plan without documents, from the lengths in the questions' file. */
  readonly documents: Omit<PromptSource, 'config'> | null;
  readonly onProgress?: ((done: number) => void) | undefined;
}

/** Tokens a second that servers read of a prompt, and write of an answer. */
const speed = { read: { low: 50_000, high: 2000 }, write: { low: 200, high: 20 } } as const;
const presumedConcurrency = 8;

class PlanSums {
  rows = 0;
  finished = 0;
  cacheHits = 0;
  calls = 0;
  promptTokens = 0;
  readonly #options: PlanOptions;
  readonly #maxTokens: number;

  constructor(options: PlanOptions, maxTokens: number) {
    this.#options = options;
    this.#maxTokens = maxTokens;
  }

  /** Whether a row is of this shard and not finished; counts it. */
  takes(id: string): boolean {
    const { shard, finished } = this.#options;
    if (shard !== undefined && shardOf(id, shard.count) !== shard.index) return false;
    this.rows += 1;
    if (finished?.has(id) !== true) return true;
    this.finished += 1;
    return false;
  }

  /** Counts a call, unless the cache has its answer; whether it is one. */
  add(request: ChatRequest | null, tokens: number): boolean {
    const { cache, client } = this.#options;
    if (request !== null && cache?.has(client.hashOf(request)) === true) {
      this.cacheHits += 1;
      return false;
    }
    this.calls += 1;
    this.promptTokens += tokens;
    return true;
  }

  plan(isExact: boolean, bySet: readonly SetPlan[]): RunPlan {
    const { calls, promptTokens } = this;
    const { concurrency = presumedConcurrency } = this.#options;
    const completionTokens = { low: calls, high: calls * this.#maxTokens };
    const seconds = (end: 'low' | 'high') =>
      (promptTokens / speed.read[end] + completionTokens[end] / speed.write[end]) / concurrency;
    return {
      ...{ rows: this.rows, finished: this.finished, cacheHits: this.cacheHits, calls },
      ...{ promptTokens, isExact, completionTokens, costUsd: this.cost(this) },
      ...{ seconds: { low: seconds('low'), high: seconds('high') }, concurrency, bySet },
    };
  }

  /** What so many calls cost; null where no price is known. */
  cost({ calls, promptTokens: prompt }: Pick<PlanSums, 'calls' | 'promptTokens'>): Range | null {
    const { prices, client } = this.#options;
    const costOf = (completion: number) => {
      const usage = { completion, prompt, cached: 0, reasoning: 0, isEstimated: true };
      return prices?.costUsd(client.model, usage) ?? null;
    };
    const [low, high] = [costOf(calls), costOf(calls * this.#maxTokens)];
    return low === null || high === null ? null : { low, high };
  }
}

/** A length set while it is counted; `asked` are its calls. */
interface SetSums {
  rows: number;
  promptTokens: number;
  truncated: number;
  readonly asked: { calls: number; promptTokens: number };
}

/**
 * What the answers to questions take: every prompt is made and counted, so that the plan is what
 * will be spent; without documents the lengths of the questions' file are taken.
 */
export async function planAnswers(options: PlanAnswersOptions): Promise<RunPlan> {
  const { config, documents, records, onProgress, signal } = options;
  const sums = new PlanSums(options, config.generation.maxTokens);
  const sets = new Map<number, SetSums>();
  for (const [index, record] of records.entries()) {
    signal?.throwIfAborted();
    if (!sums.takes(record.id)) continue;
    const { request, tokens, isTruncated } = await promptSize(record, config, documents);
    const set = sets.get(record.set) ?? newSet();
    if (tokens !== null && sums.add(request, tokens)) {
      set.asked.calls += 1;
      set.asked.promptTokens += tokens;
    }
    set.rows += 1;
    set.promptTokens += tokens ?? 0;
    set.truncated += isTruncated ? 1 : 0;
    sets.set(record.set, set);
    onProgress?.(index + 1);
  }
  const bySet = [...sets.entries()].toSorted(([a], [b]) => a - b);
  return sums.plan(
    documents !== null,
    bySet.map(([set, { asked, ...facts }]) => ({ set, ...facts, costUsd: sums.cost(asked) })),
  );
}

const newSet = (): SetSums => ({
  ...{ rows: 0, promptTokens: 0, truncated: 0 },
  asked: { calls: 0, promptTokens: 0 },
});

interface PromptSize {
  readonly request: ChatRequest | null;
  /** Null where no document fits, so that nothing is asked. */
  readonly tokens: number | null;
  readonly isTruncated: boolean;
}

async function promptSize(
  record: LoongRecord,
  config: LoongConfig,
  documents: PlanAnswersOptions['documents'],
): Promise<PromptSize> {
  if (documents === null) {
    const limit = promptLimit(config.window);
    const tokens = Math.min(record.length, limit);
    return { request: null, tokens, isTruncated: record.length > limit };
  }
  const made = await promptOf(record, { ...documents, config });
  const isEmpty = made.docsUsed.length === 0 && !config.assembly.closedBook;
  return {
    request: requestOf(made.prompt, config),
    tokens: isEmpty ? null : made.promptTokens,
    isTruncated: made.docsDropped.length > 0,
  };
}

/** Requests by id. */
export interface PlannedRequest {
  readonly id: string;
  readonly request: ChatRequest;
}

/** What requests of one message each take, e.g. first judgements. */
export async function planRequests(
  requests: readonly PlannedRequest[],
  options: PlanOptions & { readonly maxTokens: number },
): Promise<RunPlan> {
  const sums = new PlanSums(options, options.maxTokens);
  for (const { id, request } of requests) {
    if (!sums.takes(id)) continue;
    sums.add(request, await countTokens(request.messages.map(({ content }) => content).join('\n')));
  }
  return sums.plan(true, []);
}
