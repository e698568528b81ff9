/**
 * What a server can do.
 */
import type { StructuredLevel } from './chat.js';

/** All ways to tell a server the form of an answer, the surest first. */
export const structuredLevels = [
  'json-schema',
  'server-field',
  'json-object',
  'prompt',
] as const satisfies readonly StructuredLevel[];

/** What was found out about a model behind a base URL, or what a user says of it. */
export interface Capabilities {
  /** The surest way to get JSON of a schema; default `json-schema`. */
  readonly structured: StructuredLevel;
  /** Alternatives per token that it lists at most; 0 without logprobs. */
  readonly topLogprobs: number;
  /** Whether it counts tokens, and how it wants to be asked. */
  readonly tokenize: 'llama-cpp' | 'none' | 'vllm';
  /** Numbers per embedding; 0 where there are none. */
  readonly embeddingWidth: number;
  /** Tokens of prompt and answer at most; null where unknown. */
  readonly contextTokens: number | null;
}

/** What is taken for granted where nothing is known. */
export const presumedCapabilities: Capabilities = {
  structured: 'json-schema',
  topLogprobs: 20,
  tokenize: 'none',
  embeddingWidth: 0,
  contextTokens: null,
};
