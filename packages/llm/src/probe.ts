/**
 * Finds out what a server can do, by a handful of small requests.
 */
import { createRandom, silentLogger } from '@lab/core';
import { z } from 'zod';
import type { Capabilities } from './capabilities.js';
import type { ChatRequest, ChatResult, StructuredLevel } from './chat.js';
import { createClient, type HttpClient } from './client.js';
import type { ClientOptions } from './client-options.js';
import { systemClock } from './clock.js';
import { type ListedModel, listModels } from './list-models.js';
import { LlmFailure } from './llm-failure.js';
import { retryLimits, withRetries } from './retry.js';
import { Servers } from './servers.js';
import { withSchema } from './structured/with-schema.js';
import { probeWindow, type WindowReading } from './window-probe.js';

/** What is probed. */
export type ProbeName =
  | 'embeddings'
  | 'JSON schema'
  | 'logprobs'
  | 'long prompt'
  | 'plain'
  | 'tokenize';

/** One finding. */
export interface ProbeFinding {
  readonly probe: ProbeName;
  readonly state: 'no' | 'partly' | 'yes';
  /** In words. */
  readonly note: string;
  readonly milliseconds: number;
}

/** What {@link probeServer} found. */
export interface ProbeReport {
  readonly servedModel: string;
  readonly capabilities: Capabilities;
  readonly findings: readonly ProbeFinding[];
}

/** How to probe. */
export interface ProbeOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told before each probe. */
  readonly onProbe?: ((name: ProbeName) => void) | undefined;
  /** Tokens of the long prompt; default 6,000, or nine tenths of the window if that is less. */
  readonly longTokens?: number | undefined;
}

/** More than the 4,096 to which some servers cut prompts silently. */
const LONG_TOKENS = 6000;

/** A failed probe is a finding: what does not pass soon is not waited for. */
const RETRIES = { maxAttempts: 2, maxTimeouts: 1, maxEmpty: 1, maxRateLimitedMs: 60_000 };

/**
 * Probes a server: plain text, JSON of a schema, log probabilities, a long prompt, its tokenizer
 * and embeddings.
 *
 * @throws {LlmFailure} when it gives no plain answer.
 */
export async function probeServer(
  options: ClientOptions,
  probing: ProbeOptions = {},
): Promise<ProbeReport> {
  const probes = new Probes(options, probing);
  const plain = await probes.plain();
  const structured = await probes.structured();
  const topLogprobs = await probes.logprobs();
  const contextTokens = await probes.window();
  await probes.longPrompt(contextTokens);
  const tokenize = await probes.tokenize();
  const embeddingWidth = await probes.embeddings();
  return {
    servedModel: plain.servedModel,
    capabilities: { structured, topLogprobs, contextTokens, tokenize, embeddingWidth },
    findings: probes.findings,
  };
}

const answerSchema = z.object({ amount: z.number().int() });

class Probes {
  readonly findings: ProbeFinding[] = [];
  readonly #options: ClientOptions;
  readonly #probing: ProbeOptions;
  #since = 0;

  constructor(options: ClientOptions, probing: ProbeOptions) {
    this.#options = { ...options, cache: undefined, retries: RETRIES };
    this.#probing = probing;
  }

  async plain(): Promise<ChatResult> {
    this.#begin('plain');
    const result = await this.#with((client) => client.chat(this.#ask('Say: ready', 64)));
    const words = JSON.stringify(result.text.slice(0, 30));
    const thought = result.reasoning === null ? '' : ', after reasoning';
    const usage = result.usage.isEstimated ? ', without usage' : '';
    this.#found('plain', usage === '' ? 'yes' : 'partly', `${words}${thought}${usage}`);
    return result;
  }

