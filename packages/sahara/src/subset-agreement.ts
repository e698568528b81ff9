/**
 * How many prompts are enough: do two sets of so many name the same heads?
 */
import { createRandom, DataError } from '@lab/core';
import { mean, quantile } from '@lab/metrics';
import { headKey, rankHeads } from './head.js';
import { isResampleable, type PromptMatrix } from './head-stability.js';
import { meanScores } from './score-file.js';

/** How sets are drawn. */
export interface SubsetOptions {
  /** Heads that count as the best; default 10, or a fifth of all where that is less. */
  readonly top?: number | undefined;
  /** Prompts of a set; default 1, 2, 4 ... up to half of all. */
  readonly sizes?: readonly number[] | undefined;
  /** Pairs of sets for each size; default 200. */
  readonly draws?: number | undefined;
  /** Default 1. */
  readonly seed?: number | undefined;
}

/** How far two sets of a size agree. */
export interface SubsetAgreement {
  /** Prompts of each set. */
  readonly size: number;
  /** Share of the best heads that both name, mean over draws. */
  readonly shared: number;
  /** Between these lie 95 % of the draws. */
  readonly low: number;
  readonly high: number;
  readonly top: number;
}

/**
 * Agreement of pairs of sets that have no prompt in common: `#(A_k and B_k) / k`, A_k the k best
 * heads of one set by mean score, B_k of the other.
 *
 * @throws {DataError} for fewer than two prompts, heads that not every prompt scored, and sizes
 *   that do not fit twice.
 */
export function subsetAgreement(
  prompts: readonly PromptMatrix[],
  { top, sizes = doublings(prompts.length), draws = 200, seed = 1 }: SubsetOptions = {},
): SubsetAgreement[] {
  const wrong = sizes.find((size) => !(size >= 1 && 2 * size <= prompts.length));
  if (!isResampleable(prompts) || wrong !== undefined) {
    const what = wrong === undefined ? '' : ` in two sets of ${wrong}`;
    throw new DataError(`sahara/subset-agreement: ${prompts.length} prompts${what}.`, {
      help: 'Score at least two prompts, all heads of each, and take smaller sets.',
    });
  }
  const headCount = rankHeads(prompts[0]!.scores).length;
  const most = Math.min(top ?? Math.min(10, Math.ceil(headCount / 5)), headCount);
  const random = createRandom(seed).fork('subset-agreement');
  const bestOf = (places: ArrayLike<number>) =>
    rankHeads(meanScores(Array.from(places, (at) => prompts[at]!)), most).map(headKey);
  return sizes.map((size) => {
    const own = random.fork(String(size));
    const shares = Float64Array.from({ length: draws }, (_, draw) => {
      const order = own.fork(String(draw)).permutation(prompts.length);
      const first = new Set(bestOf(order.subarray(0, size)));
      return bestOf(order.subarray(size, 2 * size)).filter((key) => first.has(key)).length / most;
    }).sort();
    return {
      ...{ size, top: most, shared: mean(shares) },
      ...{ low: quantile(shares, 0.025), high: quantile(shares, 0.975) },
    };
  });
}

/** 1, 2, 4 ... and half of all. */
function doublings(count: number): number[] {
  const half = Math.floor(count / 2);
  const sizes: number[] = [];
  for (let size = 1; size < half; size *= 2) sizes.push(size);
  return half < 1 ? [] : [...sizes, half];
}
