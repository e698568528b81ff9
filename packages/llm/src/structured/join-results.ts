import type { ChatResult } from '../chat.js';
import { sumOfUsage } from '../token-usage.js';

/** Two calls for one question as one result: the second answer, the hash of the first, and sums. */
export function joinResults(first: ChatResult, second: ChatResult): ChatResult {
  const isPriced = first.costUsd !== null && second.costUsd !== null;
  return {
    ...second,
    usage: sumOfUsage(first.usage, second.usage),
    costUsd: isPriced ? first.costUsd! + second.costUsd! : null,
    latencyMs: first.latencyMs + second.latencyMs,
    firstTokenMs: first.firstTokenMs,
    attempts: first.attempts + second.attempts,
    isCached: first.isCached && second.isCached,
    requestHash: first.requestHash,
    warnings: [...first.warnings, ...second.warnings],
  };
}
