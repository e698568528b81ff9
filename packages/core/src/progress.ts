/** Settings of {@link createProgress}. */
export interface ProgressOptions {
  /** Usually stderr. */
  readonly stream: { write(text: string): unknown };
  /** Whether the line can be rewritten; otherwise whole lines are written now and then. */
  readonly isTerminal: boolean;
  /** Characters per line. */
  readonly width: number;
  /** Says nothing at all. */
  readonly quiet: boolean;
  /** Clock in milliseconds. */
  readonly now: () => number;
}

/** One line that tells how far a long work is. */
export interface Progress {
  /**
   * Shows `text`; `fraction` (0..1) is how much of the stage is done. On a terminal the line is
   * rewritten at most ten times a second; elsewhere a line is written each 10 % or 30 s.
   */
  update(text: string, fraction?: number): void;
  /** Ends the line: with `text` it stays as the last word, without it the line is cleared. */
  done(text?: string): void;
}

const repaintMs = 100;
const lineMs = 30_000;
const clearLine = '\r\u001b[K';

/** A progress reporter on a stream; see {@link Progress}. */
export function createProgress(options: ProgressOptions): Progress {
  if (options.quiet) return { update: () => undefined, done: () => undefined };
  return options.isTerminal ? rewrittenLine(options) : writtenLines(options);
}

function rewrittenLine({ stream, width, now }: ProgressOptions): Progress {
  let shownAt = Number.NEGATIVE_INFINITY;
  let isShown = false;
  return {
    update(text, fraction) {
      const isLast = fraction !== undefined && fraction >= 1;
      if (!isLast && now() - shownAt < repaintMs) return;
      shownAt = now();
      isShown = true;
      stream.write(clearLine + cut(text, width - 1));
    },
    done(text) {
      if (isShown) stream.write(clearLine);
      if (text !== undefined) stream.write(`${text}\n`);
      isShown = false;
      shownAt = Number.NEGATIVE_INFINITY;
    },
  };
}

function writtenLines({ stream, now }: ProgressOptions): Progress {
  let writtenAt = Number.NEGATIVE_INFINITY;
  let tenth = -1;
  return {
    update(text, fraction) {
      const reached = fraction === undefined ? tenth : Math.floor(fraction * 10 + 1e-9);
      const isDue = reached !== tenth || now() - writtenAt >= lineMs;
      if (!isDue) return;
      tenth = reached;
      writtenAt = now();
      stream.write(`${text}\n`);
    },
    done(text) {
      if (text !== undefined) stream.write(`${text}\n`);
      tenth = -1;
      writtenAt = Number.NEGATIVE_INFINITY;
    },
  };
}

function cut(text: string, width: number): string {
  const line = text.replaceAll('\n', ' ');
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 3))}...`;
}
