import type { ChatResult } from '../chat.js';

/** Two calls for one question as one result: the second answer, the hash of the first, and sums. */
export function joinResults(first: ChatResult, second: ChatResult): ChatResult {
  const isPriced = first.costUsd !== null && second.costUsd !== null;
  return {
    ...second,
    usage: {
      prompt: first.usage.prompt + second.usage.prompt,
      completion: first.usage.completion + second.usage.completion,
      cached: first.usage.cached + second.usage.cached,
      reasoning: first.usage.reasoning + second.usage.reasoning,
      isEstimated: first.usage.isEstimated || second.usage.isEstimated,
    },
    costUsd: isPriced ? first.costUsd! + second.costUsd! : null,
    latencyMs: first.latencyMs + second.latencyMs,
    firstTokenMs: first.firstTokenMs,
    attempts: first.attempts + second.attempts,
    isCached: first.isCached && second.isCached,
    requestHash: first.requestHash,
    warnings: [...first.warnings, ...second.warnings],
  };
}
