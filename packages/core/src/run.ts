import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { appendLine, isTemporaryName, writeFileAtomic } from './atomic-file.js';
import { describeEnvironment } from './environment.js';
import { ConfigError, DataError, LabError } from './errors.js';
import { describeFileProblem, systemCode } from './file-problem.js';
import { gitState } from './git-state.js';
import type { FileRecord } from './hash.js';
import { appendJsonLine, cutTornLine, jsonLine, readJsonLines } from './jsonl.js';
import { type RunRecord, runRecordSchema, runSchemaVersion } from './run-schema.js';

/** What {@link createRun} needs to know. */
export interface CreateRunOptions {
  /** Folder of all runs, e.g. `runs`; created when absent. */
  readonly parent: string;
  /** Exact folder of this run instead of a name made from time, method, label and seed. */
  readonly dir?: string | undefined;
  readonly method: string;
  /** What the run is about, e.g. the preset. */
  readonly label: string;
  readonly seed: number;
  readonly command: readonly string[];
  /** The resolved config. */
  readonly config: unknown;
  /** The config as passed: preset, file, `--set` and flags. */
  readonly passed?: unknown;
  readonly origins?: Readonly<Record<string, string>> | undefined;
  readonly mode?: string | null | undefined;
  readonly preset?: string | null | undefined;
  readonly data?: readonly FileRecord[] | undefined;
  readonly backend?: unknown;
  /** Versions of the packages in use. */
  readonly packages?: Readonly<Record<string, string>> | undefined;
  /** More about the machine than {@link describeEnvironment} says, e.g. the GPU. */
  readonly environment?: Readonly<Record<string, unknown>> | undefined;
  /** Clock; default the system's. */
  readonly now?: (() => Date) | undefined;
}

/** How a run ends; see {@link Run.finish}. */
export interface RunEnd {
  readonly status: 'success' | 'error' | 'interrupted';
  readonly results?: Readonly<Record<string, unknown>> | undefined;
  readonly usage?: Readonly<Record<string, unknown>> | undefined;
  readonly error?: unknown;
}

/** A run folder. Everything written to it survives a kill at any moment. */
export interface Run {
  /** Absolute path of the folder. */
  readonly dir: string;
  /** What `run.json` says now. */
  readonly record: RunRecord;
  /** The path of a file in the folder. */
  path(name: string): string;
  /** Appends a line to `metrics.jsonl`; give it no times, so that equal runs have equal files. */
  appendMetrics(row: object): void;
  /** Appends a line to `timings.jsonl`. */
  appendTimings(row: object): void;
  /** Rewrites `metrics.jsonl` with the rows that `keep` accepts: for resuming from a checkpoint. */
  keepMetrics(keep: (row: Record<string, unknown>) => boolean): void;
  /** Appends a line with the time to `log.txt`. */
  log(line: string): void;
  /** Changes fields of `run.json`. */
  update(partial: Partial<RunRecord>): void;
  /** Writes status, end, results and error to `run.json`. */
  finish(end: RunEnd): void;
}

/**
 * A new run: its folder, named like `2026-11-23T1733-ibmea-dbp15k-s2024-3f9c` (UTC), with a
 * `run.json` of status `started`.
 *
 * @throws {ConfigError} when `dir` holds a run already.
 * @throws {DataError} when the folder cannot be written.
 */
export function createRun(options: CreateRunOptions): Run {
  const now = options.now ?? (() => new Date());
  const start = now();
  const dir = makeFolder(options, start);
  const record: RunRecord = {
    schemaVersion: runSchemaVersion,
    id: basename(dir),
    status: 'started',
    method: options.method,
    label: options.label,
    packages: { ...options.packages },
    command: [...options.command],
    config: {
      ...(options.passed === undefined ? {} : { passed: options.passed }),
      resolved: options.config,
      origins: { ...options.origins },
      mode: options.mode ?? null,
      preset: options.preset ?? null,
    },
    seed: options.seed,
    git: gitState(process.cwd()),
    data: [...(options.data ?? [])],
    backend: options.backend ?? null,
    environment: { ...describeEnvironment(), ...options.environment },
    start: start.toISOString(),
    end: null,
    results: null,
    usage: null,
    error: null,
  };
  const run = new RunFolder(dir, record, now);
  run.update({});
  return run;
}

/**
 * An existing run, ready to go on: unfinished last lines of its JSON-lines files and left-over
 * temporary files are removed.
 *
 * @param dir - the run folder.
 * @throws {DataError} when there is no readable `run.json`, or one of another version.
 */
