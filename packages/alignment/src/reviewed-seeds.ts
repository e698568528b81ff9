/**
 * What a review makes of the known pairs and of the refused ones.
 */
import type { LinkSplit } from '@lab/graph';
import { pairKey, pairKeys } from './refused-pairs.js';
import type { ReviewDecisions } from './review-decisions.js';

/**
 * The pairs that a run was given (seeds and validation pairs) with the confirmed ones behind them
 * and without the refused ones, interleaved.
 */
export function reviewedSeeds(
  { seeds, validation }: Pick<LinkSplit, 'seeds' | 'validation'>,
  { confirmed, refused }: Pick<ReviewDecisions, 'confirmed' | 'refused'>,
): Int32Array {
  const left = pairKeys(refused);
  const pairs: number[] = [];
  for (const part of [seeds, validation, confirmed]) {
    for (let at = 0; at < part.length; at += 2) {
      const key = pairKey(part[at]!, part[at + 1]!);
      if (left.has(key)) continue;
      left.add(key);
      pairs.push(part[at]!, part[at + 1]!);
    }
  }
  return Int32Array.from(pairs);
}

/** Refused pairs of before and of now, without those that are confirmed now. */
export function allRefused(before: Int32Array, decisions: ReviewDecisions): Int32Array {
  const { confirmed, refused } = decisions;
  return reviewedSeeds(
    { seeds: before, validation: refused },
    { confirmed: new Int32Array(0), refused: confirmed },
  );
}
