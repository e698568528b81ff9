/**
 * Agreement of the judges of a network among themselves.
 */
import type { Verdict } from './verdict.js';
import { verdicts } from './verdict.js';

/**
 * Krippendorff's alpha for nominal data: agreement of any number of raters beyond chance, 1 is
 * perfect, 0 is chance; null where no sample has two votes, 1 where all votes are the same.
 *
 * `alpha = 1 - (N - 1) sum_u sum_{c != k} n_uc n_uk / (m_u - 1) / sum_{c != k} n_c n_k`, n_uc the
 * votes of sample u for class c, m_u all its votes, n_c all votes for c, N all votes; samples with
 * fewer than two votes are left out. Source: Krippendorff, Computing Krippendorff's
 * Alpha-Reliability (2011).
 *
 * @param votes - those of each sample, as many as it has.
 */
export function krippendorffAlpha(votes: Iterable<readonly Verdict[]>): number | null {
  const totals = { '1': 0, '2': 0, tie: 0 };
  let disagreement = 0;
  for (const sample of votes) {
    if (sample.length < 2) continue;
    const counts = { '1': 0, '2': 0, tie: 0 };
    for (const vote of sample) counts[vote] += 1;
    disagreement += unequalPairs(counts) / (sample.length - 1);
    for (const verdict of verdicts) totals[verdict] += counts[verdict];
  }
  const all = totals['1'] + totals['2'] + totals.tie;
  if (all === 0) return null;
  const chance = unequalPairs(totals);
  return chance === 0 ? 1 : 1 - ((all - 1) * disagreement) / chance;
}

/** Ordered pairs of votes for different classes. */
function unequalPairs(counts: Readonly<Record<Verdict, number>>): number {
  const all = counts['1'] + counts['2'] + counts.tie;
  return verdicts.reduce((sum, verdict) => sum + counts[verdict] * (all - counts[verdict]), 0);
}
