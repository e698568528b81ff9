/**
 * Time as everything here sees it, so that tests have their own.
 */
import { setTimeout as wait } from 'node:timers/promises';

/** A clock and its waits. */
export interface Clock {
  /** Milliseconds that only grow. */
  now(): number;
  /** The date, in milliseconds since 1970, for `Retry-After` with a date. */
  date(): number;
  /** Waits; rejects with the reason of the signal once it is aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** The system's clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => performance.timeOrigin + performance.now(),
  sleep: async (milliseconds, signal) => {
    try {
      await wait(milliseconds, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : error;
    }
  },
};
