import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { appendLine, isTemporaryName, writeFileAtomic } from './atomic-file.js';
import { describeEnvironment } from './environment.js';
import { ConfigError } from './errors.js';
import { systemCode } from './file-problem.js';
import { asFolderProblem, makeFolder } from './folder.js';
import { type GitState, gitState } from './git-state.js';
import type { FileRecord } from './hash.js';
import { appendJsonLine, cutTornLine, jsonLine, readJsonLines } from './jsonl.js';
import { lockRun, type RunLock } from './run-lock.js';
import { errorRecordOf, isObject, readRunRecord } from './run-record.js';
import { type RunRecord, runSchemaVersion } from './run-schema.js';

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
  /** State of the sources, where the caller knows it; default that of the present folder. */
  readonly git?: GitState | null | undefined;
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
  /** Writes status, end, results and error to `run.json`, and releases the folder. */
  finish(end: RunEnd): void;
  /** Leaves the folder to other processes; done by itself when this process ends. */
  release(): void;
}

/**
 * A new run: its folder, named like `2026-11-23T1733-ibmea-dbp15k-s2024-3f9c` (UTC), with a
 * `run.json` of status `started`, and a file `lock` for as long as this process writes there.
 *
 * @throws {ConfigError} when `dir` holds a run already, or another process is making one there.
 * @throws {DataError} when the folder cannot be written.
 */
export function createRun(options: CreateRunOptions): Run {
  const now = options.now ?? (() => new Date());
  const start = now();
  const dir = makeRunFolder(options, start);
  const lock = lockRun(dir, now);
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
    git: options.git === undefined ? gitState(process.cwd()) : options.git,
    data: [...(options.data ?? [])],
    backend: options.backend ?? null,
    environment: { ...describeEnvironment(), ...options.environment },
    start: start.toISOString(),
    end: null,
    results: null,
    usage: null,
    error: null,
  };
  const run = new RunFolder(dir, record, { now, lock });
  run.update({});
  return run;
}

/**
 * An existing run, to look at it or to write its report again; another process may be at work on
 * it. To go on with it see {@link resumeRun}.
 *
 * @param dir - the run folder.
 * @throws {DataError} when there is no readable `run.json`, or one of another version.
 */
export function openRun(dir: string, options: { now?: () => Date } = {}): Run {
  const now = options.now ?? (() => new Date());
  return new RunFolder(resolve(dir), readRunRecord(dir), { now, lock: null });
}

/**
 * An existing run, ready to go on: it is locked for this process, and unfinished last lines of its
 * JSON-lines files and left-over temporary files are removed.
 *
 * @param dir - the run folder.
 * @throws {ConfigError} when another process is at work on it; a killed one does not count.
 * @throws {DataError} when there is no readable `run.json`, or one of another version.
 */
export function resumeRun(dir: string, options: { now?: () => Date } = {}): Run {
  const now = options.now ?? (() => new Date());
  readRunRecord(dir); // a folder that is no run gets no lock
  const lock = lockRun(resolve(dir), now);
  for (const name of readdirSync(dir)) {
    if (isTemporaryName(name)) rmSync(join(dir, name), { force: true });
    else if (name.endsWith('.jsonl')) cutTornLine(join(dir, name));
  }
  return new RunFolder(resolve(dir), readRunRecord(dir), { now, lock });
}

function makeRunFolder(options: CreateRunOptions, start: Date): string {
  if (options.dir !== undefined) return makeNamedFolder(resolve(options.dir));
  makeFolder(options.parent);
  const minute = start.toISOString().slice(0, 16).replaceAll(':', '');
  const label = options.label.toLowerCase().replace(/[^a-z0-9._]+/g, '-');
  const stem = [minute, options.method, label, `s${options.seed}`].filter((part) => part !== '');
  return makeFreshFolder(resolve(options.parent, stem.join('-')));
}

function makeNamedFolder(dir: string): string {
  if (existsSync(join(dir, 'run.json'))) {
    throw new ConfigError(`${dir} holds a run already.`, {
      help: `resume it with --resume ${dir}, or name another folder.`,
    });
  }
  makeFolder(dir);
  return dir;
}

function makeFreshFolder(stem: string): string {
  for (;;) {
    const dir = `${stem}-${randomBytes(2).toString('hex')}`;
    try {
      mkdirSync(dir);
      return dir;
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw asFolderProblem(dir, error);
    }
  }
}

class RunFolder implements Run {
  readonly dir: string;
  record: RunRecord;
  readonly #now: () => Date;
  readonly #lock: RunLock | null;

  constructor(dir: string, record: RunRecord, held: { now: () => Date; lock: RunLock | null }) {
    this.dir = dir;
    this.record = record;
    this.#now = held.now;
    this.#lock = held.lock;
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
    try {
      this.update({
        status: end.status,
        end: this.#now().toISOString(),
        results: end.results === undefined ? this.record.results : { ...end.results },
        usage: end.usage === undefined ? this.record.usage : { ...end.usage },
        error: end.error === undefined ? null : errorRecordOf(end.error),
      });
    } finally {
      this.release();
    }
  }

  release(): void {
    this.#lock?.release();
  }
}
