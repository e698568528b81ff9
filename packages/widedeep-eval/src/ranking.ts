/**
 * A ranking of more than two systems from verdicts on pairs: Bradley and Terry's model.
 */
import { DataError, type Random } from '@lab/core';
import { quantile } from '@lab/metrics';
import type { Verdict } from './verdict.js';

/** A verdict on the answers of two systems. */
export interface Comparison {
  readonly system1: string;
  readonly system2: string;
  readonly verdict: Verdict;
  /** Characters of the first answer minus those of the second. */
  readonly lengthDifference?: number | null | undefined;
}

/** A system's place. */
export interface RankedSystem {
  readonly name: string;
  /**
   * Log strength, natural units, mean 0 over systems: a system that is higher by d wins with
   * probability 1 / (1 + exp(-d)).
   */
  readonly strength: number;
  readonly low: number;
  readonly high: number;
  /** Wins plus half of the ties, of all comparisons. */
  readonly winRate: number;
  readonly comparisons: number;
}

/** Settings of {@link rankSystems}. */
export interface RankOptions {
  readonly random: Random;
  /** Default 1,000. */
  readonly resamples?: number | undefined;
}

/** Pseudo-wins on either side of each pair that was compared: keeps all-or-nothing finite. */
export const prior = 0.5;
const maxRounds = 10_000;
const tolerance = 1e-10;

/**
 * Systems from strongest to weakest, with 95 % percentile bootstrap intervals over comparisons.
 *
 * `P(i beats j) = p_i / (p_i + p_j)`; a tie is half a win for both. Fitted by the iteration
 * `p_i <- w_i / sum_j n_ij / (p_i + p_j)`, w_i the wins and n_ij the comparisons, with half a win
 * added on both sides of each pair of systems that was compared. Source: Hunter 2004, MM algorithms
 * for generalized Bradley-Terry models.
 *
 * @throws {DataError} for fewer than two systems, and for systems that no chain of comparisons
 *   joins.
 */
export function rankSystems(
  comparisons: readonly Comparison[],
  { random, resamples = 1000 }: RankOptions,
): RankedSystem[] {
  const { names, coded } = codedComparisons(comparisons);
  const pairs = pairsOf(coded);
  const strengths = fit(coded, pairs, names.length);
  const stream = random.fork('rank');
  const drawn = Array.from({ length: resamples }, () => {
    const sample = coded.map(() => coded[stream.integer(coded.length)]!);
    return fit(sample, pairs, names.length);
  });
  return names
    .map((name, at) => {
      const values = Float64Array.from(drawn, (draw) => draw[at]!).sort();
      return {
        name,
        strength: strengths[at]!,
        low: quantile(values, 0.025),
        high: quantile(values, 0.975),
        ...recordOf(coded, at),
      };
    })
    .sort((a, b) => b.strength - a.strength || (a.name < b.name ? -1 : 1));
}

/**
 * Systems by their places, in the order of their names.
 *
 * @throws {DataError} for fewer than two systems, and for systems that no chain of comparisons
 *   joins.
 */
export function codedComparisons(comparisons: readonly Comparison[]): {
  readonly names: readonly string[];
  readonly coded: readonly Coded[];
} {
  const names = [...new Set(comparisons.flatMap(({ system1, system2 }) => [system1, system2]))];
  names.sort();
  if (names.length < 2) {
    throw new DataError(`widedeep-eval/rank: ${names.length} systems were compared.`, {
      help: 'give verdicts with the names of two or more systems (fields system1, system2).',
    });
  }
  const places = new Map(names.map((name, at) => [name, at]));
  const coded = comparisons.map(({ system1, system2, verdict, lengthDifference }) => ({
    i: places.get(system1)!,
    j: places.get(system2)!,
    credit: verdict === '1' ? 1 : verdict === '2' ? 0 : 0.5,
    lengthDifference: lengthDifference ?? null,
  }));
  assertConnected(coded, names);
  return { names, coded };
}

/** A comparison by the places of its systems. */
export interface Coded {
  readonly i: number;
  readonly j: number;
  /** Of i. */
  readonly credit: number;
  readonly lengthDifference: number | null;
}

/** Share of wins of a system, and its comparisons. */
export function recordOf(
  coded: readonly Coded[],
  at: number,
): { winRate: number; comparisons: number } {
  let [credit, comparisons] = [0, 0];
  for (const one of coded) {
    if (one.i === at) credit += one.credit;
    else if (one.j === at) credit += 1 - one.credit;
    else continue;
    comparisons += 1;
  }
  return { winRate: credit / comparisons, comparisons };
}

/** Pairs of systems that were compared. */
export function pairsOf(coded: readonly Coded[]): [number, number][] {
  const keys = new Set(coded.map(({ i, j }) => `${Math.min(i, j)} ${Math.max(i, j)}`));
  return [...keys].map((key) => key.split(' ').map(Number) as [number, number]);
}

/** Log strengths, mean 0. */
function fit(
  coded: readonly Coded[],
  pairs: readonly (readonly [number, number])[],
  n: number,
): Float64Array {
  const wins = new Float64Array(n);
  const games = new Float64Array(n * n); // [n, n]
  const add = (i: number, j: number, credit: number, count: number): void => {
    wins[i]! += credit;
    wins[j]! += count - credit;
    games[i * n + j]! += count;
    games[j * n + i]! += count;
  };
  for (const { i, j, credit } of coded) add(i, j, credit, 1);
  for (const [i, j] of pairs) add(i, j, prior, 2 * prior);
  let p = new Float64Array(n).fill(1);
  for (let round = 0; round < maxRounds; round += 1) {
    const next = Float64Array.from(p, (own, i) => {
      let expected = 0;
      for (let j = 0; j < n; j += 1) expected += games[i * n + j]! / (own + p[j]!);
      return wins[i]! / expected;
    });
    const centre = Math.exp(next.reduce((sum, value) => sum + Math.log(value), 0) / n);
    let change = 0;
    for (let i = 0; i < n; i += 1) {
      next[i]! /= centre;
      change = Math.max(change, Math.abs(Math.log(next[i]! / p[i]!)));
    }
    p = next;
    if (change < tolerance) break;
  }
  return p.map(Math.log);
}

function assertConnected(coded: readonly Coded[], names: readonly string[]): void {
  const group = names.map((_, at) => at);
  const rootOf = (at: number): number => (group[at] === at ? at : rootOf(group[at]!));
  for (const { i, j } of coded) group[rootOf(i)] = rootOf(j);
  const apart = names.find((_, at) => rootOf(at) !== rootOf(0));
  if (apart === undefined) return;
  throw new DataError(
    `widedeep-eval/rank: no chain of comparisons joins ${names[0]} and ${apart}.`,
    { help: 'compare them, directly or through others, or rank them apart.' },
  );
}
