/**
 * So much a minute: requests or tokens.
 */
import type { Clock } from '../clock.js';

/** A bucket that fills evenly. */
export interface TokenBucket {
  /** Milliseconds until so much can be taken; 0 is now. */
  waitFor(amount: number): number;
  /** Takes it, into debt if need be. */
  take(amount: number): void;
  /** Puts right what was taken by an estimate. */
  settle(estimated: number, used: number): void;
  /** Sets what flows in. */
  setRate(perMinute: number): void;
}

const MINUTE_MS = 60_000;

/**
 * A bucket that holds what flows in within one second, at least 1: a minute then never sees more
 * than its limit and one request. What is larger than the bucket is taken when it is full, and
 * leaves a debt.
 *
 * @param perMinute - limit of the server.
 */
export function createTokenBucket(perMinute: number, clock: Clock): TokenBucket {
  let rate = perMinute / MINUTE_MS;
  let capacity = capacityOf(perMinute);
  let level = capacity;
  let filledAt = clock.now();
  const fill = (): void => {
    const now = clock.now();
    level = Math.min(capacity, level + (now - filledAt) * rate);
    filledAt = now;
  };
  return {
    waitFor(amount) {
      fill();
      const missing = Math.min(amount, capacity) - level;
      // Rounding leaves crumbs that no wait would fill.
      return missing <= 1e-9 * capacity ? 0 : Math.max(1, Math.ceil(missing / rate));
    },
    take(amount) {
      fill();
      level -= amount;
    },
    settle(estimated, used) {
      fill();
      level = Math.min(capacity, level + estimated - used);
    },
    setRate(next) {
      fill();
      rate = next / MINUTE_MS;
      capacity = capacityOf(next);
      level = Math.min(level, capacity);
    },
  };
}

const capacityOf = (perMinute: number): number => Math.max(1, perMinute / 60);
