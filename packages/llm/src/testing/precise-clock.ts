/**
 * A clock whose waits end when they should.
 *
 * A timer of Node is late by half a millisecond to two, and thousands of them cost a turn each: a
 * server that states its latency would serve more than that. Here all waits share one timer, which
 * ends shortly before the first of them; what is left is passed in turns of the event loop.
 */
import { clearTimeout, setImmediate, setTimeout } from 'node:timers';
import { offAbort, onAbort } from '../call-signal.js';
import { type Clock, systemClock } from '../clock.js';

interface Wait {
  readonly dueMs: number;
  readonly end: () => void;
}

/** What a timer may be late by. */
const earlyMs = 1.5;

/** Waits in the order in which they end. */
class SharedTimer {
  readonly #waits: Wait[] = [];
  #timer: { readonly handle: NodeJS.Timeout; readonly atMs: number } | null = null;
  #isTurning = false;

  add(wait: Wait): void {
    let place = this.#waits.length;
    // Mostly the last of all: waits are of like length.
    while (place > 0 && (this.#waits[place - 1]?.dueMs ?? 0) > wait.dueMs) place -= 1;
    this.#waits.splice(place, 0, wait);
    if (place === 0) this.#arm();
  }

  remove(wait: Wait): void {
    const place = this.#waits.indexOf(wait);
    if (place >= 0) this.#waits.splice(place, 1);
    if (place === 0) this.#arm();
  }

  #arm(): void {
    const [first] = this.#waits;
    if (first === undefined) {
      this.#disarm();
      return;
    }
    if (this.#isTurning) return;
    const leftMs = first.dueMs - systemClock.now();
    if (leftMs < earlyMs + 1) {
      this.#disarm();
      this.#isTurning = true;
      setImmediate(this.#turn);
      return;
    }
    if (this.#timer !== null && this.#timer.atMs <= first.dueMs) return;
    this.#disarm();
    const handle = setTimeout(this.#wake, Math.floor(leftMs - earlyMs));
    this.#timer = { handle, atMs: first.dueMs };
  }

  #disarm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer.handle);
    this.#timer = null;
  }

  readonly #wake = (): void => {
    this.#timer = null;
    this.#endDue();
    this.#arm();
  };

  readonly #turn = (): void => {
    this.#isTurning = false;
    this.#endDue();
    this.#arm();
  };

  #endDue(): void {
    const now = systemClock.now();
    let count = 0;
    while (count < this.#waits.length && (this.#waits[count]?.dueMs ?? now) <= now) count += 1;
    if (count === 0) return;
    for (const wait of this.#waits.splice(0, count)) wait.end();
  }
}

const shared = new SharedTimer();

/** The system's clock; its waits end within a tenth of a millisecond where nothing else is done. */
export const preciseClock: Clock = {
  now: systemClock.now,
  date: systemClock.date,
  sleep: (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const giveUp = (): void => {
        shared.remove(wait);
        reject(signal?.reason);
      };
      const end = (): void => {
        if (signal !== undefined) offAbort(signal, giveUp);
        resolve();
      };
      const wait: Wait = { dueMs: systemClock.now() + milliseconds, end };
      if (signal !== undefined) onAbort(signal, giveUp);
      shared.add(wait);
    }),
};
