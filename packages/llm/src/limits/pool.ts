/**
 * The places for requests to one server: how many at once, how many a minute, and when none.
 */
import { type EndSignal, offAbort, onAbort } from '../call-signal.js';
import type { Clock } from '../clock.js';
import { LlmFailure } from '../llm-failure.js';
import { abortedFailure } from '../retry.js';
import { type BreakerOptions, createCircuitBreaker } from './circuit-breaker.js';
import {
  type ConcurrencyLimit,
  type ConcurrencyOptions,
  createConcurrencyLimit,
} from './concurrency-limit.js';
import { createFairQueue } from './fair-queue.js';
import { createTokenBucket, type TokenBucket } from './token-bucket.js';

/** Limits of one server. */
export interface PoolOptions {
  readonly clock: Clock;
  readonly concurrency?: Omit<ConcurrencyOptions, 'clock'> | undefined;
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
  readonly breaker?: Omit<BreakerOptions, 'clock'> | undefined;
  /** The breaker paused all, for so many milliseconds and after this failure. */
  readonly onBreak?: ((pauseMs: number, why: string) => void) | undefined;
}

/** What a request asks a place for. */
export interface PlaceRequest {
  /** Whose turn it is; each name gets its own. */
  readonly name: string;
  /** Of prompt and answer together, at most. */
  readonly tokens: number;
  /** Whether it was sent before: it then goes before those that were not. */
  readonly isRepeat: boolean;
  readonly signal?: EndSignal | undefined;
}

/** How a request ended, as far as it matters for the limits. */
export type PlaceOutcome =
  | { readonly kind: 'neutral' }
  | { readonly kind: 'rate-limit'; readonly retryAfterMs: number | null }
  | { readonly kind: 'success'; readonly isClean: boolean; readonly tokens: number }
  | { readonly kind: 'trouble'; readonly why?: string };

/** Places of one server. */
export interface Pool {
  /** A place, at once or by and by. @throws {LlmFailure} when aborted or when all has ended. */
  enter(request: PlaceRequest): Promise<void> | undefined;
  /** Gives the place back before it is known how the request ended; `leave` must still be said. */
  vacate(request: PlaceRequest): void;
  /** Gives the place back, and says how the request ended. */
  leave(request: PlaceRequest, outcome: PlaceOutcome): void;
  /** Limits that the server states in its headers; those of the user come first. */
  onHints(hints: { readonly requests: number | null; readonly tokens: number | null }): void;
  /** Resolves once fewer than so many wait for a place. */
  whenFewerWait(than: number): Promise<void>;
  readonly inFlight: number;
  readonly waiting: number;
  /** Whether the server is thought to work: `ended` never comes back. */
  readonly state: 'closed' | 'ended' | 'paused';
  readonly concurrency: number;
}

/** A pool without requests. */
export function createPool(options: PoolOptions): Pool {
  return new Places(options);
}

interface Waiting {
  readonly request: PlaceRequest;
  enter(): void;
  fail(error: unknown): void;
}

class Places implements Pool {
  readonly #clock: Clock;
  readonly #limit: ConcurrencyLimit;
  readonly #breaker;
  readonly #queue = createFairQueue<Waiting>();
  readonly #options: PoolOptions;
  #requests: TokenBucket | null;
  #tokens: TokenBucket | null;
  #inFlight = 0;
  readonly #vacated = new Set<PlaceRequest>();
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #wake: AbortController | null = null;
  /** Of the last request that failed. */
  #why = '';
  #onRoom: { than: number; resolve: () => void }[] = [];

  constructor(options: PoolOptions) {
    const { clock, requestsPerMinute, tokensPerMinute } = options;
    this.#options = options;
    this.#clock = clock;
    this.#limit = createConcurrencyLimit({ ...options.concurrency, clock });
    this.#breaker = createCircuitBreaker({ ...options.breaker, clock });
    const bucket = (rate: number | undefined) =>
      rate === undefined ? null : createTokenBucket(rate, clock);
    this.#requests = bucket(requestsPerMinute);
    this.#tokens = bucket(tokensPerMinute);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get state(): Pool['state'] {
    return this.#breaker.state.state;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  get concurrency(): number {
    return this.#limit.limit;
  }

