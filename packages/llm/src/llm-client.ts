/**
 * The client as all that uses a model sees it: real, replayed or scripted.
 */
import type { z } from 'zod';
import type { Capabilities } from './capabilities.js';
import type {
  ChatMessage,
  ChatRequest,
  ChatResult,
  Embeddings,
  JsonResult,
  TokenCount,
} from './chat.js';

/** How {@link LlmClient.json} asks. */
export interface JsonCallOptions {
  /**
   * Makes its calls in place of {@link LlmClient.chat}: an answer may take several, and whoever
   * counts what they cost sees each.
   */
  readonly ask?: ((request: ChatRequest) => Promise<ChatResult>) | undefined;
}

/** A model behind a server, or what stands for one. */
export interface LlmClient {
  /** As it is asked for. */
  readonly model: string;
  /** What its server can do; absent where nothing is known. */
  readonly capabilities?: Capabilities | undefined;
  /** The answer to one request. @throws {LlmFailure} */
  chat(request: ChatRequest): Promise<ChatResult>;
  /**
   * The answer as data that fits a schema.
   *
   * @throws {LlmFailure} of kind `parse` where it does not.
   */
  json<T>(
    request: ChatRequest,
    schema: z.ZodType<T>,
    options?: JsonCallOptions,
  ): Promise<JsonResult<T>>;
  embed(texts: readonly string[], options?: { readonly signal?: AbortSignal }): Promise<Embeddings>;
  count(messages: readonly ChatMessage[]): Promise<TokenCount>;
  /** The hash that a request has in the cache and in rows. */
  hashOf(request: ChatRequest): string;
  /** Ends what is open. */
  close(): Promise<void>;
}
