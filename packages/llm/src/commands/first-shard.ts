/** Where a merge finds how its shards were started. */
import { DataError } from '@lab/core';
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