export function openRun(dir: string, options: { now?: () => Date } = {}): Run {
  const record = readRunRecord(dir);
  for (const name of readdirSync(dir)) {
    if (isTemporaryName(name)) rmSync(join(dir, name), { force: true });
    else if (name.endsWith('.jsonl')) cutTornLine(join(dir, name));
  }
  return new RunFolder(resolve(dir), record, options.now ?? (() => new Date()));
}

/**
 * The checked content of `run.json`.
 *
 * @throws {DataError} when it is missing, not JSON, of another version (named), or incomplete.
 */
export function readRunRecord(dir: string): RunRecord {
  const file = join(dir, 'run.json');
  const value = parseRecord(file);
  const version = isObject(value) ? value.schemaVersion : undefined;
  if (version !== runSchemaVersion) {
    const shown = JSON.stringify(version) ?? 'absent';
    throw new DataError(
      `${file}: schema version is ${shown}, this program reads ${runSchemaVersion}.`,
      { file, field: 'schemaVersion', help: 'use the version of the package that wrote the run.' },
    );
  }
  const parsed = runRecordSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.') ?? '';
  throw new DataError(`${file}: ${where}: ${issue?.message ?? 'is not a run record'}.`, {
    file,
    field: where,
    help: 'the file was changed by hand or damaged; start a new run.',
  });
}

function parseRecord(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown;
  } catch (cause) {
    const isMissing = systemCode(cause) !== '';
    const what = isMissing ? describeFileProblem(file, cause) : `${file}: not JSON.`;
    throw new DataError(what, {
      file,
      help: isMissing
        ? 'give the folder of a run, as printed when it started.'
        : 'start a new run.',
      cause,
    });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function makeFolder(options: CreateRunOptions, start: Date): string {
  try {
    if (options.dir !== undefined) return makeNamedFolder(resolve(options.dir));
    mkdirSync(options.parent, { recursive: true });
    const minute = start.toISOString().slice(0, 16).replaceAll(':', '');
    const label = options.label.toLowerCase().replace(/[^a-z0-9._]+/g, '-');
    const stem = [minute, options.method, label, `s${options.seed}`].filter((part) => part !== '');
    return makeFreshFolder(resolve(options.parent, stem.join('-')));
  } catch (cause) {
    if (LabError.is(cause)) throw cause;
    const where = options.dir ?? options.parent;
    throw new DataError(`cannot make the run folder ${describeFileProblem(where, cause)}`, {
      file: where,
      help: 'choose another folder with --out.',
      cause,
    });
  }
}

function makeNamedFolder(dir: string): string {
  if (existsSync(join(dir, 'run.json'))) {
    throw new ConfigError(`${dir} holds a run already.`, {
      help: `resume it with --resume ${dir}, or name another folder.`,
    });
  }
  mkdirSync(dir, { recursive: true });
  return dir;
}

function makeFreshFolder(stem: string): string {
  for (;;) {
    const dir = `${stem}-${randomBytes(2).toString('hex')}`;
    try {
      mkdirSync(dir);
      return dir;
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
  }
}

class RunFolder implements Run {
  readonly dir: string;
  record: RunRecord;
  readonly #now: () => Date;

  constructor(dir: string, record: RunRecord, now: () => Date) {
    this.dir = dir;
    this.record = record;
    this.#now = now;
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  appendMetrics(row: object): void {
    appendJsonLine(this.path('metrics.jsonl'), row);
  }

  appendTimings(row: object): void {
    appendJsonLine(this.path('timings.jsonl'), row);
  }

  keepMetrics(keep: (row: Record<string, unknown>) => boolean): void {
    const path = this.path('metrics.jsonl');
    const { rows, torn } = readJsonLines(path);
    const kept = rows.filter((row) => isObject(row) && keep(row));
    if (kept.length === rows.length && !torn) return;
    writeFileAtomic(path, kept.map((row) => `${jsonLine(row)}\n`).join(''));
  }

  log(line: string): void {
    const oneLine = line.replaceAll(/\r?\n/g, ' | ');
    appendLine(this.path('log.txt'), `${this.#now().toISOString()} ${oneLine}`);
  }

  update(partial: Partial<RunRecord>): void {
    this.record = { ...this.record, ...partial };
    writeFileAtomic(this.path('run.json'), `${JSON.stringify(this.record, null, 2)}\n`);
  }

  finish(end: RunEnd): void {
    this.update({
      status: end.status,
      end: this.#now().toISOString(),
      results: end.results === undefined ? this.record.results : { ...end.results },
      usage: end.usage === undefined ? this.record.usage : { ...end.usage },
      error: end.error === undefined ? null : errorRecordOf(end.error),
    });
  }
}

function errorRecordOf(error: unknown): RunRecord['error'] {
  if (LabError.is(error)) {
    const help = error.help === undefined ? {} : { help: error.help };
    return { code: error.code, message: error.message, ...help };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'LAB_INTERNAL', message };
}
