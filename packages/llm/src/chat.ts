/**
 * What goes to a model and what comes back.
 */

/** Who says a message. */
export type ChatRole = 'assistant' | 'system' | 'user';

/** One message of a conversation. */
export interface ChatMessage {
  readonly role: ChatRole;
  readonly content: string;
}

/** The form that an answer must have, as it is sent to a server. */
export type ResponseFormat =
  | { readonly type: 'json_object' }
  | { readonly type: 'json_schema'; readonly name: string; readonly schema: object };

/**
 * One question to a model. Temperature, topP and maxTokens are always sent, as the defaults of
 * servers differ.
 */
export interface ChatRequest {
  readonly messages: readonly ChatMessage[];
  /** Default 0. */
  readonly temperature?: number | undefined;
  /** Default 1. */
  readonly topP?: number | undefined;
  /** Tokens of the answer at most; default 1024. */
  readonly maxTokens?: number | undefined;
  readonly stop?: readonly string[] | undefined;
  readonly seed?: number | undefined;
  /** Alternatives listed with each token of the answer; default none. */
  readonly topLogprobs?: number | undefined;
  readonly responseFormat?: ResponseFormat | undefined;
  /** Keys of one server, put at the top of the body. */
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
  /** Tells repeats of one request apart in the cache; default 0. */
  readonly sample?: number | undefined;
  /** Name in tables of cost; changes nothing. */
  readonly tag?: string | undefined;
  /** Milliseconds for the whole answer; default 20 minutes. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Why an answer ended. */
export type FinishReason = 'filter' | 'length' | 'stop' | 'tool';

/** Tokens of one call. */
export interface TokenUsage {
  readonly prompt: number;
  readonly completion: number;
  /** Of the prompt, those that the server had already. */
  readonly cached: number;
  /** Of the completion, those that are reasoning. */
  readonly reasoning: number;
  /** Whether the server gave no numbers, and these are ours. */
  readonly isEstimated: boolean;
}

/** Tokens and what they cost. */
export interface Paid {
  readonly usage: TokenUsage;
  /** Null where no price is known. */
  readonly costUsd: number | null;
}

/** Requests that a server may have worked on, and may charge for, without a word on tokens. */
export interface UnknownCost {
  readonly requests: number;
  /** Of their prompts, as `countMessages` estimates them; of answers nothing is known. */
  readonly promptTokens: number;
  /** Of the prompts alone; null where no price is known. */
  readonly costUsd: number | null;
}

/** What requests did cost that were of no use, where no server counted their tokens. */
export interface Unreported {
  /** Of answers of which something came: estimated from it and from the prompt. */
  readonly estimated?: Paid | undefined;
  /** Of requests of whose answers nothing came. */
  readonly unknown?: UnknownCost | undefined;
}

/** One token of an answer, with its alternatives. */
export interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly top: readonly { readonly token: string; readonly logprob: number }[];
}

/** An answer. */
export interface ChatResult {
  /** Without reasoning. */
  readonly text: string;
  /** What a reasoning model thought before it, whatever form the server gave it in. */
  readonly reasoning: string | null;
  readonly logprobs: readonly TokenLogprob[] | null;
  readonly finish: FinishReason;
  readonly usage: TokenUsage;
  /** Null where no price is known. */
  readonly costUsd: number | null;
  readonly latencyMs: number;
  /** Milliseconds until the first token, of streamed answers. */
  readonly firstTokenMs: number | null;
  /** Requests that were sent; 0 for an answer from the cache. */
  readonly attempts: number;
  readonly isCached: boolean;
  readonly requestHash: string;
  /** As the server calls it. */
  readonly servedModel: string;
  readonly warnings: readonly string[];
  /** What answers before it did cost that were of no use, e.g. empty ones; absent for none. */
  readonly lost?: Paid | undefined;
  /** The same of requests before it whose tokens no server counted; absent for none. */
  readonly unreported?: Unreported | undefined;
}

/** How an answer in JSON came about. */
export type JsonOrigin = 'direct' | 'repaired' | 'repaired-by-call';

/**
 * How a server is told the form of an answer, the surest first: a strict schema in
 * `response_format`; a field of its own (`structured_outputs` of vLLM, `json_schema` of llama.cpp,
 * both are sent); JSON mode with the schema in the prompt; the prompt alone.
 */
export type StructuredLevel = 'json-schema' | 'server-field' | 'json-object' | 'prompt';

/** An answer that fits a schema. */
export interface JsonResult<T> extends ChatResult {
  readonly json: T;
  readonly origin: JsonOrigin;
  /** How the server was told the form. */
  readonly level: StructuredLevel;
}

/** Embeddings of texts, row by row, of length one. */
export interface Embeddings {
  readonly width: number;
  /** `[texts, width]`. */
  readonly values: Float32Array;
  readonly usage: TokenUsage;
}

/** Tokens of a conversation. */
export interface TokenCount {
  readonly tokens: number;
  /** Whether the server counted; else an estimate. */
  readonly isExact: boolean;
}
