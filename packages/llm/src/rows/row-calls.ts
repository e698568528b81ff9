/**
 * The calls of one row: its client counts what it asks, and stays within the budget.
 */
import type { z } from 'zod';
import type {
  ChatMessage,
  ChatRequest,
  ChatResult,
  Embeddings,
  JsonResult,
  Paid,
  TokenUsage,
  UnknownCost,
  Unreported,
} from '../chat.js';
import { embeddingBatches } from '../embeddings.js';
import type { LlmClient } from '../llm-client.js';
import { LlmFailure } from '../llm-failure.js';
import { requestDefaults } from '../request-hash.js';
import { UnparsedAnswer } from '../structured/ask-for-json.js';
import { noUsage, nothingPaid, sumOfPaid, sumOfUsage } from '../token-usage.js';
import { estimateOf, sumOfUnknown } from '../unreported.js';
import type { BudgetGuard, Spending } from './budget.js';
import { isSampleFailure } from './row-record.js';

/** What tokens cost; null where no price is known. */
export type CostOf = (usage: TokenUsage, model: string) => number | null;

/** What the calls of all rows share. */
export interface CallRules {
  readonly budget: BudgetGuard;
  readonly costOf: CostOf | undefined;
  /** Aborted when the run ends without waiting. */
  readonly signal: AbortSignal;
}

/** A token has at least two bytes in any text that is not made of rare symbols. */
const bytesPerToken = 2;
const tokensPerMessage = 8;

/** The calls of one row. */
export class RowCalls {
  /** Of what the row asked, in the order in which it began to ask. */
  readonly hashes: string[] = [];
  usage = noUsage;
  costUsd: number | null = 0;
  attempts = 0;
  cachedCalls = 0;
  firstTokenMs: number | null = null;
  servedModel: string | null = null;
  /** Of `usage` and `costUsd`, what no server counted. */
  estimated: Paid | null = null;
  /** What answers did cost that were of no use and were asked for again. */
  readonly lost: Paid[] = [];
  /** Of requests that may have been worked on and brought no answer. */
  unknown: UnknownCost | null = null;
  /** Of `usage`, what calls did cost that ended in a refusal or the like. */
  readonly inVain: Paid[] = [];
  readonly #rules: CallRules;

  constructor(rules: CallRules) {
    this.#rules = rules;
  }

  /** The client as the row's step sees it. */
  watch(client: LlmClient): LlmClient {
    return {
      model: client.model,
      capabilities: client.capabilities,
      chat: (request) => this.#chat(client, request),
      json: (request, schema) => this.#json(client, request, schema),
      embed: (texts, options) => this.#embed(client, texts, options),
      count: (messages) => client.count(messages),
      hashOf: (request) => client.hashOf(request),
      close: () => Promise.resolve(), // the run's owner closes it
    };
  }

