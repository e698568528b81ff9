/**
 * Sums of tokens and of what they cost.
 */
import type { Paid, TokenUsage } from './chat.js';

/** The tokens of no call. */
export const noUsage: TokenUsage = {
  prompt: 0,
  completion: 0,
  cached: 0,
  reasoning: 0,
  isEstimated: false,
};

/** The tokens of two; an estimate where either is one. */
export function sumOfUsage(a: TokenUsage, b: TokenUsage): TokenUsage {
  return {
    prompt: a.prompt + b.prompt,
    completion: a.completion + b.completion,
    cached: a.cached + b.cached,
    reasoning: a.reasoning + b.reasoning,
    isEstimated: a.isEstimated || b.isEstimated,
  };
}

/** What no call did cost. */
export const nothingPaid: Paid = { usage: noUsage, costUsd: 0 };

/** What two did cost; of unknown price where either is. */
export function sumOfPaid(a: Paid, b: Paid): Paid {
  const costUsd = a.costUsd === null || b.costUsd === null ? null : a.costUsd + b.costUsd;
  return { usage: sumOfUsage(a.usage, b.usage), costUsd };
}
