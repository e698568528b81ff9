/**
 * Would other prompts of the same kind name the same heads?
 */
import { createRandom, DataError } from '@lab/core';
import { quantile } from '@lab/metrics';
import type { HeadId } from './head.js';

/** Scores of one prompt, as `ships` gives them. */
export interface PromptMatrix {
  /** `[L][H]`; null where a head was not scored. */
  readonly scores: readonly (readonly (number | null)[])[];
}

/** How prompts are resampled. */
export interface StabilityOptions {
  /** Heads that count as the best; default 10. */
  readonly top?: number | undefined;
  /** Default 1000. */
  readonly resamples?: number | undefined;
  /** Default 1. */
  readonly seed?: number | undefined;
}

/** A head and how sure its place is. */
export interface HeadStability extends HeadId {
  /** Mean score over prompts, with the 95 % interval of resampled prompts. */
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  /** Rank by the mean, 1 is best, and the ranks between which 95 % of the resamples have it. */
  readonly rank: number;
  readonly rankLow: number;
  readonly rankHigh: number;
  /** Share of the resamples in which it is among the best. */
  readonly topShare: number;
}

/** Whether prompts are two at least, and every one has scores of the same heads. */
export function isResampleable(prompts: readonly PromptMatrix[]): boolean {
  const [first, ...others] = prompts;
  if (first === undefined || others.length === 0) return false;
  return others.every(({ scores }) =>
    first.scores.every((row, layer) =>
      row.every((score, head) => (score === null) === ((scores[layer]?.[head] ?? null) === null)),
    ),
  );
}

/**
 * Heads by falling mean score, with intervals of score and rank: prompts are drawn with repetition
 * (percentile bootstrap), all heads of a draw together.
 *
 * @throws {DataError} for fewer than two prompts, and a head that not every prompt scored.
 */
export function headStability(
  prompts: readonly PromptMatrix[],
  { top = 10, resamples = 1000, seed = 1 }: StabilityOptions = {},
): HeadStability[] {
  const heads = scoredHeads(prompts);
  const columns = heads.map(({ layer, head }) =>
    Float64Array.from(prompts, ({ scores }) => scores[layer]![head]!),
  );
  const means = columns.map(
    (column) => column.reduce((sum, value) => sum + value, 0) / column.length,
  );
  const random = createRandom(seed).fork('head-stability');
  const drawnMeans = heads.map(() => new Float64Array(resamples));
  const drawnRanks = heads.map(() => new Float64Array(resamples));
  const counts = new Float64Array(prompts.length);
  for (let draw = 0; draw < resamples; draw += 1) {
    counts.fill(0);
    for (let at = 0; at < prompts.length; at += 1) counts[random.integer(prompts.length)]! += 1;
    const own = columns.map((column) => {
      let sum = 0;
      for (let at = 0; at < column.length; at += 1) sum += counts[at]! * column[at]!;
      return sum / column.length;
    });
    ranksOf(own).forEach((rank, head) => {
      drawnMeans[head]![draw] = own[head]!;
      drawnRanks[head]![draw] = rank;
    });
  }
  const ranks = ranksOf(means);
  return heads
    .map((head, at): HeadStability => {
      const topShare = drawnRanks[at]!.filter((rank) => rank <= top).length / resamples;
      const [values, places] = [drawnMeans[at]!.sort(), drawnRanks[at]!.sort()];
      return {
        ...head,
        mean: means[at]!,
        low: quantile(values, 0.025),
        high: quantile(values, 0.975),
        rank: ranks[at]!,
        rankLow: quantile(places, 0.025),
        rankHigh: quantile(places, 0.975),
        topShare,
      };
    })
    .toSorted((a, b) => a.rank - b.rank);
}

/** Rank of each value, 1 for the largest; among equals the first. */
function ranksOf(values: readonly number[]): number[] {
  const order = values.map((_, at) => at).toSorted((a, b) => values[b]! - values[a]! || a - b);
  const ranks = values.map(() => 0);
  order.forEach((at, place) => {
    ranks[at] = place + 1;
  });
  return ranks;
}

function scoredHeads(prompts: readonly PromptMatrix[]): HeadId[] {
  const [first] = prompts;
  if (first === undefined || prompts.length < 2) {
    throw new DataError(`sahara/head-stability: ${prompts.length} prompts cannot be resampled.`, {
      help: 'Score at least two prompts.',
    });
  }
  return first.scores.flatMap((row, layer) =>
    row.flatMap((score, head): HeadId[] => {
      const missing = prompts.findIndex(({ scores }) => typeof scores[layer]?.[head] !== 'number');
      if (missing < 0) return [{ layer, head }];
      if (score === null && prompts.every(({ scores }) => scores[layer]?.[head] === null))
        return [];
      throw new DataError(
        `sahara/head-stability: prompt ${missing} has no score of head ${layer}-${head}.`,
        { help: 'Score all prompts with the same settings.' },
      );
    }),
  );
}
