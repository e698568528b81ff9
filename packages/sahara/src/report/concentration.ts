/**
 * How few heads a behaviour hangs on.
 */
import { rankHeads } from '../head.js';

/** Concentration of a matrix of scores. */
export interface Concentration {
  /**
   * Gini coefficient of the scores, 0 (all heads alike) to 1 (one head has all):
   * `G = sum_i (2 i - n - 1) x_i / (n sum x)`, x in increasing order, i from 1.
   */
  readonly gini: number;
  /** Heads that hold half of the summed score. */
  readonly headsForHalf: number;
  /** Highest score over the second highest; infinite where no other head has a score. */
  readonly firstOverSecond: number;
  readonly headCount: number;
}

/**
 * Concentration of scores, the "safety concentration index" of a model; null where all are 0.
 *
 * @param scores - `[L, H]`; heads without a score are left out, those below 0 count as 0.
 */
export function scoreConcentration(
  scores: readonly (readonly (number | null)[])[],
): Concentration | null {
  const ranked = rankHeads(scores).map(({ score }) => Math.max(0, score));
  const sum = ranked.reduce((a, b) => a + b, 0);
  if (!(sum > 0)) return null;
  const n = ranked.length;
  let [weighted, soFar, headsForHalf] = [0, 0, 0];
  ranked.forEach((score, place) => {
    weighted += (2 * (n - place) - n - 1) * score;
    if (soFar < sum / 2) headsForHalf = place + 1;
    soFar += score;
  });
  return {
    gini: weighted / (n * sum),
    headsForHalf,
    firstOverSecond: ranked[0]! / (ranked[1] ?? 0),
    headCount: n,
  };
}
