/**
 * Two runs on the pairs that both have.
 */
import { createRandom } from '@lab/core';
import { type EvaluateOptions, verdictWith } from './evaluate.js';
import type { JudgedSample } from './judged-sample.js';
import { compareJudges, type JudgeDifference } from './verdict-metrics.js';

/**
 * Whether the first run agrees better with people than the second: on the pairs of both that people
 * decided, as either run says. Another tie threshold counts for the first run alone.
 *
 * @throws {DataError} where there is no such pair.
 */
export function compareRuns(
  first: readonly JudgedSample[],
  second: readonly JudgedSample[],
  { seed = 1, resamples, tau }: EvaluateOptions = {},
): JudgeDifference {
  const others = new Map(second.map((sample) => [sample.id, sample]));
  const both = first.flatMap((sample) => {
    const other = others.get(sample.id);
    const gold = sample.gold ?? other?.gold ?? null;
    if (other === undefined || gold === null) return [];
    return [{ gold, first: verdictWith(sample, tau), second: other.verdict }];
  });
  return compareJudges(both, { random: createRandom(seed).fork('compare'), resamples });
}
