/**
 * Time as everything here sees it, so that tests have their own.
 */
import { clearTimeout, setTimeout } from 'node:timers';
import { type EndSignal, offAbort, onAbort } from './call-signal.js';

/** A clock and its waits. */
export interface Clock {
  /** Milliseconds that only grow. */
  now(): number;
  /** The date, in milliseconds since 1970, for `Retry-After` with a date. */
  date(): number;
  /** Waits; rejects with the reason of the signal once it is aborted. */
  sleep(milliseconds: number, signal?: EndSignal): Promise<void>;
}

/** The system's clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => performance.timeOrigin + performance.now(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      if (signal === undefined) {
        setTimeout(resolve, milliseconds);
        return;
      }
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const giveUp = (): void => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        offAbort(signal, giveUp);
        resolve();
      }, milliseconds);
      onAbort(signal, giveUp);
    }),
};