  async #chat(client: LlmClient, request: ChatRequest): Promise<ChatResult> {
    const place = this.hashes.push('') - 1;
    try {
      const result = await this.#ask(client, request);
      // Known already: making it takes longer than all else here.
      this.hashes[place] = result.requestHash;
      return result;
    } catch (error) {
      this.hashes[place] = client.hashOf(request);
      throw error;
    }
  }

  /** An answer as data may take several calls, of which each is counted by itself. */
  async #json<T>(
    client: LlmClient,
    request: ChatRequest,
    schema: z.ZodType<T>,
  ): Promise<JsonResult<T>> {
    // What is sent hangs on what the server can do, so the hash is of what was asked.
    this.hashes.push(client.hashOf(request));
    const signal = request.signal ?? this.#rules.signal;
    let isCounted = false;
    const ask = (one: ChatRequest): Promise<ChatResult> => {
      isCounted = true;
      return this.#ask(client, one);
    };
    try {
      const result = await client.json({ ...request, signal }, schema, { ask });
      if (!isCounted) this.#takeUnasked(client, result);
      return result;
    } catch (error) {
      if (!isCounted && error instanceof UnparsedAnswer) this.#takeUnasked(client, error.result);
      throw error;
    }
  }

  async #ask(client: LlmClient, request: ChatRequest): Promise<ChatResult> {
    const { budget } = this.#rules;
    const signal = request.signal ?? this.#rules.signal;
    const most = budget.isLimited ? this.#mostOf(client, request) : oneCall;
    if (budget.isLimited) await budget.reserve(most);
    try {
      // Spreading first what comes in would take longer than the rest of this.
      const result = await client.chat(Object.assign({}, request, { signal }));
      this.#take(client, result);
      if (budget.isLimited) budget.settle(most, this.#spentOn(client, result));
      return result;
    } catch (error) {
      const spent = this.#takeFailed(client, error);
      if (budget.isLimited) budget.settle(most, spent);
      throw error;
    }
  }

  async #embed(
    client: LlmClient,
    texts: readonly string[],
    options: Parameters<LlmClient['embed']>[1] = {},
  ): Promise<Embeddings> {
    const { budget } = this.#rules;
    const calls = embeddingBatches(texts).length;
    const tokens = texts.reduce((sum, text) => sum + tokensAtMost(text), 0);
    const most = budget.isLimited ? { ...this.#most(client, tokens, 0), calls } : oneCall;
    if (budget.isLimited) await budget.reserve(most);
    let spent = none;
    try {
      const made = await client.embed(texts, { signal: options.signal ?? this.#rules.signal });
      this.#add(client, made.usage, null);
      // Without tokens all vectors were there already.
      if (made.usage.prompt > 0) spent = this.#spent(client, made.usage, calls);
      return made;
    } catch (error) {
      spent = this.#takeFailed(client, error);
      throw error;
    } finally {
      if (budget.isLimited) budget.settle(most, spent);
    }
  }

  /** Takes the answer of a client that told nothing of its calls. */
  #takeUnasked(client: LlmClient, result: ChatResult): void {
    this.#take(client, result);
    const { budget } = this.#rules;
    if (!budget.isLimited) return;
    // As far as can be told.
    const calls = Math.max(1, result.attempts);
    budget.settle(none, result.isCached ? none : this.#spent(client, result.usage, calls));
  }

  /** Takes what a call did cost that brought nothing; what of it counts towards budgets. */
  #takeFailed(client: LlmClient, error: unknown): Spending {
    if (!(error instanceof LlmFailure)) return none;
    const { attempts, kind, paid, unreported = {} } = error;
    this.attempts += attempts;
    for (const part of [paid, unreported.estimated]) {
      if (part === undefined) continue;
      const priced = { usage: part.usage, costUsd: this.#priceOf(client, part) };
      if (isSampleFailure(kind)) {
        this.#add(client, part.usage, part.costUsd);
        this.inVain.push(priced);
      } else this.lost.push(priced);
    }
    this.#takeUnknown(client, unreported.unknown);
    return attempts === 0 ? none : this.#spent(client, wastedUsage(paid, unreported), 1);
  }

  #takeLost(client: LlmClient, paid: Paid): void {
    this.lost.push({ usage: paid.usage, costUsd: this.#priceOf(client, paid) });
  }

  #takeUnknown(client: LlmClient, unknown: UnknownCost | undefined): void {
    if (unknown === undefined) return;
    const usage = estimateOf(unknown.promptTokens, 0);
    const costUsd = this.#priceOf(client, { usage, costUsd: unknown.costUsd });
    this.unknown = sumOfUnknown(this.unknown, { ...unknown, costUsd });
  }

  #take(client: LlmClient, result: ChatResult): void {
    this.attempts += result.attempts;
    if (result.isCached) this.cachedCalls += 1;
    this.firstTokenMs ??= result.firstTokenMs;
    this.servedModel = result.servedModel;
    this.#add(client, result.usage, result.costUsd);
    if (result.isCached) return;
    const { lost, unreported } = result;
    if (lost !== undefined) this.#takeLost(client, lost);
    if (unreported === undefined) return;
    if (unreported.estimated !== undefined) this.#takeLost(client, unreported.estimated);
    this.#takeUnknown(client, unreported.unknown);
  }

  #add(client: LlmClient, usage: TokenUsage, costUsd: number | null): void {
    this.usage = sumOfUsage(this.usage, usage);
    const cost = this.#priceOf(client, { usage, costUsd });
    this.costUsd = this.costUsd === null || cost === null ? null : this.costUsd + cost;
    if (!usage.isEstimated) return;
    this.estimated = sumOfPaid(this.estimated ?? nothingPaid, { usage, costUsd: cost });
  }

  #priceOf(client: LlmClient, { usage, costUsd }: Paid): number | null {
    return this.#rules.costOf === undefined ? costUsd : this.#costOf(client, usage);
  }

  #costOf(client: LlmClient, usage: TokenUsage): number | null {
    return this.#rules.costOf?.(usage, client.model) ?? null;
  }

  /** A call counts once, however often it had to be sent. */
  #spentOn(client: LlmClient, { isCached, usage, lost, unreported }: ChatResult): Spending {
    if (isCached) return none;
    const isWhole = lost === undefined && unreported === undefined;
    const all = isWhole ? usage : sumOfUsage(usage, wastedUsage(lost, unreported));
    return this.#spent(client, all, 1);
  }

  #spent(client: LlmClient, usage: TokenUsage, calls: number): Spending {
    const usd = this.#costOf(client, usage) ?? 0;
    return { calls, tokens: usage.prompt + usage.completion, usd };
  }

  #mostOf(client: LlmClient, request: ChatRequest): Spending {
    const prompt = request.messages.reduce(addMessage, 0);
    return this.#most(client, prompt, request.maxTokens ?? requestDefaults.maxTokens);
  }

  #most(client: LlmClient, prompt: number, completion: number): Spending {
    const usd = this.#costOf(client, { ...noUsage, prompt, completion }) ?? 0;
    return { calls: 1, tokens: prompt + completion, usd };
  }
}

/** Tokens that were spent in vain; of requests without an answer those of their prompts. */
function wastedUsage(paid: Paid | undefined, unreported: Unreported = {}): TokenUsage {
  const { estimated, unknown } = unreported;
  const counted = sumOfUsage(paid?.usage ?? noUsage, estimated?.usage ?? noUsage);
  return unknown === undefined ? counted : sumOfUsage(counted, estimateOf(unknown.promptTokens, 0));
}

const none: Spending = { calls: 0, tokens: 0, usd: 0 };
const oneCall: Spending = { calls: 1, tokens: 0, usd: 0 };

function addMessage(sum: number, { content }: ChatMessage): number {
  return sum + tokensPerMessage + tokensAtMost(content);
}

function tokensAtMost(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / bytesPerToken);
}
