/**
 * What calls have used, by tag.
 */
import type { ChatResult, Paid, TokenUsage, UnknownCost, Unreported } from './chat.js';
import { LlmFailure } from './llm-failure.js';
import type { Retried } from './retry.js';
import { noUsage, nothingPaid, sumOfPaid } from './token-usage.js';
import { sumOfUnknown } from './unreported.js';

/** Sums over the calls of one tag. */
export interface UsageTotal {
  /** Answers that the server gave. */
  readonly calls: number;
  /** Answers that were there already. */
  readonly cachedCalls: number;
  /** Requests sent, those that failed among them. */
  readonly requests: number;
  /** Tokens of all that the server answered and counted, also of what was of no use. */
  readonly usage: TokenUsage;
  /** Null where the price of any answer is unknown. */
  readonly costUsd: number | null;
  /** Of what the server answered and did not count; null for none. */
  readonly estimated: Paid | null;
  /** Of requests that may have been worked on and brought no answer; null for none. */
  readonly unknown: UnknownCost | null;
}

/** What is counted of a result. */
type Counted = Pick<
  ChatResult,
  'attempts' | 'costUsd' | 'isCached' | 'lost' | 'unreported' | 'usage'
>;

/** Keeps the sums. */
export interface UsageTotals {
  add(tag: string, result: Counted): void;
  /** A call that failed. */
  addFailed(tag: string, failure: Pick<LlmFailure, 'attempts' | 'paid' | 'unreported'>): void;
  /** Counts what one of several requests did waste, however it ends. */
  watch<T>(tag: string, answered: Promise<Retried<T>>): Promise<Retried<T>>;
  /** By tag; calls without one stand under the empty name. */
  byTag(): ReadonlyMap<string, UsageTotal>;
}

const zero: UsageTotal = {
  ...{ calls: 0, cachedCalls: 0, requests: 0, costUsd: 0 },
  ...{ usage: noUsage, estimated: null, unknown: null },
};

/** Sums of nothing. */
export function createUsageTotals(): UsageTotals {
  const totals = new Map<string, UsageTotal>();
  const addWasted = (tag: string, paid?: Paid, unreported?: Unreported): void => {
    if (paid !== undefined) addPaid(tag, paid);
    if (unreported === undefined) return;
    const { estimated, unknown } = unreported;
    if (estimated !== undefined) addPaid(tag, estimated);
    const old = totals.get(tag) ?? zero;
    totals.set(tag, { ...old, unknown: sumOfUnknown(old.unknown, unknown) });
  };
  const addPaid = (tag: string, paid: Paid): void => {
    const old = totals.get(tag) ?? zero;
    totals.set(tag, withPaid(old, paid, old));
  };
  const addFailed: UsageTotals['addFailed'] = (tag, { attempts, paid, unreported }) => {
    const old = totals.get(tag) ?? zero;
    totals.set(tag, { ...old, requests: old.requests + attempts });
    addWasted(tag, paid, unreported);
  };
  return {
    addFailed,
    add(tag, { attempts, costUsd, isCached, lost, unreported, usage }) {
      const old = totals.get(tag) ?? zero;
      const { calls, cachedCalls, requests } = old;
      if (isCached) {
        totals.set(tag, { ...old, cachedCalls: cachedCalls + 1 });
        return;
      }
      const counts = { calls: calls + 1, cachedCalls, requests: requests + attempts };
      totals.set(tag, withPaid(old, { usage, costUsd }, counts));
      addWasted(tag, lost, unreported);
    },
    async watch(tag, answered) {
      try {
        const answer = await answered;
        addWasted(tag, answer.lost, answer.unreported);
        return answer;
      } catch (error) {
        if (error instanceof LlmFailure) addFailed(tag, error);
        throw error;
      }
    },
    byTag: () => new Map(totals),
  };
}

function withPaid(
  { usage, costUsd, estimated, unknown }: UsageTotal,
  paid: Paid,
  { calls, cachedCalls, requests }: Pick<UsageTotal, 'cachedCalls' | 'calls' | 'requests'>,
): UsageTotal {
  // Each field by name: this is done for every call, and a spread takes longer than all of it.
  if (paid.usage.isEstimated) {
    const sum = sumOfPaid(estimated ?? nothingPaid, paid);
    return { calls, cachedCalls, requests, usage, costUsd, estimated: sum, unknown };
  }
  const sum = sumOfPaid({ usage, costUsd }, paid);
  return {
    calls,
    cachedCalls,
    requests,
    usage: sum.usage,
    costUsd: sum.costUsd,
    estimated,
    unknown,
  };
}
