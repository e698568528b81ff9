import type { CliIo } from './definition.js';

const clearLine = '\r\u001b[K';

/** Writes to stdout and stderr so that progress, remarks and results never share a line. */
export class Terminal {
  /** Whether a line of stderr can be rewritten. */
  readonly isTerminal: boolean;
  /** Whether stderr may be coloured. */
  readonly color: boolean;
  /** Whether stdout may be coloured. */
  readonly resultColor: boolean;
  readonly width: number;
  /** Whether anything was written to stderr. */
  hasSpoken = false;
  #hasProgressLine = false;
  #hasOpenLine = false;
  /** Whether stderr would go on in a line of stdout, on the same terminal. */
  #hasOpenResult = false;
  readonly #io: CliIo;

  constructor(io: CliIo) {
    const isPlain = isSet(io.env.NO_COLOR) || io.env.TERM === 'dumb';
    const isForced = isSet(io.env.FORCE_COLOR) && io.env.FORCE_COLOR !== '0';
    const isCi = isSet(io.env.CI) && io.env.CI !== 'false';
    this.#io = io;
    this.isTerminal = io.stderr.isTTY === true && !isCi && io.env.TERM !== 'dumb';
    this.color = !isPlain && (isForced || this.isTerminal);
    this.resultColor = !isPlain && (isForced || (io.stdout.isTTY === true && !isCi));
    this.width = widthOf(io);
  }

  /** Writes lines to stdout; completes a line begun with {@link resultPart}. */
  result(text: string): void {
    this.#clearProgress();
    this.#hasOpenResult = false;
    this.#io.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** Writes a part of a line to stdout, as it comes. */
  resultPart(text: string): void {
    this.#clearProgress();
    this.#hasOpenResult = this.#io.stdout.isTTY === true && !text.endsWith('\n');
    this.#io.stdout.write(text);
  }

  /** Writes lines to stderr; completes a line begun with {@link begin}. */
  remark(text: string): void {
    this.#clearProgress();
    this.#leaveResult();
    this.#hasOpenLine = false;
    this.hasSpoken = true;
    this.#io.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** Begins a line of stderr that the next remark completes. */
  begin(text: string): void {
    this.#clearProgress();
    this.#leaveResult();
    this.#hasOpenLine = true;
    this.hasSpoken = true;
    this.#io.stderr.write(text);
  }

  /** Writes what a progress reporter gives. */
  readonly progressStream = {
    write: (text: string): boolean => {
      this.#leaveResult();
      if (this.#hasOpenLine) this.#io.stderr.write('\n');
      this.#hasOpenLine = false;
      this.hasSpoken = true;
      this.#hasProgressLine = !text.endsWith('\n') && text !== clearLine;
      this.#io.stderr.write(text);
      return true;
    },
  };

  #leaveResult(): void {
    if (this.#hasOpenResult) this.#io.stderr.write('\n');
    this.#hasOpenResult = false;
  }

  #clearProgress(): void {
    if (this.#hasProgressLine) this.#io.stderr.write(clearLine);
    this.#hasProgressLine = false;
  }
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '';
}

function widthOf(io: CliIo): number {
  const columns = io.stderr.columns ?? io.stdout.columns ?? Number(io.env.COLUMNS);
  return Number.isFinite(columns) && columns > 0 ? Math.max(20, columns) : 80;
}
