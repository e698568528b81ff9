import type { ChatResult } from '../src/index.js';

/** An answer as a server that works well gives it. */
export function result(change: Partial<ChatResult> = {}): ChatResult {
  return {
    text: 'Yes.',
    reasoning: null,
    logprobs: null,
    finish: 'stop',
    usage: { prompt: 10, completion: 5, cached: 0, reasoning: 0, isEstimated: false },
    costUsd: null,
    latencyMs: 7,
    firstTokenMs: null,
    attempts: 1,
    isCached: false,
    requestHash: 'hash',
    servedModel: 'tiny',
    warnings: [],
    ...change,
  };
}
