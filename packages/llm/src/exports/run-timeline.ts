/**
 * How a run went over time: rows that ended, and requests that were sent again, by their reason.
 */
import { appendJsonLine, LabError, readJsonLines } from '@lab/core';
import type { ClientEvent } from '../client-options.js';
import type { Clock } from '../clock.js';

/** What one process did, in intervals of equal length. */
export interface TimelinePart {
  /** Length of an interval. */
  readonly seconds: number;
  /** Rows that ended in each. */
  readonly rows: readonly number[];
  /** Requests that were sent again, by reason, e.g. `rate-limit 429`. */
  readonly retries: Readonly<Record<string, readonly number[]>>;
}

/** Beyond this many intervals two become one. */
const maxIntervals = 200;

/** The name of the file in the folder of a run: a line for each process that worked on it. */
export const timelineFile = 'timeline.jsonl';

/** Counts over time in a memory of fixed size. */
export class RunTimeline {
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #rows: number[] = [];
  readonly #retries = new Map<string, number[]>();
  #seconds = 1;
  #done: number | null;

  /**
   * @param clock - the run's.
   * @param isResumed - whether the first report of progress holds what other processes did.
   */
  constructor(clock: Clock, isResumed: boolean) {
    this.#clock = clock;
    this.#done = isResumed ? null : 0;
    this.#startMs = clock.now();
  }

  /** Takes an event of the client. */
  note(event: ClientEvent): void {
    if (event.type !== 'retry') return;
    const { failure, status } = event;
    const name = status === undefined ? failure : `${failure} ${status}`;
    const counts = this.#retries.get(name) ?? [];
    this.#retries.set(name, counts);
    this.#add(counts, 1);
  }

  /** Takes how many rows have ended, those of earlier processes included. */
  progress(done: number): void {
    if (this.#done !== null && done > this.#done) this.#add(this.#rows, done - this.#done);
    this.#done = Math.max(this.#done ?? 0, done);
  }

  /**
   * Appends what this process did to a file, if it did anything. It is of interest only: a full
   * disk ends the run elsewhere.
   */
  append(path: string): void {
    if (this.#rows.length === 0 && this.#retries.size === 0) return;
    const part: TimelinePart = {
      seconds: this.#seconds,
      rows: filled(this.#rows),
      retries: Object.fromEntries([...this.#retries].map(([name, list]) => [name, filled(list)])),
    };
    try {
      appendJsonLine(path, part);
    } catch (error) {
      if (!LabError.is(error)) throw error;
    }
  }

  #add(counts: number[], amount: number): void {
    const seconds = (this.#clock.now() - this.#startMs) / 1000;
    while (seconds / this.#seconds >= maxIntervals) this.#halve();
    const at = Math.floor(seconds / this.#seconds);
    counts[at] = (counts[at] ?? 0) + amount;
  }

  #halve(): void {
    this.#seconds *= 2;
    for (const counts of [this.#rows, ...this.#retries.values()]) {
      const joined = Array.from({ length: Math.ceil(counts.length / 2) }, (_, index) => {
        return (counts[2 * index] ?? 0) + (counts[2 * index + 1] ?? 0);
      });
      counts.splice(0, counts.length, ...joined);
    }
  }
}

/** Without the holes of a list that was filled at places. */
function filled(counts: readonly number[]): number[] {
  return Array.from(counts, (count) => count ?? 0);
}

/** What the processes of a run did, one after the other; nothing where none has ended. */
export function readTimeline(path: string): TimelinePart[] {
  return readJsonLines(path).rows as TimelinePart[];
}
