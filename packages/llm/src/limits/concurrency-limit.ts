/**
 * How many requests may be on their way at once, found by trying.
 */
import { ConfigError } from '@lab/core';
import type { Clock } from '../clock.js';

/** Bounds of the search. */
export interface ConcurrencyOptions {
  readonly clock: Clock;
  /** Default 20. */
  readonly start?: number | undefined;
  /** Default 1. */
  readonly min?: number | undefined;
  /** Default 100. */
  readonly max?: number | undefined;
  /** Keeps this number whatever happens. */
  readonly fixed?: number | undefined;
}

/** A number of requests that answers to how the server fares. */
export interface ConcurrencyLimit {
  readonly limit: number;
  readonly isFixed: boolean;
  /**
   * A request succeeded.
   *
   * @param isClean - at the first try; what was repeated says nothing about the limit.
   */
  onSuccess(isClean: boolean): void;
  /** The server asks for less. */
  onRateLimit(retryAfterMs: number | null): void;
  /** A request failed for another reason: no growth for a round. */
  onTrouble(): void;
}

const START = 20;
/** Where the search ends. */
export const MAX_CONCURRENCY = 100;
const CUT = 0.8;
const GROWTH = 1.05;
const CUT_EVERY_MS = 15_000;

/**
 * A limit that is cut by a fifth at a rate limit, at most once in 15 s or in the time that the
 * server asks to wait, and grows by 5 % after as many clean successes as it has places.
 *
 * Source: documentation of inspect_ai, adaptive connections.
 *
 * @throws {ConfigError} for a fixed number that is no whole number of at least 1.
 */
export function createConcurrencyLimit(options: ConcurrencyOptions): ConcurrencyLimit {
  const { clock, min = 1, max = MAX_CONCURRENCY, fixed } = options;
  if (fixed !== undefined && !(Number.isSafeInteger(fixed) && fixed >= 1)) {
    throw new ConfigError(`llm/client: concurrency ${fixed} is no whole number of at least 1.`);
  }
  let limit = fixed ?? Math.min(max, Math.max(min, options.start ?? START));
  let clean = 0;
  let noCutBefore = Number.NEGATIVE_INFINITY;
  return {
    get limit() {
      return limit;
    },
    isFixed: fixed !== undefined,
    onSuccess(isClean) {
      if (fixed !== undefined || !isClean) return;
      clean += 1;
      if (clean < limit) return;
      clean = 0;
      limit = Math.min(max, Math.ceil(limit * GROWTH));
    },
    onRateLimit(retryAfterMs) {
      clean = 0;
      const now = clock.now();
      if (fixed !== undefined || now < noCutBefore) return;
      noCutBefore = now + Math.max(CUT_EVERY_MS, retryAfterMs ?? 0);
      limit = Math.max(min, Math.floor(limit * CUT));
    },
    onTrouble() {
      clean = 0;
    },
  };
}
