/**
 * The client of servers with OpenAI's interface.
 */
import { ConfigError, createRandom, type Random, silentLogger } from '@lab/core';
import type { z } from 'zod';
import type { AnswerStore, CacheMode } from './answer-cache.js';
import { type Capabilities, presumedCapabilities } from './capabilities.js';
import type {
  ChatMessage,
  ChatRequest,
  ChatResult,
  Embeddings,
  JsonResult,
  StructuredLevel,
  TokenCount,
  TokenUsage,
} from './chat.js';
import type { CallProblem } from './call-problem.js';
import type { EndSignal } from './call-signal.js';
import type { ChatAnswer } from './chat-answer.js';
import { type Adaptations, adapt, createAdaptations } from './chat-body.js';
import { type ChatSetting, createChatCall } from './chat-call.js';
import { assertWholePrompt, chatResult } from './chat-result.js';
import { checkRequest } from './check-request.js';
import { type ClientNotes, createClientNotes } from './client-notes.js';
import type { ClientOptions } from './client-options.js';
import { type Clock, systemClock } from './clock.js';
import { createEmbedCall } from './embed-call.js';
import { embedMissing, embedTexts } from './embed-texts.js';
import type { JsonCallOptions, LlmClient } from './llm-client.js';
import { LlmFailure, throwJoined } from './llm-failure.js';
import { createPromptCheck, type PromptCheck } from './prompt-check.js';
import { requestHash } from './request-hash.js';
import {
  type defaultRetryLimits,
  type Retried,
  type RetryOptions,
  retryLimits,
  withRetries,
} from './retry.js';
import { Servers } from './servers.js';
import { createSingleFlight } from './single-flight.js';
import { fromStored, toStored } from './stored-answer.js';
import { JsonAsker } from './structured/lower-level.js';
import { createTokenizeCall } from './tokenize-call.js';
import { countMessages, countTexts } from './tokens.js';
import { createUsageTotals, type UsageTotal } from './usage-totals.js';

/** A client of real servers. */
export interface HttpClient extends LlmClient {
  /** The answers of several calls that differ in their sample (and seed, where one is given). */
  samples(request: ChatRequest, count: number): Promise<ChatResult[]>;
  /** What was used so far, by tag; embeddings have the tag `embeddings`. */
  readonly usage: ReadonlyMap<string, UsageTotal>;
  readonly capabilities: Capabilities;
  /** How servers are told the form of JSON now. */
  readonly structuredLevel: StructuredLevel;
  /** Parameters that the server did not take, which are left out or renamed since. */
  readonly adaptations: readonly string[];
  /** Requests at once that are allowed now. */
  readonly concurrency: number;
  /** Resolves once fewer than so many requests wait for their turn: ask for more then. */
  whenFewerWait(than: number): Promise<void>;
}

/**
 * A client of one server, or of several with the same model. It keeps to their limits, asks again
 * where that helps, and pays for equal requests once. It must be closed.
 *
 * @throws {ConfigError} for addresses, numbers and files that cannot be used.
 */
export function createClient(options: ClientOptions): HttpClient {
  return new Client(options);
}

class Client implements HttpClient {
  readonly model: string;
  readonly #options: ClientOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #notes: ClientNotes;
  readonly #servers: Servers;
  readonly #server: string;
  readonly #cache: AnswerStore | null;
  readonly #cacheMode: CacheMode;
  readonly #capabilities: Capabilities;
  readonly #adaptations: Adaptations = createAdaptations();
  readonly #flights = createSingleFlight<ChatResult>();
  readonly #totals = createUsageTotals();
  readonly #promptCheck: PromptCheck | null;
  readonly #setting: ChatSetting;
  readonly #retryLimits: typeof defaultRetryLimits;
  readonly #asker: JsonAsker;
  readonly #costOf = (usage: TokenUsage): number | null =>
    this.#options.prices?.costUsd(this.model, usage) ?? null;

