/**
 * The calls of one row: its client counts what it asks, and stays within the budget.
 */
import type { ChatMessage, ChatRequest, ChatResult, Embeddings, TokenUsage } from '../chat.js';
import type { LlmClient } from '../llm-client.js';
import type { BudgetGuard, Spending } from './budget.js';

/** What tokens cost; null where no price is known. */
export type CostOf = (usage: TokenUsage, model: string) => number | null;

/** What the calls of all rows share. */
export interface CallRules {
  readonly budget: BudgetGuard;
  readonly costOf: CostOf | undefined;
  /** Aborted when the run ends without waiting. */
  readonly signal: AbortSignal;
}

const noUsage: TokenUsage = {
  prompt: 0,
  completion: 0,
  cached: 0,
  reasoning: 0,
  isEstimated: false,
};

const defaultMaxTokens = 1024;
/** A token has at least two bytes in any text that is not made of rare symbols. */
const bytesPerToken = 2;
const tokensPerMessage = 8;

/** The calls of one row. */
export class RowCalls {
  readonly hashes: string[] = [];
  usage = noUsage;
  costUsd: number | null = 0;
  attempts = 0;
  cachedCalls = 0;
  firstTokenMs: number | null = null;
  servedModel: string | null = null;
  readonly #rules: CallRules;

  constructor(rules: CallRules) {
    this.#rules = rules;
  }

  /** The client as the row's step sees it. */
  watch(client: LlmClient): LlmClient {
    return {
      model: client.model,
      chat: (request) => this.#ask(client, request, (own) => client.chat(own)),
      // What is sent hangs on what the server can do, so the hash is of what was asked.
      json: (request, schema) =>
        this.#ask(client, request, (own) => client.json(own, schema), true),
      embed: (texts, options) => this.#embed(client, texts, options),
      count: (messages) => client.count(messages),
      hashOf: (request) => client.hashOf(request),
      close: () => Promise.resolve(), // the run's owner closes it
    };
  }

  async #ask<R extends ChatResult>(
    client: LlmClient,
    request: ChatRequest,
    send: (request: ChatRequest) => Promise<R>,
    isJson = false,
  ): Promise<R> {
    const { budget } = this.#rules;
    const signal = request.signal ?? this.#rules.signal;
    const most = budget.isLimited ? this.#mostOf(client, request) : oneCall;
    if (budget.isLimited) await budget.reserve(most);
    try {
      const result = await send({ ...request, signal });
      this.hashes.push(isJson ? client.hashOf(request) : result.requestHash);
      this.#take(client, result);
      const { isCached, attempts, usage } = result;
      const spent = isCached ? none : this.#spent(client, usage, Math.max(1, attempts));
      if (budget.isLimited) budget.settle(most, spent);
      return result;
    } catch (error) {
      const attempts = attemptsOf(error);
      this.attempts += attempts;
      this.hashes.push(client.hashOf(request));
      if (budget.isLimited) budget.settle(most, { calls: attempts, tokens: 0, usd: 0 });
      throw error;
    }
  }

  async #embed(
    client: LlmClient,
    texts: readonly string[],
    options: Parameters<LlmClient['embed']>[1] = {},
  ): Promise<Embeddings> {
    const { budget } = this.#rules;
    const tokens = texts.reduce((sum, text) => sum + tokensAtMost(text), 0);
    const most = budget.isLimited ? this.#most(client, tokens, 0) : oneCall;
    if (budget.isLimited) await budget.reserve(most);
    let spent = none;
    try {
      const made = await client.embed(texts, { signal: options.signal ?? this.#rules.signal });
      this.#add(client, made.usage, null);
      spent = this.#spent(client, made.usage, 1);
      return made;
    } finally {
      if (budget.isLimited) budget.settle(most, spent);
    }
  }

  #take(client: LlmClient, result: ChatResult): void {
    this.attempts += result.attempts;
    if (result.isCached) this.cachedCalls += 1;
    this.firstTokenMs ??= result.firstTokenMs;
    this.servedModel = result.servedModel;
    this.#add(client, result.usage, result.costUsd);
  }

  #add(client: LlmClient, usage: TokenUsage, costUsd: number | null): void {
    const sum = this.usage;
    this.usage = {
      prompt: sum.prompt + usage.prompt,
      completion: sum.completion + usage.completion,
      cached: sum.cached + usage.cached,
      reasoning: sum.reasoning + usage.reasoning,
      isEstimated: sum.isEstimated || usage.isEstimated,
    };
    const cost = this.#rules.costOf === undefined ? costUsd : this.#costOf(client, usage);
    this.costUsd = this.costUsd === null || cost === null ? null : this.costUsd + cost;
  }

  #costOf(client: LlmClient, usage: TokenUsage): number | null {
    return this.#rules.costOf?.(usage, client.model) ?? null;
  }

  #spent(client: LlmClient, usage: TokenUsage, calls: number): Spending {
    const usd = this.#costOf(client, usage) ?? 0;
    return { calls, tokens: usage.prompt + usage.completion, usd };
  }

  #mostOf(client: LlmClient, request: ChatRequest): Spending {
    const prompt = request.messages.reduce(addMessage, 0);
    return this.#most(client, prompt, request.maxTokens ?? defaultMaxTokens);
  }

  #most(client: LlmClient, prompt: number, completion: number): Spending {
    const usd = this.#costOf(client, { ...noUsage, prompt, completion }) ?? 0;
    return { calls: 1, tokens: prompt + completion, usd };
  }
}

const none: Spending = { calls: 0, tokens: 0, usd: 0 };
const oneCall: Spending = { calls: 1, tokens: 0, usd: 0 };

function addMessage(sum: number, { content }: ChatMessage): number {
  return sum + tokensPerMessage + tokensAtMost(content);
}

function tokensAtMost(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / bytesPerToken);
}

function attemptsOf(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('attempts' in error)) return 0;
  return typeof error.attempts === 'number' ? error.attempts : 0;
}
