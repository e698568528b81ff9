/**
 * What calls have used, by tag.
 */
import type { ChatResult, Paid, TokenUsage } from './chat.js';
import type { LlmFailure } from './llm-failure.js';
import { noUsage, sumOfUsage } from './token-usage.js';

/** Sums over the calls of one tag. */
export interface UsageTotal {
  /** Answers that the server gave. */
  readonly calls: number;
  /** Answers that were there already. */
  readonly cachedCalls: number;
  /** Requests sent, those that failed among them. */
  readonly requests: number;
  /** Tokens of all that the server answered, also of what was of no use. */
  readonly usage: TokenUsage;
  /** Null where the price of any answer is unknown. */
  readonly costUsd: number | null;
}

/** What is counted of a result. */
type Counted = Pick<ChatResult, 'attempts' | 'costUsd' | 'isCached' | 'lost' | 'usage'>;

/** Keeps the sums. */
export interface UsageTotals {
  add(tag: string, result: Counted): void;
  /** A call that failed. */
  addFailed(tag: string, failure: Pick<LlmFailure, 'attempts' | 'paid'>): void;
  /** By tag; calls without one stand under the empty name. */
  byTag(): ReadonlyMap<string, UsageTotal>;
}

const zero: UsageTotal = {
  ...{ calls: 0, cachedCalls: 0, requests: 0, costUsd: 0 },
  usage: noUsage,
};

/** Sums of nothing. */
export function createUsageTotals(): UsageTotals {
  const totals = new Map<string, UsageTotal>();
  return {
    add(tag, { attempts, costUsd, isCached, lost, usage }) {
      const old = totals.get(tag) ?? zero;
      const { calls, cachedCalls, requests } = old;
      if (isCached) {
        totals.set(tag, { ...old, cachedCalls: cachedCalls + 1 });
        return;
      }
      const counts = { calls: calls + 1, cachedCalls, requests: requests + attempts };
      totals.set(tag, withPaid(withPaid(old, { usage, costUsd }, counts), lost));
    },
    addFailed(tag, { attempts, paid }) {
      const old = totals.get(tag) ?? zero;
      totals.set(tag, withPaid({ ...old, requests: old.requests + attempts }, paid));
    },
    byTag: () => new Map(totals),
  };
}

function withPaid(
  total: UsageTotal,
  paid: Paid | undefined,
  counts: Pick<UsageTotal, 'cachedCalls' | 'calls' | 'requests'> = total,
): UsageTotal {
  if (paid === undefined) return total;
  const { calls, cachedCalls, requests } = counts;
  const usage = sumOfUsage(total.usage, paid.usage);
  const isPriced = total.costUsd !== null && paid.costUsd !== null;
  const costUsd = isPriced ? total.costUsd + paid.costUsd : null;
  return { calls, cachedCalls, requests, usage, costUsd };
}
