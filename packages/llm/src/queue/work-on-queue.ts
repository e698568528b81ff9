/**
 * Answering the requests of a queue, with any number of processes at once.
 *
 * Delivery is at least once: a job whose process died, or stood still too long, is given out again.
 * So the client looks into the answer cache before it asks, and an answer is on disk there before
 * its job is done: what was kept is never paid again.
 */
import { LabError } from '@lab/core';
import type { Job, Queue, Worker } from 'bullmq';
import type { AnswerStore } from '../answer-cache.js';
import { createClient, type HttpClient } from '../client.js';
import type { ClientOptions } from '../client-options.js';
import { type Clock, systemClock } from '../clock.js';
import { LlmFailure } from '../llm-failure.js';
import { type RetryLimits, retryLimits } from '../retry.js';
import { connectRedis, keyPrefix, type RedisLink } from './connect-redis.js';
import type { RedisEvent } from './redis-event.js';
import { type QueuedAnswer, type QueuedRequest, queueName, toQueued } from './queue-job.js';

/** Settings of {@link workOnQueue}. */
export interface WorkOptions {
  /** Of a Redis, e.g. `redis://localhost:6379`. */
  readonly url: string;
  /** The server, as for a client without a queue: its name (or alias) and model name the queue. */
  readonly client: ClientOptions & {
    /** Best shared by all processes: what one of them kept, no other pays again. */
    readonly cache: AnswerStore & { refresh?(): void };
  };
  /** Ends the work: no further job is taken, and those in flight are finished. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds that jobs in flight get then; default 30 s. */
  readonly graceMs?: number | undefined;
  /**
   * Milliseconds without a sign of life after which others take the jobs of a process; default
   * 30 s. The same for all processes.
   */
  readonly takeoverMs?: number | undefined;
  readonly onJob?: ((summary: WorkSummary) => void) | undefined;
  /** Called when Redis goes away, and when it is back: the work waits for it. */
  readonly onRedis?: ((event: RedisEvent) => void) | undefined;
  readonly clock?: Clock | undefined;
}

/** What a worker did. */
export interface WorkSummary {
  /** Requests with an answer. */
  readonly answered: number;
  /** Of these, those that the cache had. */
  readonly cached: number;
  /** Requests without an answer. */
  readonly failed: number;
  /** Times that a server asked to wait, and all workers did. */
  readonly rateLimited: number;
}

/** A job may outlive any number of its processes. */
const maxTakeovers = 1_000_000;
const firstPauseMs = 2000;
const longestPauseMs = 60_000;

/**
 * Answers requests of a queue until the signal ends it; see {@link createQueueClient}.
 *
 * @throws {ConfigError} where bullmq or ioredis is not installed, and where no Redis answers.
 * @throws {LlmFailure} when the server refuses all further work: others take over what was begun.
 * @throws {DataError} when an answer cannot be kept.
 */
export async function workOnQueue(options: WorkOptions): Promise<WorkSummary> {
  const retries: RetryLimits = { ...options.client.retries, maxRateLimitedMs: 0 };
  const link = await connectRedis(options.url, options.onRedis);
  const client = createClient({ ...options.client, retries });
  try {
    return await new QueueWork(options, client, link).run();
  } finally {
    await client.close();
    link.disconnect();
  }
}

type ChatJob = Job<QueuedRequest, QueuedAnswer>;

class QueueWork {
  readonly #options: WorkOptions;
  readonly #client: HttpClient;
  readonly #clock: Clock;
  readonly #queue: Queue<QueuedRequest, QueuedAnswer>;
  readonly #worker: Worker<QueuedRequest, QueuedAnswer>;
  readonly #backToQueue: () => Error;
  /** Ends calls in flight. */
  readonly #abort = new AbortController();
  readonly #summary = { answered: 0, cached: 0, failed: 0, rateLimited: 0 };
  #problem: { readonly cause: unknown } | null = null;
  #pauses = 0;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  #wake: () => void = () => undefined;

