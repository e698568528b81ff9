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
 * last line with the time in silence, elsewhere one line, then one each 30 s.
 */
export function createLivingProgress(options: LivingProgressOptions): LivingProgress {
  const { terminal, quiet, title, now } = options;
  const { isTerminal, width } = terminal;
  const stream = terminal.progressStream;
  const progress = createProgress({ stream, isTerminal, width, quiet, now });
  let text = title;
  let since = now();
  let saidAt = now();
  let isCalm = false;
  const tick = (): void => {
    const silence = now() - since;
    if (silence < silentMs) return;
    const line = `${text}  ${wholeSeconds(silence)}`;
    if (isTerminal) progress.update(line);
    else if (!terminal.hasSpoken) stream.write(`${title}: working\n`);
    else if (now() - saidAt >= lineMs) stream.write(`${line} and still working\n`);
    else return;
    saidAt = now();
  };
  const timer = quiet ? undefined : setInterval(tick, tickMs);
  timer?.unref();
  return {
    update(newText, fraction) {
      if (isCalm) return;
      text = newText;
      since = now();
      saidAt = since;
      progress.update(newText, fraction);
    },
    done(lastText) {
      text = title;
      since = now();
      saidAt = since;
      progress.done(lastText);
    },
    calm() {
      isCalm = true;
      clearInterval(timer);
    },
    stop() {
      clearInterval(timer);
      progress.done();
    },
  };
}

function wholeSeconds(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 100 ? `${seconds} s` : formatDuration(seconds);
}
