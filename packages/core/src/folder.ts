import { existsSync, mkdirSync, mkdtempSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DataError } from './errors.js';
import { describeFileProblem, systemCode } from './file-problem.js';

/**
 * Makes a folder and those above it, as far as they are missing.
 *
 * The recursive `mkdir` of Node is not used: where the system answers as if the parent were missing
 * (`/proc/x`) it never ends.
 *
 * @param dir - path.
 * @throws {DataError} when it cannot be made, or a file is in its place.
 */
export function makeFolder(dir: string): void {
  const missing: string[] = [];
  for (let at = resolve(dir); !existsSync(at) && at !== dirname(at); at = dirname(at)) {
    missing.push(at);
  }
  try {
    for (const path of missing.reverse()) makeOne(path);
    if (!statSync(dir).isDirectory()) throw folderProblem(dir, 'a file is in its place.');
  } catch (cause) {
    throw asFolderProblem(dir, cause);
  }
}

/**
 * Makes a folder and tries whether something can be written there: so that a long work does not
 * find out at its end.
 *
 * @param dir - path.
 * @throws {DataError} when the folder cannot be made, or takes nothing.
 */
export function assertWritableFolder(dir: string): void {
  makeFolder(dir);
  try {
    rmdirSync(mkdtempSync(join(dir, '.try-')));
  } catch (cause) {
    throw asFolderProblem(dir, cause);
  }
}

/** The error of a folder that cannot be made or written, with what to do. */
export function asFolderProblem(dir: string, cause: unknown): DataError {
  if (cause instanceof DataError) return cause;
  const code = systemCode(cause);
  if (code === '') throw cause;
  const isRefused = code === 'ENOENT'; // everything above is there
  const why = isRefused ? 'the system takes no folder there.' : describeFileProblem('', cause);
  return folderProblem(dir, why.replace(/^: /, ''), cause);
}

function folderProblem(dir: string, why: string, cause?: unknown): DataError {
  const help = 'name another folder, e.g. with --out.';
  return new DataError(`cannot make the folder ${dir}: ${why}`, { file: dir, help, cause });
}

function makeOne(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have been faster.
    const isThere = systemCode(error) === 'EEXIST' && statSync(path).isDirectory();
    if (!isThere) throw error;
  }
}
