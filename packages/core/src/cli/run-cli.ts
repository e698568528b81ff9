import { createColors } from 'picocolors';
import { exitCodeOf, InterruptedError, LabError } from '../errors.js';
import { jsonLine } from '../jsonl.js';
import type { Logger } from '../logger.js';
import type { CliContext, CliDefinition, CliIo } from './definition.js';
import { errorObject, errorText } from './error-text.js';
import { createLivingProgress, type LivingProgress } from './heartbeat.js';
import { commandHelp, programHelp } from './help.js';
import { type Interrupts, watchInterrupts } from './interrupts.js';
import { findCommand, type ParsedCommand, parseArguments } from './parse.js';
import { printable, printableLines } from './printable.js';
import { Terminal } from './terminal.js';

/**
 * Runs a command-line program and resolves to its exit code.
 *
 * Without `argv` (as a bin does it) the arguments are the process's and the process ends with the
 * code after its output is written; with `argv` the code is only returned.
 *
 * Exit codes: 0 done, 1 internal error, 2 usage or config, 3 data, 4 model or backend, 5 language-
 * model server, 6 budget, 130 Ctrl-C, 143 SIGTERM. Under `--json` stdout holds exactly one object.
 *
 * @param argv - arguments after the program's name.
 * @param io - streams and environment; default the process's.
 */
export async function runCli(
  definition: CliDefinition,
  argv?: readonly string[],
  io: CliIo = process,
): Promise<number> {
  if (io === process) ignoreClosedPipes();
  const session = new Session(definition, argv ?? process.argv.slice(2), io);
  const isProcess = argv === undefined;
  const code = await session.run(isProcess);
  if (!isProcess) return code;
  await Promise.all([flush(process.stdout), flush(process.stderr)]);
  process.exit(code);
}

/** A reader that closed its end (`| head`) is no error: the work goes on and saves. */
function ignoreClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.listeners('error').includes(ignoreClosedPipe)) continue;
    stream.on('error', ignoreClosedPipe);
  }
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') throw error;
}

function flush(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || !stream.writable) resolve();
    else stream.write('', () => resolve());
  });
}

type Result = { readonly value: unknown } | undefined;

/** One run of a program. */
class Session {
  readonly #definition: CliDefinition;
  readonly #argv: readonly string[];
  readonly #terminal: Terminal;
  readonly #flags: CliContext['flags'];
  readonly #facts: Map<string, string>;
  #result: Result;
  #isJsonWritten = false;
  #runDir: string | undefined;
  #lost = 'ended at once; what was done since the last save is lost.';

