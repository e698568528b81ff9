/**
 * Files of text that a user names.
 */
import { existsSync, readFileSync } from 'node:fs';
import { DataError } from '@lab/core';
import { systemCode } from './disk-problem.js';

/**
 * The text of a file.
 *
 * @param what - as errors call it, e.g. `the schema`.
 * @throws {DataError} when it cannot be read.
 */
export function readText(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (systemCode(cause) === '') throw cause;
    const why = existsSync(file) ? 'no permission, or a folder' : 'no such file';
    throw new DataError(`cannot read ${what} in ${file}: ${why}.`, { file, cause });
  }
}
