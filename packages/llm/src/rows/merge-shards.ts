/**
 * One run out of the shards of several processes.
 */
import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  canonicalJson,
  ConfigError,
  createRun,
  DataError,
  eachLine,
  formatCount,
  formatCounted,
  type Run,
  readRunRecord,
  type RunRecord,
} from '@lab/core';
import { type Clock, systemClock } from '../clock.js';
import { Column, idKey, KeyTable } from '../key-table.js';
import { SyncedFile } from '../synced-file.js';
import { type Prediction, recordHead, type RunRow } from './row-record.js';
import { loadWasted } from './run-files.js';
import { type RowCounts, RunTotals, type RunUsage } from './run-totals.js';
import { type Shard, shardFile } from './shard.js';

/** Settings of {@link mergeShards}. */
export interface MergeOptions {
  /** Folders of shards, or the folder that holds them. */
  readonly folders: readonly string[];
  /** New folder of the whole run. */
  readonly out: string;
  /** The rows in their order. */
  readonly rows: Iterable<RunRow> | AsyncIterable<RunRow>;
  /** Merges although rows are missing. */
  readonly allowGaps?: boolean | undefined;
  readonly command?: readonly string[] | undefined;
  readonly clock?: Clock | undefined;
}

/** What {@link mergeShards} found. */
export interface MergeSummary {
  readonly dir: string;
  readonly shards: number;
  readonly counts: RowCounts;
  readonly usage: RunUsage;
  /** Rows that no shard has finished. */
  readonly gaps: number;
}

/** A shard's folder and what its `run.json` says. */
export interface ShardRun {
  readonly dir: string;
  readonly shard: Shard;
  readonly record: RunRecord;
}

const listed = 10;

/**
 * Merges the predictions of shards into one run, in the order of the rows: the same bytes as those
 * of a run without shards.
 *
 * @throws {ConfigError} when shards are missing or doubled, or were started with different
 *   settings, prompts or data.
 * @throws {DataError} for rows that two shards finished or none did.
 */
export async function mergeShards(options: MergeOptions): Promise<MergeSummary> {
  const { clock = systemClock } = options;
  const shards = findShards(options.folders);
  assertAlike(shards);
  const lines = await indexShards(shards);
  try {
    const order = await orderOf(options.rows, lines);
    if (order.missing.count > 0 && options.allowGaps !== true) throw gapsError(order.missing);
    const run = createMerged(options, shards, clock);
    const totals = new RunTotals();
    try {
      await writeMerged(run, lines, order.rows);
      await copyOthers(run, shards);
      await eachLine(run.path('predictions.jsonl'), (text) => {
        if (text !== '') totals.add(JSON.parse(text) as Prediction);
      });
      await loadWasted(run.path('timings.jsonl'), totals);
      totals.failed = order.missing.count;
      const counts = totals.counts(order.total);
      const usage = totals.usage();
      run.finish({ status: 'success', results: { ...counts }, usage: { ...usage } });
      return { dir: run.dir, shards: shards.length, counts, usage, gaps: order.missing.count };
    } catch (error) {
      run.finish({ status: 'error', error });
      throw error;
    }
  } finally {
    lines.close();
  }
}

/** The folders of shards inside the folder of all, by name. */
export function shardFolders(folder: string): string[] {
  const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  const inside = isFolder ? readdirSync(folder) : [];
  const names = inside.filter((name) => /^\d+-of-\d+$/.test(name)).sort();
  return names.map((name) => join(folder, name));
}

/**
 * The shards in folders, by their number.
 *
 * @throws {ConfigError} for a folder without any, and when some are missing or doubled.
 */
export function findShards(folders: readonly string[]): ShardRun[] {
  const dirs = folders.flatMap((folder) =>
    existsSync(join(folder, 'run.json')) ? [folder] : shardFolders(folder),
  );
  const shards = dirs.map((dir) => shardRun(dir)).sort((a, b) => a.shard.index - b.shard.index);
  const count = shards[0]?.shard.count ?? 0;
  const wrong = shards.find(({ shard }) => shard.count !== count);
  if (wrong !== undefined) {
    throw new ConfigError(`${wrong.dir}: one of ${wrong.shard.count} shards, others of ${count}.`);
  }
  const numbers = shards.map(({ shard }) => shard.index);
  const missing = Array.from({ length: count }, (_, i) => i).filter((i) => !numbers.includes(i));
  if (shards.length > 0 && missing.length === 0 && numbers.length === count) return shards;
  const twice = numbers.find((index, at) => numbers.indexOf(index) !== at);
  const what =
    shards.length === 0
      ? `no shards in ${folders.join(', ')}`
      : twice === undefined
        ? `shard ${missing.join(', ')} of ${count} is missing`
        : `shard ${twice} of ${count} was given twice`;
  throw new ConfigError(`${what}.`, { help: 'give the folder of every shard once.' });
}

function shardRun(dir: string): ShardRun {
  const record = readRunRecord(dir);
  const { shard } = (record.config.resolved ?? {}) as { shard?: Shard | null };
  if (shard) return { dir, shard, record };
  throw new ConfigError(`${dir}: the run is no shard.`, {
    help: 'give folders of runs with --shard i/k.',
  });
}

