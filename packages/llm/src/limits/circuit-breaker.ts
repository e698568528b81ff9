/**
 * Leaves a server alone that only fails.
 */
import type { Clock } from '../clock.js';

/** What a {@link CircuitBreaker} allows. */
export type BreakerState =
  | { readonly state: 'closed' }
  | { readonly state: 'ended' }
  | { readonly state: 'paused'; readonly untilMs: number };

/** When the breaker trips. */
export interface BreakerOptions {
  readonly clock: Clock;
  /** Failures in a row that trip it; default 20. */
  readonly failures?: number | undefined;
  /** Default 60 s. */
  readonly pauseMs?: number | undefined;
  /** The pause after which all ends, instead of going on; default 3. */
  readonly pauses?: number | undefined;
}

/** Counts failures in a row. */
export interface CircuitBreaker {
  readonly state: BreakerState;
  onSuccess(): void;
  /** A request failed; whether that trips the breaker. */
  onFailure(): boolean;
}

const closed: BreakerState = { state: 'closed' };

/** A breaker that pauses 60 s after 20 failures in a row, and ends all at the third time. */
export function createCircuitBreaker(options: BreakerOptions): CircuitBreaker {
  const { clock, failures = 20, pauseMs = 60_000, pauses = 3 } = options;
  let inRow = 0;
  let tripped = 0;
  let untilMs = Number.NEGATIVE_INFINITY;
  return {
    get state(): BreakerState {
      if (tripped >= pauses) return { state: 'ended' };
      return clock.now() < untilMs ? { state: 'paused', untilMs } : closed;
    },
    onSuccess() {
      inRow = 0;
      tripped = tripped >= pauses ? tripped : 0;
    },
    onFailure() {
      // Those still on their way when it trips belong to the same trouble.
      if (tripped >= pauses || clock.now() < untilMs) return false;
      inRow += 1;
      if (inRow < failures) return false;
      inRow = 0;
      tripped += 1;
      untilMs = clock.now() + pauseMs;
      return true;
    },
  };
}
