/**
 * A client whose requests are answered by other processes, through a queue in Redis.
 */
import { ConfigError } from '@lab/core';
import type { z } from 'zod';
import type { AnswerStore } from '../answer-cache.js';
import type { EndSignal } from '../call-signal.js';
import { type Capabilities, presumedCapabilities } from '../capabilities.js';
import type {
  ChatMessage,
  ChatRequest,
  ChatResult,
  Embeddings,
  JsonResult,
  StructuredLevel,
  TokenCount,
} from '../chat.js';
import { checkRequest } from '../check-request.js';
import type { Prices } from '../client-options.js';
import { type Clock, systemClock } from '../clock.js';
import type { JsonCallOptions, LlmClient } from '../llm-client.js';
import { throwJoined } from '../llm-failure.js';
import { createSingleFlight } from '../single-flight.js';
import { fromStored, toStored } from '../stored-answer.js';
import { JsonAsker } from '../structured/lower-level.js';
import { connectRedis, keyPrefix, type RedisLink } from './connect-redis.js';
import type { RedisEvent } from './redis-event.js';
import { fromQueued, type QueuedAnswer, type QueuedRequest, queueName } from './queue-job.js';
import type { QueueRate } from './queue-rate.js';
import { WaitingJobs } from './waiting-jobs.js';

/** A client of a queue. */
export interface QueueClient extends LlmClient {
  /** How servers are told the form of JSON now. */
  readonly structuredLevel: StructuredLevel;
}

/** Settings of {@link createQueueClient}. */
export interface QueueClientOptions {
  /** Of a Redis, e.g. `redis://localhost:6379`. */
  readonly url: string;
  /** Names requests and models, and knows what servers can do; it is asked nothing. */
  readonly client: LlmClient;
  /** Answers that are here are not asked for, and all that come are kept here. */
  readonly cache: AnswerStore;
  readonly prices?: Prices | undefined;
  /** Requests that all workers together begin at most; default as many as they can. */
  readonly rate?: QueueRate | undefined;
  /** Takes back, once aborted, what no worker has begun; what is begun is waited for. */
  readonly signal?: AbortSignal | undefined;
  /** Called when requests wait and no process works on the queue. */
  readonly onNobody?: (() => void) | undefined;
  /** Called when Redis goes away, and when it is back: requests wait for it. */
  readonly onRedis?: ((event: RedisEvent) => void) | undefined;
  /** Milliseconds between two looks at what Redis may have missed to tell; default 5000. */
  readonly lookMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** More than any server takes; without a limit, BullMQ would heed no pause of all workers. */
const unlimited: QueueRate = { requests: 1_000_000_000, milliseconds: 1000 };
const closingMs = 3000;

/**
 * A client that puts its requests into a queue and gives the answers of whoever works on it, see
 * {@link workOnQueue}. The id of a job is the hash of its request, so that equal requests of any
 * number of processes are one job. It must be closed.
 *
 * @throws {ConfigError} where bullmq or ioredis is not installed, and where no Redis answers.
 */
export async function createQueueClient(options: QueueClientOptions): Promise<QueueClient> {
  const link = await connectRedis(options.url, options.onRedis);
  const { bullmq } = link;
  const name = queueName(options.client);
  const queue = new bullmq.Queue<QueuedRequest, QueuedAnswer>(name, {
    connection: link.open(),
    prefix: keyPrefix,
  });
  const events = new bullmq.QueueEvents(name, { connection: link.open(), prefix: keyPrefix });
  // Lost connections come back by themselves.
  queue.on('error', () => undefined);
  events.on('error', () => undefined);
  await events.waitUntilReady();
  const { requests, milliseconds } = options.rate ?? unlimited;
  await queue.setGlobalRateLimit(requests, milliseconds);
  const { clock = systemClock, lookMs = 5000, onNobody } = options;
  const jobs = new WaitingJobs({ queue, events, clock, lookMs, onNobody });
  const close = async () => {
    // Where Redis is away, what it should forget stays there until the next run.
    const closing = [jobs.close(), events.close(), queue.close()];
    await Promise.race([Promise.allSettled(closing), clock.sleep(closingMs)]);
  };
  return new Client(options, { link, jobs, close });
}

interface Parts {
  readonly link: RedisLink;
  readonly jobs: WaitingJobs;
  readonly close: () => Promise<void>;
}

class Client implements QueueClient {
  readonly model: string;
  readonly capabilities: Capabilities;
  readonly #options: QueueClientOptions;
  readonly #parts: Parts;
  readonly #flights = createSingleFlight<ChatResult>();
  readonly #takeBack: () => void;
  readonly #asker: JsonAsker;

  constructor(options: QueueClientOptions, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
    this.model = options.client.model;
    this.capabilities = options.client.capabilities ?? presumedCapabilities;
    this.#asker = new JsonAsker(this.capabilities.structured);
    this.#takeBack = () => parts.jobs.takeBack();
    options.signal?.addEventListener('abort', this.#takeBack, { once: true });
  }

  get structuredLevel(): StructuredLevel {
    return this.#asker.level;
  }

  hashOf(request: ChatRequest): string {
    return this.#options.client.hashOf(request);
  }

  count(messages: readonly ChatMessage[]): Promise<TokenCount> {
    return this.#options.client.count(messages);
  }

  async chat(request: ChatRequest): Promise<ChatResult> {
    checkRequest(request);
    const hash = this.hashOf(request);
    return this.#flights.share(hash, {
      signal: request.signal,
      run: (signal) => this.#chat(request, hash, signal),
      onJoin: (result) => ({ ...result, attempts: 0, isCached: true }),
      onJoinFailed: throwJoined,
    });
  }

  json<T>(
    request: ChatRequest,
    schema: z.ZodType<T>,
    { ask = (one) => this.chat(one) }: JsonCallOptions = {},
  ): Promise<JsonResult<T>> {
    return this.#asker.ask(ask, request, schema);
  }

  embed(): Promise<Embeddings> {
    const error = new ConfigError('llm/queue: embeddings do not go through a queue.', {
      help: 'use a client of the server.',
    });
    return Promise.reject(error);
  }

  async close(): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#takeBack);
    await this.#parts.close();
    this.#parts.link.disconnect();
  }

  async #chat(
    { signal: _, ...request }: ChatRequest,
    hash: string,
    signal: EndSignal | undefined,
  ): Promise<ChatResult> {
    const { cache } = this.#options;
    const stored = cache.has(hash) ? await cache.get(hash) : undefined;
    if (stored !== undefined) return this.#priced(fromStored(stored, []));
    const { jobs } = this.#parts;
    const { result, failure } = await jobs.ask(hash, { request, limitedMs: 0 }, signal);
    // Only what is safe here may go there.
    if (result !== undefined && !cache.has(hash)) await cache.put(toStored(result));
    jobs.forget(hash);
    if (failure !== undefined) throw fromQueued(failure);
    return this.#priced(result);
  }

  #priced(result: ChatResult): ChatResult {
    const costUsd = this.#options.prices?.costUsd(this.model, result.usage) ?? null;
    return { ...result, costUsd };
  }
}