/** @throws {ConfigError} for shards that were started differently. */
function assertAlike(shards: readonly ShardRun[]): void {
  const aboutOf = ({ record }: ShardRun) => {
    const { shard: _, ...config } = record.config.resolved as Record<string, unknown>;
    return { ...config, data: record.data.map(({ sha256 }) => sha256), method: record.method };
  };
  const [first, ...others] = shards;
  if (first === undefined) return;
  const about: Record<string, unknown> = aboutOf(first);
  for (const other of others) {
    const its: Record<string, unknown> = aboutOf(other);
    const names = Object.keys({ ...about, ...its });
    const text = (value: unknown) => canonicalJson(value ?? null);
    const differing = names.filter((name) => text(about[name]) !== text(its[name]));
    if (differing.length === 0) continue;
    throw new ConfigError(`${other.dir} and ${first.dir} differ in ${differing.join(', ')}.`, {
      help: 'merge shards of one run only.',
      details: { differing },
    });
  }
}

/** The lines of all shards, by id. */
class ShardLines {
  readonly table = new KeyTable(2);
  readonly offsets = new Column((length) => new Float64Array(length));
  readonly lengths = new Column((length) => new Uint32Array(length));
  readonly shards = new Column((length) => new Uint16Array(length));
  readonly #files: number[] = [];

  open(path: string): void {
    this.#files.push(openSync(path, 'r'));
  }

  lineAt(row: number): Buffer {
    const bytes = Buffer.allocUnsafe(this.lengths.get(row));
    const file = this.#files[this.shards.get(row)] ?? -1;
    readSync(file, bytes, 0, bytes.length, this.offsets.get(row));
    return bytes;
  }

  close(): void {
    for (const file of this.#files) closeSync(file);
  }
}

async function indexShards(shards: readonly ShardRun[]): Promise<ShardLines> {
  const lines = new ShardLines();
  const doubled: string[] = [];
  for (const [number, { dir, shard }] of shards.entries()) {
    const path = join(dir, shardFile('predictions', shard));
    let offset = 0;
    await eachLine(path, (text) => {
      const length = Buffer.byteLength(text) + 1;
      const head = recordHead(text);
      if (head !== undefined) {
        const { row, isNew } = lines.table.add(idKey(head.id));
        if (!isNew) doubled.push(head.id);
        lines.offsets.set(row, offset);
        lines.lengths.set(row, length);
        lines.shards.set(row, number);
      }
      offset += length;
    });
    lines.open(path);
  }
  if (doubled.length === 0) return lines;
  lines.close();
  const count = formatCount(doubled.length);
  throw new DataError(`${count} rows are finished twice: ${namesOf(doubled)}.`, {
    help: 'merge shards of one run only; remove the doubled lines.',
    details: { doubled: doubled.slice(0, listed) },
  });
}

interface Missing {
  count: number;
  readonly ids: string[];
}

/** The lines' rows in the order of the input. */
async function orderOf(rows: MergeOptions['rows'], { table }: ShardLines) {
  const order = new Column((length) => new Uint32Array(length));
  const missing: Missing = { count: 0, ids: [] };
  let [found, total] = [0, 0];
  for await (const { id } of rows) {
    total += 1;
    const row = table.find(idKey(id));
    if (row >= 0) {
      order.set(found, row);
      found += 1;
      continue;
    }
    missing.count += 1;
    if (missing.ids.length < listed) missing.ids.push(id);
  }
  if (found < table.size) {
    throw new DataError(`${formatCount(table.size - found)} finished rows are not in the data.`, {
      help: 'give the file that the shards were made from.',
    });
  }
  return { rows: { order, count: found }, missing, total };
}

function gapsError({ count, ids }: Missing): DataError {
  return new DataError(`no shard has finished ${formatCounted(count, 'row')}: ${namesOf(ids)}.`, {
    help: 'resume the shards until they are done, or merge what there is with --allow-gaps.',
    details: { gaps: count, ids },
  });
}

const namesOf = (ids: readonly string[]) =>
  `${ids
    .slice(0, listed)
    .map((id) => JSON.stringify(id))
    .join(', ')}${ids.length > listed ? ', ...' : ''}`;

function createMerged(options: MergeOptions, shards: readonly ShardRun[], clock: Clock): Run {
  const [{ record }] = shards as [ShardRun];
  const { shard: _, ...config } = record.config.resolved as Record<string, unknown>;
  const { method, label, seed, data, backend, packages } = record;
  return createRun({
    ...{ parent: options.out, dir: options.out, method, label, seed, data, backend, packages },
    // Where prompts and schema stood, for whoever exports the run.
    passed: record.config.passed,
    command: options.command ?? [],
    config: { ...config, shard: null },
    now: () => new Date(clock.date()),
  });
}

const linesPerWrite = 1000;

async function writeMerged(
  run: Run,
  lines: ShardLines,
  { order, count }: { readonly order: Column<Uint32Array>; readonly count: number },
): Promise<void> {
  const file = await SyncedFile.open(run.path('predictions.jsonl'), { gapMs: 0 });
  try {
    for (let from = 0; from < count; from += linesPerWrite) {
      const length = Math.min(linesPerWrite, count - from);
      const part = Array.from({ length }, (_, i) => lines.lineAt(order.get(from + i)));
      await file.append(Buffer.concat(part).toString('utf8'));
    }
  } finally {
    await file.close();
  }
}

/** Failures and timings, shard by shard. */
async function copyOthers(run: Run, shards: readonly ShardRun[]): Promise<void> {
  for (const stem of ['failures', 'timings']) {
    const file = await SyncedFile.open(run.path(`${stem}.jsonl`), { gapMs: 0, isSynced: false });
    for (const { dir, shard } of shards) {
      const path = join(dir, shardFile(stem, shard));
      let block = '';
      if (!existsSync(path)) continue;
      await eachLine(path, (text) => {
        block += `${text}\n`;
        if (block.length < 1 << 20) return;
        void file.append(block).catch(() => undefined); // for interest only
        block = '';
      });
      if (block !== '') await file.append(block);
    }
    await file.close();
  }
}
