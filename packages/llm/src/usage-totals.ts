/**
 * What calls have used, by tag.
 */
import type { ChatResult, TokenUsage } from './chat.js';
import { noUsage, sumOfUsage } from './token-usage.js';

/** Sums over the calls of one tag. */
export interface UsageTotal {
  /** Answers that the server gave. */
  readonly calls: number;
  /** Answers that were there already. */
  readonly cachedCalls: number;
  /** Requests sent, those that failed among them. */
  readonly requests: number;
  /** Tokens of the answers that the server gave. */
  readonly usage: TokenUsage;
  /** Null where the price of any answer is unknown. */
  readonly costUsd: number | null;
}

/** Keeps the sums. */
export interface UsageTotals {
  add(tag: string, result: Pick<ChatResult, 'attempts' | 'costUsd' | 'isCached' | 'usage'>): void;
  /** Requests of a call that failed. */
  addFailed(tag: string, requests: number): void;
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
    add(tag, { attempts, costUsd, isCached, usage }) {
      const old = totals.get(tag) ?? zero;
      totals.set(
        tag,
        isCached
          ? { ...old, cachedCalls: old.cachedCalls + 1 }
          : {
              calls: old.calls + 1,
              cachedCalls: old.cachedCalls,
              requests: old.requests + attempts,
              usage: sumOfUsage(old.usage, usage),
              costUsd: old.costUsd === null || costUsd === null ? null : old.costUsd + costUsd,
            },
      );
    },
    addFailed(tag, requests) {
      const old = totals.get(tag) ?? zero;
      totals.set(tag, { ...old, requests: old.requests + requests });
    },
    byTag: () => new Map(totals),
  };
}
