import { tf } from '../tfjs.js';
import type { PairedRows } from './pair-problem.js';

/** Joined rows of one side, `[ share_bm part_bm ]_m`: `[B, sum d_m]`. */
export function joinRows(parts: readonly tf.Tensor2D[], shares: tf.Tensor2D): tf.Tensor2D {
  const scaled = parts.map((rows, at) => tf.mul(rows, tf.slice(shares, [0, at], [-1, 1])));
  const joined = tf.concat(scaled, 1) as tf.Tensor2D;
  tf.dispose(scaled);
  return joined;
}

/** Joined rows of both sides. */
export function joinSides(parts: readonly PairedRows[], shares: PairedRows): PairedRows {
  return {
    left: joinRows(
      parts.map((rows) => rows.left),
      shares.left,
    ),
    right: joinRows(
      parts.map((rows) => rows.right),
      shares.right,
    ),
  };
}
