import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DataError, writeFileAtomic } from '@lab/core';
import { readNpy, writeNpy } from '../io/npy.js';
import type { HostAdamW } from './host-adamw.js';
import { HostRows } from './host-rows.js';

/** What {@link writeHostTable} writes and {@link readHostTable} fills. */
export interface HostTableParts {
  readonly table: HostRows;
  /** Null: only the values. */
  readonly optimizer: HostAdamW | null;
}

/** Bytes of one file, about. */
const SHARD_BYTES = 2 ** 28;
const manifestName = 'table.json';

interface Manifest {
  readonly rowCount: number;
  readonly columnCount: number;
  readonly shardRows: number;
  /** Null: there are no moments. */
  readonly stepCount: number | null;
}

/**
 * Writes a table, and the moments of its optimiser, as npy files of 256 MiB of rows each:
 * `values-0000.npy`, `first-0000.npy`, `second-0000.npy` and so on; `table.json` comes last, so a
 * folder that has it is complete. Writing into a folder with a table replaces it: to keep the old
 * one until the new one is whole, take two folders in turn.
 *
 * @param folder - made if it is not there.
 * @param parts - the table and its optimiser.
 * @param options - `shardBytes`: size of a file, about; default 256 MiB.
 * @throws {DataError} when the disk is full or the folder cannot be written.
 */
export async function writeHostTable(
  folder: string,
  { table, optimizer }: HostTableParts,
  { shardBytes = SHARD_BYTES }: { readonly shardBytes?: number } = {},
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  rmSync(join(folder, manifestName), { force: true });
  const { rowCount, columnCount } = table;
  const shardRows = Math.max(1, Math.floor(shardBytes / 4 / Math.max(1, columnCount)));
  const manifest = {
    ...{ rowCount, columnCount, shardRows },
    stepCount: optimizer?.stepCount ?? null,
  };
  for (const { path, array, start, rows } of shards(folder, manifest, { table, optimizer })) {
    const data = array.subarray(start * columnCount, (start + rows) * columnCount);
    await writeNpy(path, { shape: [rows, columnCount], data });
  }
  writeFileAtomic(join(folder, manifestName), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

/**
 * Fills a table, and the moments of its optimiser, from a folder of {@link writeHostTable}, one
 * file at a time.
 *
 * @param folder - what was written.
 * @param parts - a table of the same sizes; with an optimiser the folder must hold moments.
 * @throws {DataError} when the folder is incomplete, damaged, or of another size.
 */
export async function readHostTable(folder: string, parts: HostTableParts): Promise<void> {
  const manifest = readManifest(folder, parts);
  for (const { path, array, start, rows } of shards(folder, manifest, parts)) {
    const { shape, data } = await readNpy(path);
    if (shape[0] !== rows || shape[1] !== manifest.columnCount || !(data instanceof Float32Array)) {
      throw new DataError(
        `${path}: holds [${shape.join(', ')}], [${rows}, ${manifest.columnCount}] of float32 is ` +
          'needed.',
        { file: path, help: 'The folder is damaged; take another one.' },
      );
    }
    array.set(data, start * manifest.columnCount);
  }
  const { optimizer } = parts;
  optimizer?.loadState(optimizer.moments, manifest.stepCount as number);
}

/**
 * The table of a folder of {@link writeHostTable}, without moments.
 *
 * @returns null where the folder holds no whole table.
 * @throws {DataError} when a file is damaged.
 */
export async function openHostTable(folder: string): Promise<HostRows | null> {
  const path = join(folder, manifestName);
  const manifest = existsSync(path) ? parseManifest(readFileSync(path, 'utf8')) : null;
  if (manifest === null) return null;
  const table = new HostRows(manifest.rowCount, manifest.columnCount);
  await readHostTable(folder, { table, optimizer: null });
  return table;
}

function* shards(folder: string, manifest: Manifest, { table, optimizer }: HostTableParts) {
  const { rowCount, shardRows } = manifest;
  const arrays = { values: table.values, ...optimizer?.moments };
  for (const [name, array] of Object.entries(arrays)) {
    for (let start = 0; start < rowCount; start += shardRows) {
      const number = String(start / shardRows).padStart(4, '0');
      const rows = Math.min(shardRows, rowCount - start);
      yield { path: join(folder, `${name}-${number}.npy`), array, start, rows };
    }
  }
}

function readManifest(folder: string, { table, optimizer }: HostTableParts): Manifest {
  const path = join(folder, manifestName);
  const fail = (what: string, help: string) => new DataError(`${path}: ${what}.`, { help });
  if (!existsSync(path)) {
    throw fail('is missing', 'The folder holds no table, or writing it was cut off.');
  }
  const manifest = parseManifest(readFileSync(path, 'utf8'));
  if (manifest === null) throw fail('cannot be read', 'The folder is damaged; take another one.');
  const { rowCount, columnCount, stepCount } = manifest;
  if (rowCount !== table.rowCount || columnCount !== table.columnCount) {
    throw fail(
      `the table is ${rowCount} x ${columnCount}, ` +
        `${table.rowCount} x ${table.columnCount} is needed`,
      'Load the table of a model with the same sizes.',
    );
  }
  if (optimizer !== null && stepCount === null) {
    throw fail('there are no moments', 'Load the values alone.');
  }
  return manifest;
}

function parseManifest(text: string): Manifest | null {
  try {
    const found = JSON.parse(text) as Manifest;
    const isSize = (value: unknown) => Number.isInteger(value) && (value as number) >= 0;
    const sizes = [found.rowCount, found.columnCount, found.shardRows, found.stepCount ?? 0];
    return sizes.every(isSize) && found.shardRows > 0 ? found : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
