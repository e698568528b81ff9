/**
 * From the scores of all judges to a verdict.
 *
 * `x[l][j][o] = (u, v)` are the scores that judge j of layer l gave to the sample's first and
 * second answer when it saw order o.
 */
import {
  type Aggregates,
  differenceOf,
  isUsable,
  type Layer,
  type MeanScores,
  type Neuron,
  reviewsOf,
} from './judgement.js';
import { type Verdict, verdictOf } from './verdict.js';

/** How scores become a verdict; see the topic `aggregation` of the configuration. */
export interface AggregateOptions {
  /** Default `average`. */
  readonly primary?: 'average' | 'vote' | undefined;
  /** Default `all`. */
  readonly scope?: 'all' | 'last' | undefined;
  /** Default 0. */
  readonly tau?: number | undefined;
  readonly perOrderVotes?: boolean | undefined;
  /** Default `average`. */
  readonly tieBreak?: 'average' | 'tie' | undefined;
  readonly epsilon?: number | undefined;
  /** A judge without scores: left out (default), or (0, 0). */
  readonly failed?: 'exclude' | 'zero' | undefined;
}

/** All four aggregates, and the verdict of the one that counts. */
export interface Aggregation {
  readonly aggregates: Aggregates;
  /** Null where fewer than half of the judges of the scope gave scores. */
  readonly verdict: Verdict | null;
}

/**
 * All four aggregates of the layers, and the verdict.
 *
 * Average: `U = sum u / (count + epsilon)`, V alike; the verdict is 1 where `U - V > tau`, 2 where
 * `V - U > tau`, else a tie. Vote: each judge votes by the sign of its mean difference over both
 * orders (with `perOrderVotes` each order votes), and most votes win.
 *
 * Deviation: the released code gives judges without scores (0, 0), which is a silent tie that drags
 * the mean (mode official); here they are left out, and a sample with fewer than half of its judges
 * has no verdict.
 */
export function aggregate(layers: readonly Layer[], options: AggregateOptions = {}): Aggregation {
  const all = layers.flatMap(({ neurons }) => neurons);
  const last = layers.at(-1)?.neurons ?? [];
  const { primary = 'average', scope = 'all' } = options;
  const aggregates = {
    voteLast: voteOf(last, options),
    voteAll: voteOf(all, options),
    avgLast: meanOf(last, options),
    avgAll: meanOf(all, options),
  };
  const { voteLast, voteAll, avgLast, avgAll } = aggregates;
  const mean = scope === 'all' ? avgAll : avgLast;
  const vote = scope === 'all' ? voteAll : voteLast;
  return { aggregates, verdict: primary === 'vote' ? vote : verdictOfMean(mean, options.tau) };
}

/** The verdict of mean scores; null where there are none. */
export function verdictOfMean(mean: MeanScores | null, tau = 0): Verdict | null {
  return mean === null ? null : verdictOf(mean.U - mean.V, tau);
}

/** The differences of a judge that count: one for each order, or none where it failed. */
function differencesOf(neuron: Neuron, failed: AggregateOptions['failed']): number[] {
  if (failed !== 'zero' && !isUsable(neuron)) return [];
  return reviewsOf(neuron).map((review) => differenceOf(review) ?? 0);
}

/** Whether at least half of the judges gave scores. */
function areEnough(neurons: readonly Neuron[], failed: AggregateOptions['failed']): boolean {
  if (neurons.length === 0) return false;
  return failed === 'zero' || 2 * neurons.filter(isUsable).length >= neurons.length;
}

function meanOf(
  neurons: readonly Neuron[],
  { epsilon = 0, failed }: AggregateOptions,
): MeanScores | null {
  if (!areEnough(neurons, failed)) return null;
  let [sumU, sumV, count] = [0, 0, 0];
  for (const neuron of neurons) {
    if (failed !== 'zero' && !isUsable(neuron)) continue;
    for (const { u, v } of reviewsOf(neuron)) {
      const isScored = u !== null && v !== null;
      sumU += isScored ? u : 0;
      sumV += isScored ? v : 0;
      count += 1;
    }
  }
  return { U: sumU / (count + epsilon), V: sumV / (count + epsilon) };
}

function voteOf(neurons: readonly Neuron[], options: AggregateOptions): Verdict | null {
  const { perOrderVotes = false, tieBreak = 'average', failed, tau } = options;
  if (!areEnough(neurons, failed)) return null;
  const votes = { '1': 0, '2': 0, tie: 0 };
  for (const neuron of neurons) {
    const differences = differencesOf(neuron, failed);
    if (differences.length === 0) continue;
    if (perOrderVotes) for (const difference of differences) votes[verdictOf(difference)] += 1;
    else votes[verdictOf(differences.reduce((sum, value) => sum + value, 0))] += 1;
  }
  const most = Math.max(votes['1'], votes['2'], votes.tie);
  const [winner, ...others] = (['1', '2', 'tie'] as const).filter((vote) => votes[vote] === most);
  if (others.length === 0) return winner ?? null;
  return tieBreak === 'tie' ? 'tie' : verdictOfMean(meanOf(neurons, options), tau);
}

/** Share of judges whose verdict changes with the order; null where none judged both orders. */
export function conflictRateOf(layers: readonly Layer[]): number | null {
  let [judges, conflicts] = [0, 0];
  for (const { neurons } of layers) {
    for (const { orders } of neurons) {
      const [forward, backward] = [differenceOf(orders['12']), differenceOf(orders['21'])];
      if (forward === null || backward === null) continue;
      judges += 1;
      if (verdictOf(forward) !== verdictOf(backward)) conflicts += 1;
    }
  }
  return judges === 0 ? null : conflicts / judges;
}
