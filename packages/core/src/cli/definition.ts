import type { Logger } from '../logger.js';
import type { Progress } from '../progress.js';

/** A whole command-line program. */
export interface CliDefinition {
  /** Name of the bin, e.g. `ibmea`. */
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  readonly version: string;
  readonly commands: readonly CliCommand[];
}

/** What the text of an option's value means. */
export type CliOptionKind =
  | 'string'
  | 'integer'
  | 'number'
  | 'boolean'
  /** Values separated by commas, or the flag several times: a list of texts. */
  | 'list'
  /** The flag several times, each value taken whole: a list of texts. */
  | 'repeated';

/** One flag of a command. */
export interface CliOption {
  /** E.g. `--epochs <n>`, `-o, --out <dir>`, `--no-evaluate`. */
  readonly flags: string;
  readonly summary: string;
  /** Heading in the help; default `options`. */
  readonly topic?: string | undefined;
  /** Default: `string` when the flag takes a value, else `boolean`. */
  readonly kind?: CliOptionKind | undefined;
  readonly choices?: readonly string[] | undefined;
  readonly default?: unknown;
  readonly unit?: string | undefined;
}

/** One argument without a flag. */
export interface CliArgument {
  readonly name: string;
  readonly summary: string;
  readonly required?: boolean | undefined;
  /** Takes all that follow; the last argument only. */
  readonly variadic?: boolean | undefined;
}

/** What the user gave. */
export interface CliInput {
  readonly arguments: string[];
  /** By camel-case name: `--batch-size` is `batchSize`, `--no-evaluate` is `evaluate: false`. */
  readonly options: Record<string, unknown>;
}

/** One verb of a program. */
export interface CliCommand {
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  readonly arguments?: readonly CliArgument[] | undefined;
  readonly options: readonly CliOption[];
  /** One example that works as printed. */
  readonly example: string;
  /** Does the work; the number is the exit code (default 0). */
  run(context: CliContext, input: CliInput): Promise<number | void>;
}

/** What a command works with instead of `console` and `process`. */
export interface CliContext {
  /** Aborted by the first Ctrl-C or SIGTERM: save, then return or throw an InterruptedError. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly progress: Progress;
  /** Writes lines of the result to stdout; nothing under `--json`. */
  print(text: string): void;
  /** Writes a part of a line to stdout as it comes; a later `print` ends the line. */
  printPart(text: string): void;
  /**
   * Gives the result under `--json`, once; it is written when the command ends, or at once with
   * `immediately` (for servers, which are silent from then on).
   */
  printJson(value: unknown, options?: { readonly immediately?: boolean }): void;
  /** Writes a remark to stderr; nothing under `--quiet`. */
  note(text: string): void;
  readonly flags: { readonly json: boolean; readonly quiet: boolean; readonly debug: boolean };
  /** Whether stdout may be coloured. */
  readonly color: boolean;
  /** Characters per line. */
  readonly width: number;
  /** Sets what a second Ctrl-C says is lost. */
  onSecondInterrupt(text: string): void;
  /** Names the run folder, for the `run` field of a JSON error. */
  setRun(dir: string): void;
  /** Adds a line to what `--debug` prints with an error, e.g. the backend. */
  addFact(name: string, value: string): void;
}

/** The streams and environment of a program; the process's own unless a test gives others. */
export interface CliIo {
  readonly stdout: CliStream;
  readonly stderr: CliStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The part of a stream that a program uses. */
export interface CliStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}
