import { ConfigError, ShapeError } from '@lab/core';
import type { tf } from '../tfjs.js';

/** Throws unless `left` and `right` are float matrices of the same shape with at least a row. */
export function assertPairedRows(left: tf.Tensor2D, right: tf.Tensor2D, where: string): void {
  const fits =
    left.rank === 2 &&
    right.rank === 2 &&
    left.shape[0] === right.shape[0] &&
    left.shape[1] === right.shape[1] &&
    left.shape[0] > 0 &&
    left.shape[1] > 0;
  if (fits) return;
  throw new ShapeError(
    `${where}: left is [${left.shape}], right is [${right.shape}]; ` +
      'pass two matrices [B, D] of the same shape with B >= 1.',
    { expected: '[B, D] and [B, D]', got: `[${left.shape}] and [${right.shape}]` },
  );
}

/** Throws unless `value` is a finite number above 0; `name` is how the caller calls it. */
export function assertPositive(value: number, name: string, where: string): void {
  if (Number.isFinite(value) && value > 0) return;
  throw new ConfigError(`${where}: ${name} is ${value}; pass a finite number above 0.`);
}

/** How a loss cuts its similarities into blocks; the values do not depend on it. */
export interface BlockOptions {
  /** Rows (and columns, where blocks are square) of a block at most; the default suits the loss. */
  blockRows?: number;
  /** Bytes of blocks kept from the first pass for the second; default 192 MiB, in small parts. */
  cacheBytes?: number;
}

/**
 * Default of {@link BlockOptions.cacheBytes}: all blocks of 4,500 pairs, for which it saves a
 * quarter of the time; beyond that the rest is computed twice.
 */
export const defaultCacheBytes = 192 * 2 ** 20;
