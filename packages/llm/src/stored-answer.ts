/**
 * Answers as they are kept, and back.
 */
import type { StoredAnswer } from './answer-cache.js';
import type { ChatResult, FinishReason, TokenLogprob, TokenUsage } from './chat.js';

/** What is kept of a result. */
export function toStored(result: ChatResult): StoredAnswer {
  const { servedModel, text, reasoning, logprobs, finish, latencyMs } = result;
  const { prompt, completion, cached, reasoning: thought, isEstimated } = result.usage;
  return {
    hash: result.requestHash,
    servedModel,
    text,
    reasoning,
    logprobs,
    finish,
    latencyMs,
    usage: { prompt, completion, cached, reasoning: thought, isEstimated },
  };
}

/** The result that was kept; its cost is left to those who know prices. */
export function fromStored(stored: StoredAnswer, warnings: readonly string[]): ChatResult {
  const { hash, servedModel, text, reasoning, logprobs, finish, usage, latencyMs } = stored;
  return {
    text,
    reasoning,
    latencyMs,
    servedModel,
    warnings,
    logprobs: logprobs as readonly TokenLogprob[] | null,
    finish: finish as FinishReason,
    usage: usage as unknown as TokenUsage,
    requestHash: hash,
    costUsd: null,
    firstTokenMs: null,
    attempts: 0,
    isCached: true,
  };
}
