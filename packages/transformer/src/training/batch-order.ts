/**
 * Which examples are held out, and in which batches the others come.
 */
import type { Random } from '@lab/core';

/** Batches among which examples of like lengths are brought together. */
const POOL = 64;

/**
 * The examples of every batch of an epoch, by their numbers: drawn anew, then sorted by length
 * within pools of 64 batches, so that a batch has next to no padding, then in a drawn order.
 *
 * @param lengths - tokens of each example.
 * @param random - of this epoch.
 */
export function epochBatches(
  lengths: readonly number[],
  batchSize: number,
  random: Random,
): readonly number[][] {
  const order = random.fork('examples').permutation(lengths.length);
  const batches: number[][] = [];
  for (let start = 0; start < order.length; start += POOL * batchSize) {
    const pool = Array.from(order.subarray(start, start + POOL * batchSize));
    pool.sort((a, b) => lengths[a]! - lengths[b]!);
    for (let at = 0; at < pool.length; at += batchSize)
      batches.push(pool.slice(at, at + batchSize));
  }
  return random.fork('batches').shuffle(batches);
}

/** Batches of an epoch. */
export const batchCount = (examples: number, batchSize: number): number =>
  Math.ceil(examples / batchSize);

/** The share of a batch's tokens that is padding. */
export function paddingShare(lengths: readonly number[]): number {
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  const whole = longest * lengths.length;
  return whole === 0 ? 0 : 1 - lengths.reduce((sum, length) => sum + length, 0) / whole;
}

/** Two parts of all examples, each in the order in which they came. */
export interface HeldOutSplit<T> {
  readonly train: T[];
  readonly heldOut: T[];
}

/** Holds out a drawn share, at least one where the share is above 0 and there are two. */
export function heldOutSplit<T>(all: readonly T[], share: number, random: Random): HeldOutSplit<T> {
  const wanted = share === 0 || all.length < 2 ? 0 : Math.max(1, Math.round(share * all.length));
  const count = Math.min(wanted, all.length - 1);
  const chosen = new Set(random.permutation(all.length).subarray(0, count));
  return {
    train: all.filter((_, at) => !chosen.has(at)),
    heldOut: all.filter((_, at) => chosen.has(at)),
  };
}
