import type {
  ChatMessage,
  ChatRequest,
  ChatResult,
  Embeddings,
  FinishReason,
  TokenLogprob,
  TokenUsage,
} from './chat.js';
import type { LlmClient } from './llm-client.js';
import { LlmFailure } from './llm-failure.js';
import { requestHash } from './request-hash.js';
import { askForJson } from './structured/ask-for-json.js';
import { characterCount, countMessages } from './tokens.js';

/** An answer that says more than its text. */
export interface ScriptedAnswer {
  readonly text: string;
  readonly reasoning?: string | null;
  readonly logprobs?: readonly TokenLogprob[] | null;
  readonly finish?: FinishReason;
  /** Default: a token for four characters, marked as an estimate. */
  readonly usage?: TokenUsage;
  readonly costUsd?: number | null;
  readonly warnings?: readonly string[];
}

/** Settings of {@link createScriptedClient}. */
export interface ScriptedOptions {
  /** What the model says; may throw an {@link LlmFailure}. */
  answer(request: ChatRequest): Promise<ScriptedAnswer | string> | ScriptedAnswer | string;
  /** Default `scripted`. */
  readonly model?: string;
  /** Numbers of an embedding; default 64. */
  readonly embeddingWidth?: number;
}

const charactersPerToken = 4;
/** Part of each hash, in place of the address of a server. */
const server = 'scripted';

/**
 * A client whose answers are a function of the request: for tests, for dry runs of a pipeline, and
 * to measure what a pipeline costs without its model. Nothing is sent or waited for.
 *
 * Embeddings are counts of words in hashed buckets, so that texts with common words are near each
 * other.
 */
export function createScriptedClient(options: ScriptedOptions): LlmClient {
  const { model = 'scripted', embeddingWidth = 64 } = options;
  const hashOf = (request: ChatRequest) => requestHash(request, { server, model });
  const chat = async (request: ChatRequest): Promise<ChatResult> => {
    assertNotAborted(request.signal);
    const answered = options.answer(request);
    const answer = isPromise(answered) ? await answered : answered;
    return resultOf(typeof answer === 'string' ? { text: answer } : answer, request, {
      model,
      hashOf,
    });
  };
  return {
    model,
    chat,
    json: (request, schema, { ask = chat } = {}) =>
      askForJson(ask, request, schema, { level: 'json-schema' }),
    embed: async (texts, { signal } = {}) => {
      assertNotAborted(signal);
      return bagsOfWords(texts, embeddingWidth);
    },
    count: async (messages) => ({ tokens: await countMessages(messages), isExact: false }),
    hashOf,
    close: async () => undefined,
  };
}

function resultOf(
  answer: ScriptedAnswer,
  request: ChatRequest,
  { model, hashOf }: { model: string; hashOf: (request: ChatRequest) => string },
): ChatResult {
  let hash: string | undefined;
  return {
    text: answer.text,
    reasoning: answer.reasoning ?? null,
    logprobs: answer.logprobs ?? null,
    finish: answer.finish ?? 'stop',
    usage: answer.usage ?? estimatedUsage(request.messages, answer),
    costUsd: answer.costUsd ?? null,
    latencyMs: 0,
    firstTokenMs: null,
    attempts: 1,
    isCached: false,
    // Made when asked for: it takes longer than the whole answer.
    get requestHash() {
      hash ??= hashOf(request);
      return hash;
    },
    servedModel: model,
    warnings: answer.warnings ?? [],
  };
}

function estimatedUsage(messages: readonly ChatMessage[], answer: ScriptedAnswer): TokenUsage {
  const reasoning = Math.ceil((answer.reasoning?.length ?? 0) / charactersPerToken);
  return {
    prompt: Math.ceil(characterCount(messages) / charactersPerToken),
    completion: Math.ceil(answer.text.length / charactersPerToken) + reasoning,
    cached: 0,
    reasoning,
    isEstimated: true,
  };
}

function bagsOfWords(texts: readonly string[], width: number): Embeddings {
  const values = new Float32Array(texts.length * width); // [texts, width]
  let characters = 0;
  for (const [index, text] of texts.entries()) {
    characters += text.length;
    const row = values.subarray(index * width, (index + 1) * width);
    for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)) {
      row[bucketOf(word, width)]! += 1;
    }
    let squares = 0;
    for (const value of row) squares += value * value;
    // A text without words has a direction as well: the vector is of length one in any case.
    if (squares === 0) row[0] = 1;
    else for (let at = 0; at < width; at += 1) row[at]! /= Math.sqrt(squares);
  }
  const prompt = Math.ceil(characters / charactersPerToken);
  const usage = { prompt, completion: 0, cached: 0, reasoning: 0, isEstimated: true };
  return { width, values, usage };
}

/** FNV-1a. */
function bucketOf(word: string, width: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < word.length; index += 1) {
    hash = Math.imul(hash ^ word.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) % width;
}

function assertNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new LlmFailure('llm/scripted: the call was aborted.', {
    kind: 'aborted',
    isRetryable: false,
    attempts: 0,
    cause: signal.reason,
  });
}

function isPromise<T>(value: Promise<T> | T): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
