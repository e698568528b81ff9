import { formatDuration } from '../format.js';
import { createProgress, type Progress } from '../progress.js';
import type { Terminal } from './terminal.js';

const silentMs = 1500;
const tickMs = 500;
const lineMs = 30_000;

/** A progress reporter that shows life in silent times. */
export interface LivingProgress extends Progress {
  /** No more updates and signs of life: work is being saved. */
  calm(): void;
  stop(): void;
}

/** What {@link createLivingProgress} needs. */
export interface LivingProgressOptions {
  readonly terminal: Terminal;
  readonly quiet: boolean;
  /** What is said while nothing else was, e.g. `ibmea train`. */
  readonly title: string;
  /** Clock in milliseconds. */
  readonly now: () => number;
}

/**
 * A progress reporter that, after 1.5 s without a word, says that work goes on: on a terminal the
 * last line with the time in silence, elsewhere one line, then one each 30 s. Elsewhere a stage
 * without a fraction is named only once it has lasted 1.5 s, so that logs of quick work stay short.
 */
export function createLivingProgress(options: LivingProgressOptions): LivingProgress {
  return new LivingLine(options);
}

class LivingLine implements LivingProgress {
  readonly #options: LivingProgressOptions;
  readonly #progress: Progress;
  readonly #timer: NodeJS.Timeout | undefined;
  #text: string;
  #changedAt: number;
  #saidAt: number;
  /** Since when a stage waits to be named. */
  #heldSince: number | undefined;
  #isCalm = false;

  constructor(options: LivingProgressOptions) {
    const { terminal, quiet, now } = options;
    const { isTerminal, width, progressStream: stream } = terminal;
    this.#options = options;
    this.#progress = createProgress({ stream, isTerminal, width, quiet, now });
    this.#text = options.title;
    this.#changedAt = now();
    this.#saidAt = now();
    this.#timer = quiet ? undefined : setInterval(() => this.#tick(), tickMs);
    this.#timer?.unref();
  }

  update(text: string, fraction?: number): void {
    if (this.#isCalm) return;
    this.#noteChange(text);
    if (fraction === undefined && !this.#options.terminal.isTerminal) {
      this.#heldSince ??= this.#changedAt;
      return;
    }
    this.#heldSince = undefined;
    this.#progress.update(text, fraction);
  }

  done(text?: string): void {
    this.#heldSince = undefined;
    this.#noteChange(this.#options.title);
    this.#progress.done(text);
  }

  calm(): void {
    this.#isCalm = true;
    clearInterval(this.#timer);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#progress.done();
  }

  #noteChange(text: string): void {
    this.#text = text;
    this.#changedAt = this.#options.now();
    this.#saidAt = this.#changedAt;
  }

  #tick(): void {
    const { terminal, title, now } = this.#options;
    if (this.#heldSince !== undefined && now() - this.#heldSince >= silentMs) {
      this.#heldSince = undefined;
      this.#progress.update(this.#text);
      this.#saidAt = now();
      return;
    }
    const silence = now() - this.#changedAt;
    if (silence < silentMs) return;
    const line = `${this.#text}  ${wholeSeconds(silence)}`;
    const { progressStream: stream } = terminal;
    if (terminal.isTerminal) this.#progress.update(line);
    else if (!terminal.hasSpoken) stream.write(`${title}: working\n`);
    else if (now() - this.#saidAt >= lineMs) stream.write(`${line} and still working\n`);
    else return;
    this.#saidAt = now();
  }
}

function wholeSeconds(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 100 ? `${seconds} s` : formatDuration(seconds);
}
