/**
 * Hidden states onto disk, unit by unit: a kill loses the unit at work and nothing else.
 */
import { closeSync, existsSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson, ConfigError, DataError, makeFolder, writeFileAtomic } from '@lab/core';
import { npyHeader } from '@lab/tensor/io';
import {
  readAbout,
  readRows,
  type StateRow,
  type StateStoreAbout,
  storeFiles,
  writeAbout,
} from './state-store.js';

/** A store that is being filled. */
export interface StateWriter {
  /** Rows that are saved. */
  readonly rowsDone: number;
  /** Writes rows of a state behind those that are saved; they count once they are committed. */
  write(state: number, rows: Float32Array): void;
  /** Saves a unit: every state was written. */
  commit(rows: readonly StateRow[]): void;
}

/**
 * Begins a store, or goes on with one of the same states.
 *
 * @param folder - made when it is missing.
 * @param keep - of the rows that are saved, how many stay: the begin of a unit.
 * @throws {ConfigError} where the folder holds other states.
 * @throws {DataError} where it cannot be written.
 */
export function openStateWriter(
  folder: string,
  about: StateStoreAbout,
  keep: (saved: number) => number = (saved) => saved,
): StateWriter {
  makeFolder(folder);
  const rowsPath = join(folder, storeFiles.rows);
  if (existsSync(join(folder, storeFiles.about))) assertSame(folder, about);
  else writeAbout(folder, about);
  const saved = readRows(folder);
  let rowsDone = keep(saved.length);
  const kept = saved.slice(0, rowsDone);
  writeFileAtomic(rowsPath, kept.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const header = npyHeader('<f4', [about.rowCount, about.width]);
  const rowBytes = 4 * about.width;
  return {
    get rowsDone() {
      return rowsDone;
    },
    write(state, rows) {
      const path = join(folder, storeFiles.state(state));
      const bytes = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
      const place = header.length + rowsDone * rowBytes;
      writeAt(path, rowsDone === 0 ? header : null, { bytes, place });
    },
    commit(rows) {
      const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
      writeAll(rowsPath, 'a', (file) => writeSync(file, text));
      rowsDone += rows.length;
    },
  };
}

interface Piece {
  readonly bytes: Uint8Array;
  readonly place: number;
}

function writeAt(path: string, header: Uint8Array | null, { bytes, place }: Piece): void {
  writeAll(path, header === null ? 'r+' : 'w', (file) => {
    if (header !== null) writeSync(file, header, 0, header.length, 0);
    const most = 1 << 26;
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(file, bytes, done, Math.min(most, bytes.length - done), place + done);
    }
  });
}

/** Opens, writes, flushes and closes a file; what fails names it. */
function writeAll(path: string, flags: string, write: (file: number) => void): void {
  let file: number | undefined;
  try {
    file = openSync(path, flags);
    write(file);
    fsyncSync(file);
  } catch (cause) {
    throw new DataError(`cannot write ${path}: ${(cause as Error).message}.`, {
      file: path,
      help: 'Free some space, then go on with --resume.',
      cause,
    });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Refuses a folder whose states are others, naming what differs. */
function assertSame(folder: string, about: StateStoreAbout): void {
  // A model may have moved.
  const moved = (one: StateStoreAbout) => ({ ...one, model: { ...one.model, path: '' } });
  const [there, wanted] = [moved(readAbout(folder)), moved(about)];
  const differing = (Object.keys(about) as (keyof StateStoreAbout)[]).filter(
    (key) => canonicalJson(wanted[key]) !== canonicalJson(there[key]),
  );
  if (differing.length === 0) return;
  throw new ConfigError(`${folder}: holds other states, ${differing.join(', ')} differ.`, {
    help: 'Model, tokenizer, prompts and settings must be those it was begun with; or start anew.',
  });
}
