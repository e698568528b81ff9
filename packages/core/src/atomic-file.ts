import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { DataError, LabError } from './errors.js';
import { describeFileProblem, systemCode } from './file-problem.js';

/** What {@link writeFileAtomic} writes: a text, bytes, or several of them one after the other. */
export type FileContent = string | Uint8Array | Iterable<string | Uint8Array>;

const fullCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
let temporaryCount = 0;

/**
 * Writes a file so that a crash, a kill or a full disk leaves either the old or the new content:
 * temporary file in the same folder, flush to disk, rename. A link stays, and the file that it
 * leads to is written; devices and pipes are written straight.
 *
 * @throws {DataError} when the disk is full or the folder cannot be written; the old file stays
 *   whole and the temporary file is removed.
 */
export function writeFileAtomic(path: string, data: FileContent): void {
  const writing = beginWriting(path);
  try {
    for (const part of partsOf(data)) writeWhole(writing.file, part);
    writing.finish();
  } catch (error) {
    writing.abandon();
    throw writeProblem(path, error);
  }
}

/**
 * As {@link writeFileAtomic}, of parts that have to be waited for; each is written before the next
 * one is asked for.
 *
 * @throws {DataError} as {@link writeFileAtomic}; what `parts` throws comes through.
 */
export async function writeStreamAtomic(
  path: string,
  parts: AsyncIterable<string | Uint8Array>,
): Promise<void> {
  const writing = beginWriting(path);
  try {
    for await (const part of parts) writeWhole(writing.file, part);
    writing.finish();
  } catch (error) {
    writing.abandon();
    throw LabError.is(error) ? error : writeProblem(path, error);
  }
}

/** A file under way. */
interface Writing {
  readonly file: number;
  /** Puts it into its place. */
  finish(): void;
  /** Leaves the place as it was. */
  abandon(): void;
}

function beginWriting(path: string): Writing {
  try {
    const there = statSync(path, { throwIfNoEntry: false });
    const isFile = there === undefined || there.isFile() || there.isDirectory();
    return isFile ? writeBeside(linkTarget(path)) : writeStraight(path);
  } catch (error) {
    throw writeProblem(path, error);
  }
}

/** Into a device or a pipe, which a file in its place would replace. */
function writeStraight(path: string): Writing {
  const file = openSync(path, 'w');
  const close = () => closeSync(file);
  return { file, finish: close, abandon: close };
}

function writeBeside(path: string): Writing {
  const temporary = temporaryPath(path);
  const file = openSync(temporary, 'wx');
  let isOpen = true;
  const close = () => {
    if (isOpen) closeSync(file);
    isOpen = false;
  };
  return {
    file,
    finish() {
      fsyncSync(file);
      close();
      renameSync(temporary, path);
      flushFolder(dirname(path));
    },
    abandon() {
      close();
      rmSync(temporary, { force: true });
    },
  };
}

/** The file that a link leads to, which need not be there yet; another path as it is. */
function linkTarget(path: string): string {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  return isLink ? linkTarget(resolve(dirname(path), readlinkSync(path))) : path;
}

function temporaryPath(path: string): string {
  temporaryCount += 1;
  return join(dirname(path), `.${basename(path)}.${process.pid}-${temporaryCount}.tmp`);
}

/** Whether a file name is one of a temporary file that a killed {@link writeFileAtomic} left. */
export function isTemporaryName(name: string): boolean {
  return /^\..+\.\d+-\d+\.tmp$/.test(name);
}

function partsOf(data: FileContent): Iterable<string | Uint8Array> {
  return typeof data === 'string' || data instanceof Uint8Array ? [data] : data;
}

function writeWhole(file: number, part: string | Uint8Array): void {
  const bytes = typeof part === 'string' ? Buffer.from(part) : part;
  const blockBytes = 1 << 26; // one write call may not exceed 2 GB on some systems
  let done = 0;
  while (done < bytes.length) {
    done += writeSync(file, bytes, done, Math.min(blockBytes, bytes.length - done));
  }
}

/** Makes the rename itself durable; file systems without folder handles do not need or allow it. */
function flushFolder(folder: string): void {
  let handle: number | undefined;
  try {
    handle = openSync(folder, 'r');
    fsyncSync(handle);
  } catch (error) {
    if (systemCode(error) === '') throw error;
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

/**
 * Appends a text and a line feed in one write. A line that an earlier crash left without its line
 * feed is cut off first, and so is this line when the disk fills up while it is written.
 *
 * @throws {DataError} when the disk is full or the file cannot be written.
 */
export function appendLine(path: string, text: string): void {
  let file: number | undefined;
  try {
    file = openSync(path, 'a+');
    appendWhole(file, `${text}\n`);
  } catch (error) {
    throw writeProblem(path, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function appendWhole(file: number, text: string): void {
  const size = fstatSync(file).size;
  const wholeSize = sizeOfWholeLines(file, size);
  if (wholeSize < size) ftruncateSync(file, wholeSize);
  try {
    writeWhole(file, text);
  } catch (error) {
    if (fstatSync(file).isFile()) ftruncateSync(file, wholeSize);
    throw error;
  }
}

/** Bytes up to and with the last line feed of an open file of `size` bytes. */
export function sizeOfWholeLines(file: number, size: number): number {
  let end = size;
  const block = Buffer.alloc(4096);
  if (size === 0 || (readSync(file, block, 0, 1, size - 1) === 1 && block[0] === 10)) return size;
  while (end > 0) {
    const start = Math.max(0, end - block.length);
    const count = readSync(file, block, 0, end - start, start);
    const found = block.subarray(0, count).lastIndexOf(10);
    if (found >= 0) return start + found + 1;
    end = start;
  }
  return 0;
}

/** The error of a file that cannot be written, a full disk named as such; others pass through. */
export function writeProblem(path: string, error: unknown): DataError {
  if (error instanceof DataError) return error;
  const code = systemCode(error);
  if (code === '') throw error;
  if (fullCodes.has(code)) {
    return new DataError(`${path}: disk full (${code}), nothing was changed.`, {
      file: path,
      help: 'free some space or write to another disk with --out, then resume.',
      details: { reason: 'disk-full', system: code },
      cause: error,
    });
  }
  return new DataError(`cannot write ${describeFileProblem(path, error)}`, {
    file: path,
    help: 'check that the folder exists and may be written.',
    details: { system: code },
    cause: error,
  });
}