  enter(request: PlaceRequest): Promise<void> | undefined {
    if (this.#breaker.state.state === 'ended') throw endedFailure(this.#why);
    if (this.#queue.size === 0 && this.#hasPlace() && this.#waitMs(request) === 0) {
      this.#admit(request);
      return undefined;
    }
    return this.#wait(request);
  }

  vacate(request: PlaceRequest): void {
    this.#vacated.add(request);
    this.#inFlight -= 1;
    if (this.#queue.size > 0) this.#admitWaiting();
  }

  leave(request: PlaceRequest, outcome: PlaceOutcome): void {
    if (!this.#vacated.delete(request)) this.#inFlight -= 1;
    this.#learn(request, outcome);
    if (this.#queue.size > 0) this.#admitWaiting();
  }

  onHints(hints: { readonly requests: number | null; readonly tokens: number | null }): void {
    const { requestsPerMinute, tokensPerMinute } = this.#options;
    if (requestsPerMinute === undefined)
      this.#requests = this.#hinted(this.#requests, hints.requests);
    if (tokensPerMinute === undefined) this.#tokens = this.#hinted(this.#tokens, hints.tokens);
  }

  whenFewerWait(than: number): Promise<void> {
    if (this.#queue.size < than) return Promise.resolve();
    return new Promise((resolve) => this.#onRoom.push({ than, resolve }));
  }

  #hinted(bucket: TokenBucket | null, perMinute: number | null): TokenBucket | null {
    if (perMinute === null || perMinute <= 0) return bucket;
    if (bucket === null) return createTokenBucket(perMinute, this.#clock);
    bucket.setRate(perMinute);
    return bucket;
  }

  #hasPlace(): boolean {
    return this.#inFlight < Math.floor(this.#limit.limit);
  }

  /** Milliseconds until pauses and limits a minute let the request go. */
  #waitMs(request: PlaceRequest): number {
    const now = this.#clock.now();
    const { state } = this.#breaker;
    const pause = state.state === 'paused' ? state.untilMs : this.#pausedUntilMs;
    return Math.max(
      0,
      Math.max(pause, this.#pausedUntilMs) - now,
      this.#requests?.waitFor(1) ?? 0,
      this.#tokens?.waitFor(request.tokens) ?? 0,
    );
  }

  #admit(request: PlaceRequest): void {
    this.#inFlight += 1;
    this.#requests?.take(1);
    this.#tokens?.take(request.tokens);
  }

  #wait(request: PlaceRequest): Promise<void> {
    const { signal } = request;
    if (signal?.aborted === true) return Promise.reject(abortedFailure(0, signal.reason));
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#queue.remove(waiting);
        this.#tellRoom();
        reject(abortedFailure(0, signal?.reason));
        this.#admitWaiting();
      };
      const waiting: Waiting = {
        request,
        enter: () => {
          if (signal !== undefined) offAbort(signal, giveUp);
          resolve();
        },
        fail: (error) => {
          if (signal !== undefined) offAbort(signal, giveUp);
          reject(error);
        },
      };
      if (signal !== undefined) onAbort(signal, giveUp);
      this.#queue.add(request.name, waiting, request.isRepeat);
      this.#admitWaiting();
    });
  }

  #admitWaiting(): void {
    if (this.#breaker.state.state === 'ended') this.#failWaiting();
    while (this.#hasPlace()) {
      const next = this.#queue.peek();
      if (next === undefined) break;
      const waitMs = this.#waitMs(next.request);
      if (waitMs > 0) {
        this.#wakeIn(waitMs);
        break;
      }
      this.#queue.take();
      this.#admit(next.request);
      next.enter();
    }
    this.#tellRoom();
  }

  #failWaiting(): void {
    for (let next = this.#queue.take(); next !== undefined; next = this.#queue.take()) {
      next.fail(endedFailure(this.#why));
    }
  }

  #tellRoom(): void {
    if (this.#onRoom.length === 0) return;
    const size = this.#queue.size;
    const told = this.#onRoom.filter(({ than }) => size < than);
    if (told.length === 0) return;
    this.#onRoom = this.#onRoom.filter(({ than }) => size >= than);
    for (const { resolve } of told) resolve();
  }

  /** One timer for all: the earliest time at which something changes by itself. */
  #wakeIn(waitMs: number): void {
    const atMs = this.#clock.now() + waitMs;
    if (atMs >= this.#wakeAtMs) return;
    this.#wake?.abort();
    const wake = new AbortController();
    this.#wake = wake;
    this.#wakeAtMs = atMs;
    const admit = (): void => {
      if (this.#wake !== wake) return;
      this.#wake = null;
      this.#wakeAtMs = Number.POSITIVE_INFINITY;
      this.#admitWaiting();
    };
    // A timer that a sooner one replaced ends by its signal, and has nothing to do.
    this.#clock.sleep(waitMs, wake.signal).then(admit, () => undefined);
  }

  #learn(request: PlaceRequest, outcome: PlaceOutcome): void {
    switch (outcome.kind) {
      case 'success':
        this.#limit.onSuccess(outcome.isClean);
        this.#breaker.onSuccess();
        this.#tokens?.settle(request.tokens, outcome.tokens);
        return;
      case 'rate-limit':
        this.#limit.onRateLimit(outcome.retryAfterMs);
        this.#tokens?.settle(request.tokens, 0);
        if (outcome.retryAfterMs !== null) this.#pause(outcome.retryAfterMs);
        return;
      case 'trouble':
        this.#limit.onTrouble();
        this.#why = outcome.why ?? '';
        if (this.#breaker.onFailure()) this.#onBreak();
        return;
      case 'neutral':
        return;
    }
  }

  #pause(milliseconds: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#clock.now() + milliseconds);
  }

  #onBreak(): void {
    const { state } = this.#breaker;
    if (state.state !== 'paused') return;
    this.#options.onBreak?.(state.untilMs - this.#clock.now(), this.#why);
  }
}

function endedFailure(why: string): LlmFailure {
  const last = why === '' ? '' : ` (${why})`;
  return new LlmFailure(`llm/client: the server failed again and again, after pauses too${last}.`, {
    ...{ kind: 'server', isRetryable: true, attempts: 0, endsRun: true },
    help: 'look after the server, then resume: what is done is kept.',
  });
}
