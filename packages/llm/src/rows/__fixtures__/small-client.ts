/** A client that answers at once, for tests of what stands above it. */
import { canonicalJson, sha256 } from '@lab/core';
import type { ChatRequest, ChatResult } from '../../chat.js';
import type { LlmClient } from '../../llm-client.js';
import { LlmFailure, type FailureKind } from '../../llm-failure.js';

/** What a {@link smallClient} does with a request. */
export type Answer = (prompt: string, request: ChatRequest) => Promise<string> | string;

/** The text of a request's last message. */
const promptOf = (request: ChatRequest) => request.messages.at(-1)?.content ?? '';

/** A client that answers by a function, and counts. */
export function smallClient(answer: Answer = (prompt) => `re: ${prompt}`) {
  const seen: string[] = [];
  const peak = { now: 0, most: 0 };
  const hashOf = ({ signal: _, tag: __, timeoutMs: ___, ...request }: ChatRequest) =>
    sha256(canonicalJson(request));
  const client: LlmClient = {
    model: 'small',
    hashOf,
    async chat(request): Promise<ChatResult> {
      seen.push(promptOf(request));
      peak.now += 1;
      peak.most = Math.max(peak.most, peak.now);
      try {
        const text = await answer(promptOf(request), request);
        return resultOf(text, hashOf(request));
      } finally {
        peak.now -= 1;
      }
    },
    async json(request, schema, { ask = client.chat } = {}) {
      const result = await ask(request);
      const json = schema.parse(JSON.parse(result.text));
      return { ...result, json, origin: 'direct', level: 'json-schema' };
    },
    embed: () => Promise.reject(new Error('not here')),
    count: async (messages) => ({ tokens: messages.length, isExact: false }),
    close: async () => undefined,
  };
  return { client, seen, peak };
}

function resultOf(text: string, requestHash: string): ChatResult {
  return {
    text,
    reasoning: null,
    logprobs: null,
    finish: 'stop',
    usage: { prompt: 10, completion: 5, cached: 0, reasoning: 0, isEstimated: false },
    costUsd: 0.001,
    latencyMs: 1,
    firstTokenMs: null,
    attempts: 1,
    isCached: false,
    requestHash,
    servedModel: 'small-served',
    warnings: [],
  };
}

/** A failure of a kind. */
export const failure = (kind: FailureKind, attempts = 1) =>
  new LlmFailure(`it was ${kind}`, { kind, isRetryable: false, attempts });

/** Rows `r0`, `r1`, ... */
export const rowsOf = (count: number, first = 0) =>
  Array.from({ length: count }, (_, index) => ({ id: `r${first + index}` }));
