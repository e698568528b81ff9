/** Where a merge finds how its shards were started. */
import { DataError, exitCodes } from '@lab/core';
import { shardFolders } from '../rows/merge-shards.js';

/**
 * The folder of the first shard.
 *
 * @param folder - of all shards.
 * @param command - what wrote them, e.g. `loong run`.
 * @throws {DataError} when the folder holds none.
 */
export function firstShard(folder: string, command: string): string {
  const [first] = shardFolders(folder);
  if (first !== undefined) return first;
  throw new DataError(`${folder}: the folder holds no shards.`, {
    file: folder,
    help: `give the folder that "${command} --shard i/k --out" wrote into.`,
  });
}

/** The exit code of a merge: 7 where rows are missing, as of a run in which too many failed. */
export const mergeExitCode = (gaps: number): number => (gaps === 0 ? 0 : exitCodes.tooManyFailed);
