import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname } from 'node:path';
import { appendJsonLine, makeFolder, readJsonLines, sha256 } from '@lab/core';
import type { Cell } from './quality-set.js';

const digestOf = (path: string) => sha256(readFileSync(path, 'utf8')).slice(0, 16);

/** What a result of the lean form hangs on. */
interface LeanKey {
  readonly pair: string;
  readonly seed: number;
  readonly epochs: number;
  readonly seedsDigest: string;
  readonly scriptDigest: string;
}

/** A line of the record: the key, where it was measured, and what the script printed. */
interface LeanRecord extends LeanKey {
  readonly date: string;
  readonly machine: string;
  readonly load: { readonly start: number; readonly end: number };
  readonly result: Record<string, unknown>;
}

/** One training of the lean form. */
export interface LeanRun {
  /** The lean form, a Python program. */
  readonly script: string;
  /** Its flags beside data, seeds, epochs and threads. */
  readonly flags: readonly string[];
  readonly cell: Cell;
  readonly dir: string;
  readonly seedsFile: string;
  readonly seed: number;
  readonly epochs: number;
  readonly every: number;
  /** Python with torch and numpy. */
  readonly python: string;
  /** File of finished results, one a line; a result that is there is not measured again. */
  readonly record: string;
  /** File that takes what the script prints. */
  readonly log: string;
}

function keyOf({ script, cell, seed, epochs, seedsFile }: LeanRun): LeanKey {
  const seedsDigest = digestOf(seedsFile);
  return { pair: cell.id, seed, epochs, seedsDigest, scriptDigest: digestOf(script) };
}

/** What the lean form printed at its end, or null when it has not run with these inputs. */
export function leanResult(run: LeanRun): Record<string, unknown> | null {
  const key = Object.entries(keyOf(run));
  const rows = readJsonLines(run.record).rows as (LeanRecord & Record<string, unknown>)[];
  return rows.findLast((row) => key.every(([name, value]) => row[name] === value))?.result ?? null;
}

/**
 * Trains the lean form on the same folder and seed file, on two threads, and adds a line to the
 * record.
 *
 * @throws {Error} when Python or a package is missing, or the script fails.
 */
export function runLean(run: LeanRun): void {
  const { python, script, dir, seedsFile, seed, epochs, every } = run;
  const date = new Date().toISOString().slice(0, 10);
  const start = loadavg()[0]!;
  const values = { data: dir, seeds: seedsFile, seed, epochs };
  const common = Object.entries({ ...values, 'evaluate-every': every, threads: 2 });
  const args = [
    script,
    ...run.flags,
    ...common.flatMap(([name, value]) => [`--${name}`, `${value}`]),
  ];
  const log = openSync(run.log, 'w');
  const { status, error } = spawnSync(python, args, { stdio: ['ignore', log, log] });
  closeSync(log);
  const lines = readFileSync(run.log, 'utf8').trim().split('\n');
  if (status !== 0) {
    const why = error?.message ?? lines.at(-1);
    const help = `see ${run.log}; --form ours goes without Python`;
    throw new Error(`${python} ${args.join(' ')} failed: ${why} (${help})`);
  }
  const result = JSON.parse(lines.at(-1)!) as LeanRecord['result'];
  const machine = `${cpus().length} x ${cpus()[0]!.model}`;
  makeFolder(dirname(run.record));
  const load = { start, end: loadavg()[0]! };
  appendJsonLine(run.record, { ...keyOf(run), date, machine, load, result });
}
