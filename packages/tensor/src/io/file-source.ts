import { closeSync, fstatSync, openSync, read as readInPool, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { DataError } from '@lab/core';
import { isGzip, unpackGzip } from './unpack-gzip.js';

const readAsync = promisify(readInPool);

const blockBytes = 1 << 25;
/** Most bytes of one read in the thread pool: the system takes less than 2 GiB at once. */
const largeBytes = 2 ** 30;

/** Bytes that are read at given places, of a file or from elsewhere; a short read is an error. */
export interface ByteSource {
  /** Its name in errors. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Fills `target` from `position`; nothing is written to it once this has ended. */
  readLarge(target: Uint8Array, position: number): Promise<void>;
  /** Frees what it holds; a second call does nothing. */
  close(): void;
}

/**
 * An open file; a short read is a DataError. `readLarge` reads in the thread pool: this thread goes
 * on with other work, computing too. `close` waits for reads under way.
 */
export interface FileSource extends ByteSource {
  /** Fills `target` from `position`. */
  read(target: Uint8Array, position: number): void;
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
  // A file that is closed while a read is under way could be read as another one's.
  let [pending, isClosing, isClosed] = [0, false, false];
  const closeIdle = () => {
    if (!isClosing || isClosed || pending > 0) return;
    isClosed = true;
    closeSync(file);
  };
  return {
    path,
    sizeBytes,
    read,
    async readLarge(target, position) {
      pending += 1;
      try {
        await fill(file, target, { path, position });
      } finally {
        pending -= 1;
        closeIdle();
      }
    },
    close() {
      isClosing = true;
      closeIdle();
    },
  };
}

/** Fills `target` by reads in the thread pool. */
async function fill(file: number, target: Uint8Array, place: Place): Promise<void> {
  const { path } = place;
  for (let done = 0; done < target.length; ) {
    const wanted = Math.min(largeBytes, target.length - done);
    const position = place.position + done;
    const { bytesRead } = await readAsync(file, target, done, wanted, position).catch(
      (cause: unknown) => {
        throw unreadable({ path, position }, cause);
      },
    );
    if (bytesRead === 0) throw endOfFile({ path, position }, target.length - done);
    done += bytesRead;
  }
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
export function memorySource(path: string, content: Uint8Array): FileSource {
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

interface Place {
  readonly path: string;
  readonly position: number;
}

function readBlock(file: number, target: Uint8Array, place: Place): number {
  let count: number;
  try {
    count = readSync(file, target, 0, target.length, place.position);
  } catch (cause) {
    throw unreadable(place, cause);
  }
  if (count > 0) return count;
  throw endOfFile(place, target.length);
}

function unreadable({ path, position }: Place, cause: unknown): DataError {
  const code = (cause as NodeJS.ErrnoException).code;
  return new DataError(`${path}: cannot be read at byte ${position} (${code}).`, {
    ...{ file: path, help: 'Check the disk.', cause },
  });
}

function endOfFile({ path, position }: Place, missing: number): DataError {
  return new DataError(`${path}: ends at byte ${position}, ${missing} more bytes are needed.`, {
    file: path,
    help: 'Copy the file again; it is cut off.',
  });
}
