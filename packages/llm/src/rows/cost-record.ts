/**
 * What calls did cost, as lines of a run keep it.
 */
import type { Paid, TokenUsage, UnknownCost } from '../chat.js';
import { sumOfUnknown } from '../unreported.js';

/** Tokens and money of a line. */
export interface CostRecord {
  readonly usage: Omit<TokenUsage, 'isEstimated'> & { readonly isEstimated?: boolean };
  /** What the answers cost by the price list, cached or not; null where no price is known. */
  readonly costUsd: number | null;
  /** Of these, what is estimated, where servers counted some of the answers and some not. */
  readonly estimated?: EstimatedShare;
}

/** The estimated part of tokens and money. */
export interface EstimatedShare {
  readonly prompt: number;
  readonly completion: number;
  readonly costUsd: number | null;
}

/** The sum of calls, and of it what is estimated; null for nothing. */
export interface PaidSum extends Paid {
  readonly estimated: Paid | null;
}

/** The line of a sum. */
export function costRecord({ usage, costUsd, estimated }: PaidSum): CostRecord {
  const { prompt, completion, cached, reasoning } = usage;
  const cost = centsOf(costUsd);
  if (!usage.isEstimated)
    return { usage: { prompt, completion, cached, reasoning }, costUsd: cost };
  const record = {
    usage: { prompt, completion, cached, reasoning, isEstimated: true },
    costUsd: cost,
  };
  if (estimated === null) return record;
  const { usage: part } = estimated;
  if (part.prompt === prompt && part.completion === completion) return record;
  const { prompt: promptPart, completion: completionPart } = part;
  const share = { prompt: promptPart, completion: completionPart };
  return { ...record, estimated: { ...share, costUsd: centsOf(estimated.costUsd) } };
}

/** Sums of prices come in any order of calls: cuts what rounding leaves. */
const centsOf = (usd: number | null): number | null =>
  usd === null ? null : Number(usd.toPrecision(12));

/** Tokens and money of a run by how far they are known. */
export interface RunCost {
  /** As servers counted them, and so the following three. */
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Of the prompt, those that the server had already. */
  readonly cachedTokens: number;
  readonly reasoningTokens: number;
  /** Of these; null where no price is known. */
  readonly costUsd: number | null;
  /** Of answers, whole or in part, without a count: by the encoding that a plan counts in. */
  readonly estimated: EstimatedCost;
  /** Requests that brought no answer and may be charged; of their answers nothing is known. */
  readonly unknown: UnknownCost;
}

/** Tokens and money by estimate. */
export interface EstimatedCost {
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Null where no price is known. */
  readonly costUsd: number | null;
}

const noneUnknown: UnknownCost = { requests: 0, promptTokens: 0, costUsd: null };

/** What stands in no prediction. */
interface Wasted {
  readonly lost?: readonly Pick<CostRecord, 'costUsd' | 'usage'>[];
  readonly unknown?: UnknownCost | null;
}

/** Sums over lines: what servers counted, apart from what is estimated. */
export class CostSums {
  readonly #reported = new CostSum();
  readonly #estimated = new CostSum();
  #unknown: UnknownCost | null = null;

  add({ usage, costUsd, estimated: share }: CostRecord): void {
    if (usage.isEstimated !== true) this.#reported.add(usage, costUsd);
    else if (share === undefined) this.#estimated.add(usage, costUsd);
    else {
      const { prompt, completion } = share;
      this.#estimated.add({ prompt, completion, cached: 0, reasoning: 0 }, share.costUsd);
      const counted = {
        ...usage,
        prompt: usage.prompt - prompt,
        completion: usage.completion - completion,
      };
      const isPriced = costUsd !== null && share.costUsd !== null;
      this.#reported.add(counted, isPriced ? costUsd - share.costUsd : null);
    }
  }

  /** Adds what stands in no prediction. */
  addWasted({ lost = [], unknown }: Wasted): void {
    for (const record of lost) this.add(record);
    this.#unknown = sumOfUnknown(this.#unknown, unknown);
  }

  /** By the count of servers; null where a price is unknown, and before any is. */
  get costUsd(): number | null {
    return this.#reported.costUsd;
  }

  /** Everything that is known, and of requests without an answer their prompts. */
  get spent(): { readonly tokens: number; readonly usd: number } {
    const { promptTokens, costUsd } = this.#unknown ?? noneUnknown;
    const [reported, estimated] = [this.#reported, this.#estimated];
    return {
      tokens: reported.tokens + estimated.tokens + promptTokens,
      usd: (reported.costUsd ?? 0) + (estimated.costUsd ?? 0) + (costUsd ?? 0),
    };
  }

  cost(): RunCost {
    const [reported, estimated] = [this.#reported, this.#estimated];
    return {
      promptTokens: reported.prompt,
      completionTokens: reported.completion,
      cachedTokens: reported.cached,
      reasoningTokens: reported.reasoning,
      costUsd: reported.costUsd,
      estimated: {
        promptTokens: estimated.prompt,
        completionTokens: estimated.completion,
        costUsd: estimated.costUsd,
      },
      unknown: this.#unknown ?? noneUnknown,
    };
  }
}

/** One sum. */
class CostSum {
  prompt = 0;
  completion = 0;
  cached = 0;
  reasoning = 0;
  #costUsd = 0;
  #unpriced = 0;
  #priced = 0;

  add(usage: CostRecord['usage'], costUsd: number | null): void {
    this.prompt += usage.prompt;
    this.completion += usage.completion;
    this.cached += usage.cached;
    this.reasoning += usage.reasoning;
    if (costUsd === null) this.#unpriced += 1;
    else {
      this.#priced += 1;
      this.#costUsd += costUsd;
    }
  }

  get tokens(): number {
    return this.prompt + this.completion;
  }

  /** Null where a price is unknown, and before any is. */
  get costUsd(): number | null {
    return this.#unpriced > 0 || this.#priced === 0 ? null : this.#costUsd;
  }
}