  async structured(): Promise<StructuredLevel> {
    this.#begin('JSON schema');
    const words: Readonly<Record<StructuredLevel, readonly [ProbeFinding['state'], string]>> = {
      'json-schema': ['yes', 'response_format json_schema'],
      'server-field': ['yes', 'field of the server'],
      'json-object': ['partly', 'JSON mode, the schema goes into the prompt'],
      prompt: ['no', 'the schema goes into the prompt'],
    };
    // Asked so that only a server that enforces the form answers in it.
    const request = this.#ask('Tell me in one sentence how many legs a spider has.', 256);
    let level: StructuredLevel = 'prompt';
    for (const tried of ['json-schema', 'server-field', 'json-object'] as const) {
      if (!(await this.#fits(withSchema(request, answerSchema, tried), tried))) continue;
      level = tried;
      break;
    }
    const [state, note] = words[level];
    this.#found('JSON schema', state, note);
    return level;
  }

  async logprobs(): Promise<number> {
    this.#begin('logprobs');
    for (const asked of [20, 5]) {
      const request = { ...this.#ask('Say: ready', 16), topLogprobs: asked };
      const result = await this.#try((client) => client.chat(request));
      const listed = Math.max(0, ...(result?.logprobs ?? []).map(({ top }) => top.length));
      if (listed === 0) continue;
      const state = listed < 20 ? 'partly' : 'yes';
      this.#found('logprobs', state, `${listed} alternatives per token`);
      return listed;
    }
    this.#found('logprobs', 'no', 'none given');
    return 0;
  }

  /** The window that the server states. */
  async window(): Promise<number | null> {
    const models = await modelsOf(this.#options, this.#probing.signal).catch(ignoreFailure);
    const own = models?.find(({ id }) => id === this.#options.model) ?? null;
    return own?.contextTokens ?? null;
  }

  async longPrompt(contextTokens: number | null): Promise<void> {
    this.#begin('long prompt');
    const most = Math.floor(0.9 * (contextTokens ?? Number.POSITIVE_INFINITY));
    const tokens = this.#probing.longTokens ?? Math.min(LONG_TOKENS, most);
    const size = `${tokens.toLocaleString('en-US')} tokens`;
    try {
      const { signal } = this.#probing;
      const reading = await this.#with((client) => probeWindow(client, tokens, signal));
      const [state, note] = readings[reading];
      this.#found('long prompt', state, `${size} ${note}`);
    } catch (error) {
      this.#found('long prompt', 'no', `${size}: ${kindInWords(error)}`);
    }
  }

  async tokenize(): Promise<Capabilities['tokenize']> {
    this.#begin('tokenize');
    const { messages } = this.#ask('ready', 1);
    for (const form of ['vllm', 'llama-cpp'] as const) {
      const capabilities = { ...this.#options.capabilities, tokenize: form };
      const count = await this.#try((client) => client.count(messages), { capabilities });
      if (count === null) continue;
      const how = form === 'vllm' ? 'whole conversations' : 'texts, without the chat format';
      this.#found('tokenize', form === 'vllm' ? 'yes' : 'partly', how);
      return form;
    }
    this.#found('tokenize', 'no', 'tokens are estimated');
    return 'none';
  }

  async embeddings(): Promise<number> {
    this.#begin('embeddings');
    const { signal } = this.#probing;
    const made = await this.#try((client) =>
      client.embed(['ready'], signal === undefined ? {} : { signal }),
    );
    if (made === null) this.#found('embeddings', 'no', 'none given');
    else this.#found('embeddings', 'yes', `${made.width.toLocaleString('en-US')} numbers`);
    return made?.width ?? 0;
  }

  #ask(content: string, maxTokens: number): ChatRequest {
    const messages = [{ role: 'user', content }] as const;
    return { messages, maxTokens, signal: this.#probing.signal };
  }

  async #fits(request: ChatRequest, level: StructuredLevel): Promise<boolean> {
    const result = await this.#try((client) => client.chat(request));
    if (result === null) return false;
    const data = jsonOf(result.text);
    // JSON mode promises JSON only; the prompt has the schema then.
    return level === 'json-object' ? isObject(data) : answerSchema.safeParse(data).success;
  }

  /** What fails is a finding, unless nothing more can be found. */
  async #try<T>(
    ask: (client: HttpClient) => Promise<T>,
    more: Partial<ClientOptions> = {},
  ): Promise<T | null> {
    return this.#with(ask, more).catch(ignoreFailure);
  }

  /** A client of its own for each question, as clients learn from what is refused. */
  async #with<T>(
    ask: (client: HttpClient) => Promise<T>,
    more: Partial<ClientOptions> = {},
  ): Promise<T> {
    const client = createClient({ ...this.#options, ...more });
    try {
      return await ask(client);
    } finally {
      await client.close();
    }
  }

  #begin(probe: ProbeName): void {
    this.#probing.onProbe?.(probe);
    this.#since = this.#now();
  }

  #found(probe: ProbeName, state: ProbeFinding['state'], note: string): void {
    const milliseconds = Math.round(this.#now() - this.#since);
    this.findings.push({ probe, state, note, milliseconds });
  }

  #now(): number {
    return (this.#options.clock ?? systemClock).now();
  }
}

function ignoreFailure(error: unknown): null {
  if (error instanceof LlmFailure && error.kind !== 'aborted') return null;
  throw error;
}

const readings: Readonly<Record<WindowReading, readonly [ProbeFinding['state'], string]>> = {
  read: ['yes', 'read'],
  'not-repeated': ['partly', 'read, its beginning was not repeated'],
  unknown: ['no', 'sent, its beginning was not repeated'],
};

function kindInWords(error: unknown): string {
  if (!(error instanceof LlmFailure) || error.kind === 'aborted') throw error;
  if (error.kind === 'truncated') return 'cut without saying so';
  return error.kind === 'context-length' ? 'refused as too long' : error.kind;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // no JSON: the form was not enforced
  }
}

const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The models that a server lists.
 *
 * @throws {LlmFailure} where it lists none.
 */
export async function modelsOf(
  options: ClientOptions,
  signal?: AbortSignal,
): Promise<readonly ListedModel[]> {
  const clock = options.clock ?? systemClock;
  const servers = new Servers(options, clock, options.logger ?? silentLogger);
  try {
    const { call, read } = listModels(signal);
    const { value } = await withRetries((sent) => servers.send(call, sent, read), {
      ...{ clock, signal, limits: retryLimits(RETRIES) },
      random: options.random ?? createRandom('llm/probe'),
    });
    return value;
  } finally {
    await servers.close();
  }
}
