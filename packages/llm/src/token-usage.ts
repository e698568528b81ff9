/**
 * Sums of tokens.
 */
import type { TokenUsage } from './chat.js';

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