  constructor(options: WorkOptions, client: HttpClient, { bullmq, open }: RedisLink) {
    this.#options = options;
    this.#client = client;
    this.#clock = options.clock ?? systemClock;
    const { takeoverMs = 30_000 } = options;
    const name = queueName(client);
    this.#queue = new bullmq.Queue(name, { connection: open(), prefix: keyPrefix });
    this.#worker = new bullmq.Worker(name, (job: ChatJob) => this.#answer(job), {
      connection: open(),
      prefix: keyPrefix,
      autorun: false,
      concurrency: client.concurrency,
      lockDuration: takeoverMs,
      stalledInterval: takeoverMs,
      maxStalledCount: maxTakeovers,
      drainDelay: 1,
    });
    // Lost connections come back by themselves, and lost jobs are given to others.
    this.#queue.on('error', () => undefined);
    this.#worker.on('error', () => undefined);
    this.#backToQueue = () => bullmq.Worker.RateLimitError();
  }

  async run(): Promise<WorkSummary> {
    const { signal, graceMs = 30_000 } = this.#options;
    const stopped = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    const onAbort = (): void => this.#wake();
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    this.#worker.run().catch((error: unknown) => this.#end(error));
    await stopped;
    signal?.removeEventListener('abort', onAbort);
    const done = new AbortController();
    this.#clock.sleep(graceMs, done.signal).then(
      () => this.#abort.abort(),
      () => undefined,
    );
    await this.#worker.close();
    done.abort();
    await this.#queue.close();
    if (this.#problem !== null) throw this.#problem.cause;
    return { ...this.#summary };
  }

  /** Takes no further jobs. */
  #end(cause: unknown): void {
    this.#problem ??= { cause };
    this.#wake();
  }

  async #answer(job: ChatJob): Promise<QueuedAnswer> {
    const { request } = job.data;
    const hash = this.#client.hashOf(request);
    if (hash !== job.id) {
      throw new LabError(
        `job ${job.id} asks for ${hash}: another version of the program added it.`,
      );
    }
    // Another process had it before, and may have kept an answer.
    if (job.attemptsStarted > 1) this.#options.client.cache.refresh?.();
    const answer = await this.#ask(job);
    if (answer.failure !== undefined) this.#summary.failed += 1;
    else {
      this.#pauses = 0;
      this.#summary.answered += 1;
      if (answer.result.isCached) this.#summary.cached += 1;
    }
    // What the server bears is found out on the way.
    this.#worker.concurrency = Math.max(1, this.#client.concurrency);
    this.#options.onJob?.({ ...this.#summary });
    return answer;
  }

  async #ask(job: ChatJob): Promise<QueuedAnswer> {
    const { request } = job.data;
    try {
      return { result: await this.#client.chat({ ...request, signal: this.#abort.signal }) };
    } catch (error) {
      if (!(error instanceof LlmFailure) || error.endsRun) {
        this.#end(error);
        // No further job may come between: it would go the same way.
        void this.#worker.close();
        throw this.#backToQueue();
      }
      if (error.kind === 'aborted') throw this.#backToQueue();
      if (error.kind === 'rate-limit' && (await this.#pauseAll(job, error))) {
        throw this.#backToQueue();
      }
      return { failure: toQueued(error) };
    }
  }

  /** Lets all workers wait as the server asks; false where the request has waited too long. */
  async #pauseAll(job: ChatJob, { retryAfterMs }: LlmFailure): Promise<boolean> {
    const limits = retryLimits(this.#options.client.retries);
    const now = this.#clock.now();
    // Requests that were refused together pause together.
    if (now >= this.#pausedUntilMs) this.#pauses += 1;
    const backoffMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (this.#pauses - 1));
    const asked = Math.min(retryAfterMs ?? backoffMs, limits.maxRetryAfterMs);
    const waitMs = Math.max(1, Math.ceil(asked));
    const limitedMs = job.data.limitedMs + waitMs;
    if (limitedMs > limits.maxRateLimitedMs) return false;
    await job.updateData({ ...job.data, limitedMs });
    if (now + waitMs > this.#pausedUntilMs) {
      this.#pausedUntilMs = now + waitMs;
      this.#summary.rateLimited += 1;
      await this.#queue.rateLimit(waitMs);
    }
    return true;
  }
}
