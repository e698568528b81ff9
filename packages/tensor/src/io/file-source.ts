import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { DataError } from '@lab/core';
import { isGzip, unpackGzip } from './unpack-gzip.js';

const blockBytes = 1 << 25;

/** An open file that is read at given places; every short read is a DataError. */
export interface FileSource {
  readonly path: string;
  readonly sizeBytes: number;
  /** Fills `target` from `position`. */
  read(target: Uint8Array, position: number): void;
  /** As `read`, in blocks of 32 MB between which other work of the process may run. */
  readLarge(target: Uint8Array, position: number): Promise<void>;
  close(): void;
}

/**
 * Opens a file for reading at given places.
 *
 * @param path - a regular file.
 * @returns the open file; close it.
 * @throws {DataError} when it cannot be opened.
 */
export function openFileSource(path: string): FileSource {
  const { file, sizeBytes } = openRegularFile(path);
  const read = (target: Uint8Array, position: number) => {
    let done = 0;
    while (done < target.length) {
      const wanted = Math.min(blockBytes, target.length - done);
      const count = readBlock(file, target.subarray(done, done + wanted), {
        path,
        position: position + done,
      });
      done += count;
    }
  };
  return {
    path,
    sizeBytes,
    read,
    async readLarge(target, position) {
      for (let start = 0; start < target.length; start += blockBytes) {
        read(target.subarray(start, start + blockBytes), position + start);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    close: () => closeSync(file),
  };
}

/**
 * Runs `body` on an open file, gzip unpacked, and closes it whatever happens.
 *
 * @param path - a regular file.
 * @param body - what to do.
 * @returns what `body` returns.
 */
export async function withFileSource<T>(
  path: string,
  body: (source: FileSource) => Promise<T>,
): Promise<T> {
  const source = openFileSource(path);
  try {
    const head = new Uint8Array(Math.min(2, source.sizeBytes));
    source.read(head, 0);
    return await body(isGzip(head) ? memorySource(path, await unpackGzip(path)) : source);
  } finally {
    source.close();
  }
}

/** Bytes in memory, to be read as a file is. */
function memorySource(path: string, content: Uint8Array): FileSource {
  const read = (target: Uint8Array, position: number): void => {
    const missing = position + target.length - content.length;
    if (missing > 0) throw endOfFile({ path, position: content.length }, missing);
    target.set(content.subarray(position, position + target.length));
  };
  return {
    path,
    sizeBytes: content.length,
    read,
    readLarge: async (target, position) => read(target, position),
    close: () => undefined,
  };
}

function openRegularFile(path: string): { file: number; sizeBytes: number } {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const state = fstatSync(file);
    if (state.isFile()) return { file, sizeBytes: state.size };
  } catch (cause) {
    if (file !== undefined) closeSync(file);
    const code = (cause as NodeJS.ErrnoException).code;
    const reason = code === 'ENOENT' ? 'no such file' : `cannot be opened (${code})`;
    throw new DataError(`${path}: ${reason}.`, { file: path, help: 'Check the path.', cause });
  }
  closeSync(file);
  throw new DataError(`${path}: is not a file.`, { file: path, help: 'Check the path.' });
}

function readBlock(
  file: number,
  target: Uint8Array,
  place: { path: string; position: number },
): number {
  let count: number;
  try {
    count = readSync(file, target, 0, target.length, place.position);
  } catch (cause) {
    throw new DataError(
      `${place.path}: cannot be read at byte ${place.position} ` +
        `(${(cause as NodeJS.ErrnoException).code}).`,
      { file: place.path, help: 'Check the disk.', cause },
    );
  }
  if (count > 0) return count;
  throw endOfFile(place, target.length);
}

function endOfFile(place: { path: string; position: number }, missing: number): DataError {
  return new DataError(
    `${place.path}: ends at byte ${place.position}, ${missing} more bytes are needed.`,
    { file: place.path, help: 'Copy the file again; it is cut off.' },
  );
}
