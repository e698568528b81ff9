import { DataError } from '@lab/core';

/** Which cut-offs to count; the default is 1, 5 and 10. */
export interface RankingOptions {
  readonly hitsAt?: readonly number[];
}

/** Share of ranks within each cut-off (0..1), mean reciprocal rank, mean rank, and their number. */
export interface RankingMetrics {
  [hits: `hits@${number}`]: number;
  /** Mean of 1/rank, 0..1. */
  mrr: number;
  /** Mean rank, >= 1; infinite when a counterpart was not ranked at all. */
  meanRank: number;
  /** Number of ranks. */
  count: number;
}

/**
 * Hits@k, mean reciprocal rank and mean rank of the true counterparts' ranks.
 *
 * `hits@k = #(rank <= k) / n`, `mrr = (1/n) sum 1/rank`, `meanRank = (1/n) sum rank`.
 * A rank within a tie is expected to be the mean of the tied places, so that a constant
 * score earns what guessing earns and no more.
 *
 * @param ranks - rank of each true counterpart, 1 is best; may be fractional or infinite.
 * @param options - `hitsAt`: cut-offs, positive; default 1, 5, 10.
 * @throws {DataError} when there are no ranks, or one is below 1 or not a number.
 */
export function rankingMetrics(
  ranks: ArrayLike<number>,
  { hitsAt = [1, 5, 10] }: RankingOptions = {},
): RankingMetrics {
  const count = ranks.length;
  if (count === 0) {
    throw new DataError('metrics/ranking: there are no ranks to average.', {
      help: 'Evaluate on at least one test pair.',
    });
  }
  const hits = hitsAt.map(() => 0);
  let reciprocal = 0;
  let total = 0;
  for (let index = 0; index < count; index++) {
    const rank = ranks[index]!;
    if (!(rank >= 1)) throw badRank(rank, index);
    reciprocal += 1 / rank;
    total += rank;
    for (let cut = 0; cut < hits.length; cut++) if (rank <= hitsAt[cut]!) hits[cut]! += 1;
  }
  const shares = hitsAt.map((cut, position) => [`hits@${cut}`, hits[position]! / count] as const);
  const means = { mrr: reciprocal / count, meanRank: total / count, count };
  return { ...Object.fromEntries(shares), ...means };
}

function badRank(rank: number, index: number): DataError {
  return new DataError(`metrics/ranking: rank ${index} is ${rank}; ranks start at 1.`, {
    help: 'Check the similarities for values that are not numbers.',
    details: { index, rank },
  });
}
