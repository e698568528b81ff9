import { onAbort } from '../call-signal.js';
import type { Clock } from '../clock.js';

interface Sleeper {
  readonly atMs: number;
  readonly order: number;
  wake(): void;
}

/** A clock that stands still until it is moved. */
export interface FakeClock extends Clock {
  /** Every wait that was asked for, in order. */
  readonly waits: readonly number[];
  /** Waits that are going on. */
  readonly sleeping: number;
  /** Moves on, waking who is due in their order. */
  advance(milliseconds: number): Promise<void>;
  /** Moves on to the next who is due; whether there was one. */
  next(): Promise<boolean>;
}

/** A date for headers with dates: Thu, 01 Jan 2026 00:00:00 GMT. */
export const fakeDate = 1_767_225_600_000;

/** Lets everything go on that waits for nothing but its turn. */
export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

/**
 * A clock for tests.
 *
 * @param isHasty - whether each wait ends at once, moving the clock on by it.
 */
export function createFakeClock(isHasty = false): FakeClock {
  const waits: number[] = [];
  const sleepers = new Set<Sleeper>();
  let now = 0;
  const due = (): Sleeper | undefined =>
    [...sleepers].sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
  const wake = async (sleeper: Sleeper): Promise<void> => {
    now = Math.max(now, sleeper.atMs);
    sleepers.delete(sleeper);
    sleeper.wake();
    await settle();
  };
  return {
    waits,
    get sleeping() {
      return sleepers.size;
    },
    now: () => now,
    date: () => fakeDate + now,
    sleep: (milliseconds, signal) => {
      waits.push(milliseconds);
      if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
      if (isHasty) {
        now += milliseconds;
        return Promise.resolve();
      }
      return new Promise((resolve, reject) => {
        const sleeper = { atMs: now + milliseconds, order: waits.length, wake: resolve };
        sleepers.add(sleeper);
        if (signal === undefined) return;
        onAbort(signal, () => {
          sleepers.delete(sleeper);
          reject(signal.reason as Error);
        });
      });
    },
    async advance(milliseconds) {
      const end = now + milliseconds;
      await settle();
      for (let next = due(); next !== undefined && next.atMs <= end; next = due()) await wake(next);
      now = end;
      await settle();
    },
    async next() {
      await settle();
      const sleeper = due();
      if (sleeper !== undefined) await wake(sleeper);
      return sleeper !== undefined;
    },
  };
}
