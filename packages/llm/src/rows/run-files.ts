/**
 * The folder of a run of rows: what it was started with, and its files.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  canonicalJson,
  ConfigError,
  createRun,
  eachLine,
  type FileRecord,
  type GitState,
  type Run,
  resumeRun,
} from '@lab/core';
import type { Clock } from '../clock.js';
import { SyncedFile } from '../synced-file.js';
import type { RowLedger } from './row-ledger.js';
import type { Prediction, RowTiming } from './row-record.js';
import type { RunTotals } from './run-totals.js';
import { type DamagedLine, setAside } from './set-aside.js';
import { type Shard, shardFile } from './shard.js';

/** What a run is about: kept in `run.json`, and compared when it goes on. */
export interface RunDescription {
  readonly method: string;
  readonly label: string;
  readonly seed?: number | undefined;
  readonly command?: readonly string[] | undefined;
  /**
   * Everything that decides what is asked: model, address, digests of prompts, sampling. A run goes
   * on only where it is the same.
   */
  readonly config: Readonly<Record<string, unknown>>;
  /** The settings as passed, for whoever goes on with the run; no secrets. */
  readonly passed?: Readonly<Record<string, unknown>> | undefined;
  readonly data?: readonly FileRecord[] | undefined;
  /** State of the sources; default that of the present folder. */
  readonly git?: GitState | null | undefined;
  readonly packages?: Readonly<Record<string, string>> | undefined;
  readonly backend?: unknown;
}

/** How the folder is opened. */
export interface OpenRunOptions {
  readonly dir: string;
  readonly shard: Shard | undefined;
  readonly isResumed: boolean;
  readonly allowMixed: boolean;
  readonly clock: Clock;
}

/** The folder of a shard inside the folder of all: each has its own lock and `run.json`. */
export function runFolder(dir: string, shard: Shard | undefined): string {
  return shard === undefined ? dir : join(dir, `${shard.index}-of-${shard.count}`);
}

/**
 * The run in a folder, new or going on, locked for this process.
 *
 * @throws {ConfigError} when the folder holds a run already and it is not to go on, when that run
 *   asked something else, or another process is at work on it.
 */
export function openRowsRun(description: RunDescription, options: OpenRunOptions): Run {
  const { shard, allowMixed, clock } = options;
  const dir = runFolder(options.dir, shard);
  const now = () => new Date(clock.date());
  const config = { ...description.config, shard: shard ?? null };
  if (!options.isResumed || !existsSync(join(dir, 'run.json'))) {
    const { method, label, seed = 0, command = [] } = description;
    const { passed, data, git, packages, backend } = description;
    const made = { parent: dir, dir, method, label, seed, command, config, now };
    return createRun({ ...made, passed, data, git, packages, backend });
  }
  const run = resumeRun(dir, { now });
  try {
    if (!allowMixed) assertSame(run, config, description.data ?? []);
    run.update({ status: 'started', end: null, error: null });
    return run;
  } catch (error) {
    run.release();
    throw error;
  }
}

function assertSame(
  run: Run,
  config: Readonly<Record<string, unknown>>,
  data: readonly FileRecord[],
): void {
  const earlier = run.record.config.resolved as Readonly<Record<string, unknown>> | null;
  const names = new Set([...Object.keys(earlier ?? {}), ...Object.keys(config)]);
  const changed = [...names].filter((name) => !isSame(earlier?.[name], config[name]));
  const digests = (files: readonly { sha256: string }[]) => files.map((file) => file.sha256);
  if (!isSame(digests(run.record.data), digests(data))) changed.push('data');
  if (changed.length === 0) return;
  throw new ConfigError(`${run.dir}: the run was started with another ${changed.join(', ')}.`, {
    help: 'start a new run in another folder, or go on with --allow-mixed.',
    details: { run: run.dir, changed },
  });
}

function isSame(a: unknown, b: unknown): boolean {
  return canonicalJson(a ?? null) === canonicalJson(b ?? null);
}

/** The growing files of a run. */
export interface RowFiles {
  readonly predictions: SyncedFile;
  readonly failures: SyncedFile;
  readonly timings: SyncedFile;
}

/** Opens the growing files of a run. */
export async function openRowFiles(
  run: Run,
  shard: Shard | undefined,
  clock: Clock,
): Promise<RowFiles> {
  const open = (stem: string, isSynced: boolean, gapMs: number) =>
    SyncedFile.open(run.path(shardFile(stem, shard)), { isSynced, gapMs, clock });
  return {
    predictions: await open('predictions', true, 20),
    failures: await open('failures', true, 20),
    timings: await open('timings', false, 50),
  };
}

/** Closes the files; the first problem is thrown after all were tried. */
export async function closeRowFiles(files: RowFiles): Promise<void> {
  const closed = await Promise.allSettled(Object.values(files).map((file) => file.close()));
  for (const result of closed) if (result.status === 'rejected') throw result.reason;
}

/**
 * Takes over what earlier processes have finished. Lines that are no predictions are set aside in a
 * file beside it: their rows are asked again.
 *
 * @throws {DataError} for a line of bytes that are no text.
 */
export async function loadFinished(
  path: string,
  ledger: RowLedger,
  totals: RunTotals,
): Promise<void> {
  if (!existsSync(path)) return;
  const damaged: DamagedLine[] = [];
  await eachLine(path, (text, line) => {
    if (text === '') return;
    const prediction = parsedPrediction(text);
    if (prediction === null) {
      damaged.push({ line, text });
      return;
    }
    if (ledger.isFinished(prediction.id)) return; // the line of a run with mixed requests
    ledger.load(prediction.id, prediction.requestHash);
    totals.add(prediction);
  });
  totals.damaged = damaged.length;
  await setAside(path, damaged);
}

/** Counts what rows of earlier processes did waste: most lines say nothing of that. */
export async function loadWasted(path: string, totals: RunTotals): Promise<void> {
  if (!existsSync(path)) return;
  await eachLine(path, (text) => {
    if (!text.includes('"lost":[') && !text.includes('"unknown":{')) return;
    const timing = parsedOrNull(text) as RowTiming | null;
    if (timing !== null) totals.addTiming(timing);
  });
}

/** A last line that was cut is no loss. */
function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** The prediction of a line; null where it is none. */
function parsedPrediction(text: string): Prediction | null {
  const value = parsedOrNull(text) as Prediction | null;
  return typeof value?.id === 'string' && typeof value.usage === 'object' ? value : null;
}
