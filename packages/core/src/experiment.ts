import { join } from 'node:path';
import { InterruptedError, ModelError } from './errors.js';
import { makeFolder } from './folder.js';
import { canonicalJson, sha256 } from './hash.js';
import { appendJsonLine, cutTornLine, readJsonLines } from './jsonl.js';

/** One setting of an experiment. */
export interface ExperimentCell {
  /** Short unique name, e.g. `without-relation`. */
  readonly id: string;
  /** What is set, as plain data. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Told after each cell and seed. */
export interface ExperimentProgress {
  readonly done: number;
  readonly total: number;
  readonly id: string;
  readonly seed: number;
  readonly values: Readonly<Record<string, number>>;
  /** Whether the numbers come from an earlier run. */
  readonly reused: boolean;
}

/** What {@link runExperiment} needs to know. */
export interface ExperimentOptions {
  /** Folder of the result file `<name>.jsonl`; created when absent. */
  readonly dir: string;
  readonly name: string;
  readonly cells: readonly ExperimentCell[];
  readonly seeds: readonly number[];
  /** Runs one setting with one seed and gives its numbers, all finite. */
  runCell(
    cell: ExperimentCell,
    seed: number,
    context: { readonly signal: AbortSignal },
  ): Promise<Record<string, number>>;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ExperimentProgress) => void) | undefined;
}

/** The numbers of one setting over all seeds. */
export interface ExperimentRow {
  readonly id: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Number of seeds. */
  readonly n: number;
  readonly mean: Record<string, number>;
  /** Sample standard deviation (n - 1); 0 for one seed. */
  readonly deviation: Record<string, number>;
  /** Values per metric, in the order of the seeds. */
  readonly values: Record<string, number[]>;
}

/** The result of {@link runExperiment}; rows in the order of the cells. */
export interface ExperimentTable {
  readonly rows: ExperimentRow[];
}

interface StoredCell {
  readonly id: string;
  readonly seed: number;
  readonly settings: string;
  readonly values: Record<string, number>;
}

/**
 * The table of a grid of settings and seeds. Each finished cell is a line of `<dir>/<name>.jsonl`,
 * so a second call goes on where an interrupted one stopped; a cell whose settings changed is run
 * again.
 *
 * @throws {InterruptedError} when the signal is aborted between cells.
 * @throws {ModelError} when a cell gives a number that is not finite.
 */
export async function runExperiment(options: ExperimentOptions): Promise<ExperimentTable> {
  makeFolder(options.dir);
  const path = join(options.dir, `${options.name}.jsonl`);
  cutTornLine(path);
  const stored = new Map<string, StoredCell>();
  for (const row of readJsonLines(path).rows) {
    if (isStoredCell(row)) stored.set(keyOf(row), row);
  }
  const state: GridState = { path, stored, done: 0, signal: signalOf(options) };
  const rows: ExperimentRow[] = [];
  for (const cell of options.cells) rows.push(await runRow(options, cell, state));
  return { rows };
}

interface GridState {
  readonly path: string;
  readonly stored: Map<string, StoredCell>;
  readonly signal: AbortSignal;
  done: number;
}

function signalOf(options: ExperimentOptions): AbortSignal {
  return options.signal ?? new AbortController().signal;
}

async function runRow(
  options: ExperimentOptions,
  cell: ExperimentCell,
  state: GridState,
): Promise<ExperimentRow> {
  const results: Record<string, number>[] = [];
  for (const seed of options.seeds) results.push(await runOrReuse(options, cell, { seed, state }));
  return summarise(cell, results);
}

async function runOrReuse(
  options: ExperimentOptions,
  cell: ExperimentCell,
  { seed, state }: { seed: number; state: GridState },
): Promise<Record<string, number>> {
  const settings = sha256(canonicalJson(cell.settings)).slice(0, 16);
  const known = state.stored.get(keyOf({ id: cell.id, seed, settings }));
  if (!known) stopIfAborted(options, state);
  const values = known?.values ?? (await options.runCell(cell, seed, { signal: state.signal }));
  if (!known) {
    checkValues(values, `${options.name}/${cell.id} seed ${seed}`);
    appendJsonLine(state.path, { id: cell.id, seed, settings, values });
  }
  state.done += 1;
  const total = options.cells.length * options.seeds.length;
  const reused = known !== undefined;
  options.onProgress?.({ done: state.done, total, id: cell.id, seed, values, reused });
  return values;
}

function stopIfAborted(options: ExperimentOptions, state: GridState): void {
  if (!state.signal.aborted) return;
  const total = options.cells.length * options.seeds.length;
  throw new InterruptedError(`saved ${state.done} of ${total} cells in ${state.path}`, {
    help: 'the same command goes on from there.',
    cause: state.signal.reason,
  });
}

function checkValues(values: Readonly<Record<string, number>>, where: string): void {
  for (const [metric, value] of Object.entries(values)) {
    if (!Number.isFinite(value)) {
      throw new ModelError(`core/experiment: ${metric} of ${where} is ${value}.`);
    }
  }
}

function keyOf(cell: { id: string; seed: number; settings: string }): string {
  return `${cell.id}\n${cell.seed}\n${cell.settings}`;
}

function isStoredCell(row: unknown): row is StoredCell {
  if (typeof row !== 'object' || row === null) return false;
  return 'id' in row && 'seed' in row && 'settings' in row && 'values' in row;
}

function summarise(
  cell: ExperimentCell,
  results: readonly Record<string, number>[],
): ExperimentRow {
  const values: Record<string, number[]> = {};
  for (const result of results) {
    for (const [metric, value] of Object.entries(result)) (values[metric] ??= []).push(value);
  }
  const mean: Record<string, number> = {};
  const deviation: Record<string, number> = {};
  for (const [metric, list] of Object.entries(values)) {
    const middle = list.reduce((sum, value) => sum + value, 0) / list.length;
    const squares = list.reduce((sum, value) => sum + (value - middle) ** 2, 0);
    mean[metric] = middle;
    deviation[metric] = list.length > 1 ? Math.sqrt(squares / (list.length - 1)) : 0;
  }
  return { id: cell.id, settings: cell.settings, n: results.length, mean, deviation, values };
}