  constructor(options: ClientOptions) {
    if (options.model === '') throw new ConfigError('llm/client: the model has no name.');
    this.#options = options;
    this.model = options.model;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? createRandom('llm/client');
    this.#notes = createClientNotes(options);
    this.#servers = new Servers(options, this.#clock, options.logger ?? silentLogger);
    this.#server = options.alias ?? this.#servers.url;
    this.#cache = options.cache ?? null;
    this.#cacheMode = options.cache === undefined ? 'off' : (options.cacheMode ?? 'read-write');
    this.#capabilities = { ...presumedCapabilities, ...options.capabilities };
    this.#asker = new JsonAsker(this.#capabilities.structured, this.#notes.lowered);
    this.#promptCheck = options.isPromptChecked === false ? null : createPromptCheck();
    this.#retryLimits = retryLimits(options.retries);
    this.#setting = {
      model: options.model,
      isStreamed: options.isStreamed ?? false,
      adaptations: this.#adaptations,
      redact: this.#servers.redact,
      now: () => this.#clock.now(),
    };
  }

  get usage(): ReadonlyMap<string, UsageTotal> {
    return this.#totals.byTag();
  }

  get capabilities(): Capabilities {
    return this.#capabilities;
  }

  get structuredLevel(): StructuredLevel {
    return this.#asker.level;
  }

  get adaptations(): readonly string[] {
    const { dropped, renamed } = this.#adaptations;
    return [...dropped, ...[...renamed].map(([from, to]) => `${from} -> ${to}`)];
  }

  get concurrency(): number {
    return this.#servers.concurrency;
  }

  whenFewerWait(than: number): Promise<void> {
    return this.#servers.whenFewerWait(than);
  }

  hashOf(request: ChatRequest): string {
    return requestHash(request, { server: this.#server, model: this.model });
  }

  async chat(request: ChatRequest): Promise<ChatResult> {
    checkRequest(request);
    const hash = this.hashOf(request);
    return this.#flights.share(hash, {
      signal: request.signal,
      run: (signal) => this.#chat(request, hash, signal),
      onJoin: (result) => this.#joined(request.tag, result),
      onJoinFailed: throwJoined,
    });
  }

  samples(request: ChatRequest, count: number): Promise<ChatResult[]> {
    const first = request.sample ?? 0;
    const { seed } = request;
    const requests = Array.from({ length: count }, (_, index) => ({
      ...request,
      sample: first + index,
      // The same seed would give the same answer each time.
      seed: seed === undefined ? undefined : seed + index,
    }));
    return Promise.all(requests.map((one) => this.chat(one)));
  }

  json<T>(
    request: ChatRequest,
    schema: z.ZodType<T>,
    { ask = (one) => this.chat(one) }: JsonCallOptions = {},
  ): Promise<JsonResult<T>> {
    return this.#asker.ask(ask, request, schema);
  }

  embed(
    texts: readonly string[],
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<Embeddings> {
    const ask = (missing: readonly string[]) => this.#embed(missing, signal);
    const { embeddings: store } = this.#options;
    if (store === undefined) return ask(texts);
    return embedMissing(texts, store, { model: this.model, ask });
  }

  async #embed(texts: readonly string[], signal: AbortSignal | undefined): Promise<Embeddings> {
    const { model, redact } = this.#setting;
    const { embeddings, attempts } = await embedTexts(texts, (batch) => {
      const { call, read } = createEmbedCall(batch, { model, redact, signal });
      const send = (sent: number) => this.#servers.send(call, sent, read);
      const countPrompt = () => countTexts(batch);
      const answered = withRetries(send, this.#retrying({ signal, countPrompt }));
      return this.#totals.watch('embeddings', answered);
    });
    const { usage } = embeddings;
    const costUsd = this.#costOf(usage);
    this.#totals.add('embeddings', { attempts, costUsd, usage, isCached: false });
    return embeddings;
  }

  async count(messages: readonly ChatMessage[]): Promise<TokenCount> {
    const { tokenize } = this.#capabilities;
    if (tokenize === 'none') {
      const ours = await countMessages(messages);
      return { tokens: this.#promptCheck?.estimate(ours) ?? ours, isExact: false };
    }
    const { redact } = this.#setting;
    const { call, read } = createTokenizeCall(messages, {
      form: tokenize,
      model: this.model,
      redact,
    });
    const send = (sent: number) => this.#servers.send(call, sent, read);
    const { value } = await withRetries(send, this.#retrying({}));
    return { tokens: value, isExact: tokenize === 'vllm' };
  }

  close(): Promise<void> {
    return this.#servers.close();
  }

  async #chat(
    request: ChatRequest,
    hash: string,
    signal: EndSignal | undefined,
  ): Promise<ChatResult> {
    const kept = await this.#fromCache(request, hash);
    if (kept !== null) return kept;
    const { call, read, latencyMs } = createChatCall(request, this.#setting, signal);
    const send = (sent: number) => this.#servers.send(call, sent, read);
    const adaptCall = (problem: CallProblem) => this.#adapt(problem);
    const countPrompt = () => countMessages(request.messages);
    let retried: Retried<ChatAnswer>;
    try {
      const options = this.#retrying({ signal, adapt: adaptCall, countPrompt });
      retried = await withRetries(send, options);
    } catch (error) {
      if (error instanceof LlmFailure) this.#totals.addFailed(request.tag ?? '', error);
      throw error;
    }
    const result = await chatResult(request, retried, {
      hash,
      latencyMs: Math.round(latencyMs()),
      model: this.model,
      prices: this.#options.prices,
      adaptations: this.adaptations,
      served: (model) => this.#notes.served(model),
    });
    this.#totals.add(request.tag ?? '', result);
    if (this.#promptCheck !== null) await assertWholePrompt(this.#promptCheck, request, result);
    await this.#keep(result);
    return result;
  }

  async #fromCache(request: ChatRequest, hash: string): Promise<ChatResult | null> {
    const mode = this.#cacheMode;
    if (this.#cache === null || (mode !== 'read' && mode !== 'read-write')) return null;
    if (!this.#cache.has(hash)) return null;
    const stored = await this.#cache.get(hash);
    if (stored === undefined) return null;
    const result = fromStored(stored, this.#notes.served(stored.servedModel));
    const costUsd = this.#costOf(result.usage);
    return this.#joined(request.tag, { ...result, costUsd });
  }

  async #keep(result: ChatResult): Promise<void> {
    if (this.#cache === null || this.#cacheMode === 'off' || this.#cacheMode === 'read') return;
    await this.#cache.put(toStored(result));
  }

  #joined(tag: string | undefined, result: ChatResult): ChatResult {
    const joined = { ...result, attempts: 0, isCached: true };
    this.#totals.add(tag ?? '', joined);
    return joined;
  }

  #adapt(problem: CallProblem): boolean {
    if (!adapt(this.#adaptations, problem)) return false;
    this.#notes.adapted(problem);
    return true;
  }

  #retrying(call: Pick<RetryOptions, 'adapt' | 'countPrompt' | 'signal'>): RetryOptions {
    return {
      clock: this.#clock,
      random: this.#random,
      limits: this.#retryLimits,
      signal: call.signal,
      adapt: call.adapt,
      onRetry: this.#notes.retried,
      costOf: this.#costOf,
      countPrompt: call.countPrompt,
    };
  }
}
