import { ConfigError } from '@lab/core';
import { idKey } from '../key-table.js';

/** One of several equal parts of the rows. */
export interface Shard {
  /** From 0. */
  readonly index: number;
  readonly count: number;
}

/**
 * The shard that a text like `0/3` names.
 *
 * @throws {ConfigError} when it is not two whole numbers, the first below the second.
 */
export function parseShard(text: string): Shard {
  const [, index = '', count = ''] = /^(\d+)\/(\d+)$/.exec(text.trim()) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (index !== '' && shard.index < shard.count) return shard;
  throw new ConfigError(`--shard ${JSON.stringify(text)} is not a part of a whole.`, {
    help: 'write i/k with i from 0 to k-1, e.g. --shard 0/3.',
  });
}

/** The number of the shard that has a row, by the digest of its id: more rows move no other. */
export function shardOf(id: string, count: number): number {
  return (idKey(id)[1] ?? 0) % count;
}

/** The name of a file of a run, e.g. `predictions.jsonl` or `predictions.0-of-3.jsonl`. */
export function shardFile(stem: string, shard: Shard | undefined): string {
  return shard === undefined ? `${stem}.jsonl` : `${stem}.${shard.index}-of-${shard.count}.jsonl`;
}