  constructor(definition: CliDefinition, argv: readonly string[], io: CliIo) {
    const end = argv.indexOf('--');
    const own = end < 0 ? argv : argv.slice(0, end);
    this.#definition = definition;
    this.#argv = argv;
    this.#terminal = new Terminal(io);
    this.#flags = {
      json: own.includes('--json'),
      quiet: own.includes('--quiet'),
      debug: own.includes('--debug'),
    };
    this.#facts = new Map([[definition.name, definition.version]]);
  }

  async run(isProcess: boolean): Promise<number> {
    const early = this.#answerHelp();
    if (early !== undefined) return early;
    const crash = (error: unknown): void => {
      this.#fail(error, 1);
      process.exit(1);
    };
    if (isProcess) process.on('uncaughtException', crash).on('unhandledRejection', crash);
    try {
      return await this.#runCommand(parseArguments(this.#definition, this.#argv));
    } catch (error) {
      return this.#fail(error, exitCodeOf(error));
    }
  }

  /** Handles `-h`, `help`, `--version` and the missing command; the exit code if it did. */
  #answerHelp(): number | undefined {
    const { name, version } = this.#definition;
    const argv = this.#argv.filter((word) => !/^--(json|quiet|debug)$/.test(word));
    const isHelp = argv[0] === 'help' || argv.includes('-h') || argv.includes('--help');
    if (argv[0] === '--version' || argv[0] === '-V') {
      this.#terminal.result(`${name} ${version}`);
      return 0;
    }
    if (!isHelp && argv.length > 0) return undefined;
    const words = argv[0] === 'help' ? argv.slice(1) : argv;
    const command = findCommand(this.#definition, words);
    const width = this.#terminal.width;
    const hasWord = words.some((word) => !word.startsWith('-'));
    if (isHelp && hasWord && !command) return undefined;
    const text = command
      ? commandHelp(this.#definition, command, width)
      : programHelp(this.#definition, width);
    if (isHelp) this.#terminal.result(text);
    else this.#answerNoCommand(text);
    return isHelp ? 0 : 2;
  }

  #answerNoCommand(help: string): void {
    this.#terminal.remark(help);
    const error = { code: 'LAB_CONFIG', message: 'no command given.', help: null };
    if (this.#flags.json) this.#writeJson({ run: null, status: 'error', metrics: null, error });
  }

  async #runCommand({ command, input }: ParsedCommand): Promise<number> {
    const progress = createLivingProgress({
      terminal: this.#terminal,
      quiet: this.#flags.quiet,
      title: `${this.#definition.name} ${command.name}`,
      now: () => Date.now(),
    });
    const interrupts = watchInterrupts({
      onFirst: () => {
        progress.calm();
        this.#terminal.begin('saving ... ');
      },
      onSecond: () => this.#endAtOnce(),
    });
    try {
      const code = await command.run(this.#context(interrupts, progress), input);
      progress.stop();
      return this.#succeed(interrupts.exitCode(), code ?? undefined);
    } catch (error) {
      progress.stop();
      return this.#failOrInterrupt(error, interrupts.exitCode());
    } finally {
      progress.stop();
      interrupts.stop();
    }
  }

  #context(interrupts: Interrupts, progress: LivingProgress): CliContext {
    const terminal = this.#terminal;
    const { json, quiet } = this.#flags;
    return {
      signal: interrupts.signal,
      logger: this.#logger(),
      progress,
      print: (text) => {
        if (!json) terminal.result(printableLines(text, terminal.resultColor));
      },
      printPart: (text) => {
        if (!json && text !== '') terminal.resultPart(printableLines(text, false));
      },
      printJson: (value, { immediately = false } = {}) => {
        // A server has nothing to say while nobody asks.
        if (immediately) progress.calm();
        this.#takeResult(value, immediately);
      },
      note: (text) => {
        if (!quiet) terminal.remark(printableLines(text, terminal.color));
      },
      flags: this.#flags,
      color: terminal.resultColor && !json,
      width: terminal.width,
      onSecondInterrupt: (text) => {
        this.#lost = text;
      },
      setRun: (dir) => {
        this.#runDir = dir;
      },
      addFact: (name, value) => {
        this.#facts.set(name, value);
      },
    };
  }

  #logger(): Logger {
    const colors = createColors(this.#terminal.color);
    const { quiet, debug } = this.#flags;
    return {
      info: (message) => {
        if (!quiet) this.#terminal.remark(printable(message));
      },
      warn: (message) => {
        if (!quiet) this.#terminal.remark(`${colors.yellow('warning:')} ${printable(message)}`);
      },
      debug: (message) => {
        if (debug) this.#terminal.remark(`${colors.dim('debug:')} ${printable(message)}`);
      },
    };
  }

  #takeResult(value: unknown, isImmediate: boolean): void {
    if (!this.#flags.json) return;
    if (this.#result) throw new LabError('core/cli: printJson was called twice in one command.');
    this.#result = { value };
    if (isImmediate) this.#writeJson(value);
  }

  #writeJson(value: unknown): void {
    if (this.#isJsonWritten) return;
    this.#isJsonWritten = true;
    this.#terminal.result(jsonLine(value));
  }

  #succeed(signalCode: number | undefined, code: number | undefined): number {
    if (signalCode !== undefined) this.#terminal.remark('saved.');
    const status = signalCode === undefined ? 'success' : 'interrupted';
    const bare = { run: this.#runDir ?? null, status, metrics: null };
    if (this.#flags.json) this.#writeJson(this.#result ? this.#result.value : bare);
    return code ?? signalCode ?? 0;
  }

  #failOrInterrupt(error: unknown, signalCode: number | undefined): number {
    const isAbort = error instanceof Error && error.name === 'AbortError';
    const isStop = isAbort || (LabError.is(error) && error.code === 'LAB_INTERRUPTED');
    if (signalCode === undefined || !isStop) return this.#fail(error, exitCodeOf(error));
    const isSaved =
      error instanceof InterruptedError && !error.message.startsWith('interrupted by');
    this.#terminal.remark(isSaved ? error.message : 'stopped.');
    this.#writeError(error, 'interrupted');
    return signalCode;
  }

  #fail(error: unknown, code: number): number {
    const { color, width } = this.#terminal;
    const style = { color, width, debug: this.#flags.debug, facts: this.#facts };
    this.#terminal.remark(errorText(error, style));
    this.#writeError(error, code === 130 ? 'interrupted' : 'error');
    return code;
  }

  #writeError(error: unknown, status: 'error' | 'interrupted'): void {
    if (!this.#flags.json) return;
    const named = LabError.is(error) ? error.details.run : undefined;
    const run = typeof named === 'string' ? named : (this.#runDir ?? null);
    this.#writeJson({ run, status, metrics: null, error: errorObject(error) });
  }

  #endAtOnce(): void {
    this.#terminal.remark(this.#lost);
    this.#writeError(new InterruptedError(this.#lost), 'interrupted');
  }
}
