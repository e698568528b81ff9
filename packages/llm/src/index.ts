export type { AnswerStore, CacheMode, StoredAnswer } from './answer-cache.js';
export type {
  ChatMessage,
  ChatRequest,
  ChatResult,
  ChatRole,
  Embeddings,
  FinishReason,
  JsonOrigin,
  JsonResult,
  ResponseFormat,
  TokenCount,
  TokenLogprob,
  TokenUsage,
} from './chat.js';
export { type Clock, systemClock } from './clock.js';
export type { LlmClient } from './llm-client.js';
export { type FailureDetails, type FailureKind, LlmFailure } from './llm-failure.js';
