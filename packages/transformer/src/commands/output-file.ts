/**
 * The file that a verb writes at its end, tried before its work begins.
 */
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { assertWritableFolder, ConfigError, DataError } from '@lab/core';

/**
 * Refuses a place where no file can be written, so that a long pass does not end in an error.
 *
 * @param verb - whose `--out` it is.
 * @param example - name of a file, for the help.
 * @throws {ConfigError} for a path that is none of a file.
 * @throws {DataError} where the folder cannot be made or written, and for a folder in the place of
 *   the file.
 */
export function assertOutputFile(verb: string, path: string, example: string): void {
  if (path === '-' || /[/\\]$/.test(path)) {
    throw new ConfigError(`transformer/${verb}: --out ${path} names no file.`, {
      help: `Name a file, such as ${path === '-' ? example : join(path, example)}.`,
    });
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    const help = `Name a file, such as ${join(path, example)}.`;
    throw new DataError(`${path}: is a folder, not a file.`, { file: path, help });
  }
  assertWritableFolder(dirname(path));
}
