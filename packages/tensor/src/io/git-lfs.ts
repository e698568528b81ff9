import { DataError } from '@lab/core';

/** First bytes of what git has in the place of a large file that was not fetched. */
const BEGIN = 'version https://git-lfs';

/**
 * Refuses a file that only stands for another one, which git-lfs keeps.
 *
 * @param begin - its first bytes, nine or more.
 * @throws {DataError} that says how to fetch the file.
 */
export function assertNoLfsPointer(path: string, begin: Uint8Array): void {
  const text = Buffer.from(begin.buffer, begin.byteOffset, begin.byteLength).toString('latin1');
  if (text.length < 9 || !BEGIN.startsWith(text.slice(0, BEGIN.length))) return;
  throw new DataError(`${path}: is a git-lfs pointer, which stands for the file itself.`, {
    file: path,
    help: 'Fetch the file: git lfs pull, in the folder of the repository.',
  });
}
