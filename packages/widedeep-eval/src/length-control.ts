/**
 * A ranking of systems at equal length: how often would they win if answers were as long as those
 * of their rivals? Judges, models and people alike, tend to prefer the longer answer.
 */
import { DataError, type Random } from '@lab/core';
import { quantile } from '@lab/metrics';
import {
  type Coded,
  codedComparisons,
  type Comparison,
  pairsOf,
  prior,
  type RankedSystem,
  type RankOptions,
  recordOf,
} from './ranking.js';
import type { Estimate } from './verdict-metrics.js';

/** A system's place at equal length. */
export interface LengthControlledSystem extends RankedSystem {
  /** Mean probability to win its comparisons, had both answers the same length. */
  readonly equalLengthWinRate: number;
}

/** A ranking at equal length. */
export interface LengthControlledRanking {
  /** Strongest first; strengths are those at equal length. */
  readonly systems: readonly LengthControlledSystem[];
  /**
   * What length does: log odds that a much longer answer gains, with its 95 % interval. 0 where
   * length plays no part.
   */
  readonly lengthEffect: Estimate;
  /** Characters that count as a difference of one: the root mean square of all. */
  readonly scale: number;
}

/** An observation of the model: wins of i over j, counted with a weight, at a scaled length. */
interface Observation {
  readonly i: number;
  readonly j: number;
  readonly credit: number;
  readonly weight: number;
  /** `tanh(difference / scale)`, -1..1. */
  readonly x: number;
}

/**
 * Systems from strongest to weakest at equal length, with 95 % percentile bootstrap intervals over
 * comparisons.
 *
 * `P(i beats j) = sigmoid(s_i - s_j + b tanh(d / scale))`, d the difference of lengths; a tie is
 * half a win for both. Fitted by Newton's method with half a win on both sides of each pair of
 * systems that was compared, and half a win either way of a much longer answer. The win rate at
 * equal length leaves out the second term.
 * Source: Dubois et al. 2024, Length-Controlled AlpacaEval, section 3.
 * Deviation: without a term for the difficulty of each question, and for any number of systems.
 *
 * @throws {DataError} where lengths are not known, for fewer than two systems, and for systems that
 *   no chain of comparisons joins.
 */
export function rankAtEqualLength(
  comparisons: readonly Comparison[],
  { random, resamples = 1000 }: RankOptions,
): LengthControlledRanking {
  const { names, coded } = codedComparisons(comparisons);
  const scale = scaleOf(coded);
  const observed = coded.map((one) => observationOf(one, scale));
  const priors = priorsOf(coded);
  const n = names.length;
  const own = fit(observed, priors, n);
  const drawn = bootstrapFits({ observed, priors, n, random, resamples });
  const interval = (at: number) => {
    const values = Float64Array.from(drawn, (draw) => draw[at]!).sort();
    return { low: quantile(values, 0.025), high: quantile(values, 0.975) };
  };
  const systems = names.map((name, at) => ({
    ...{ name, strength: own[at]!, ...interval(at) },
    ...recordOf(coded, at),
    equalLengthWinRate: winRateOf(coded, own, at),
  }));
  systems.sort((a, b) => b.strength - a.strength || (a.name < b.name ? -1 : 1));
  return { systems, lengthEffect: { value: own[n]!, ...interval(n) }, scale };
}

function scaleOf(coded: readonly Coded[]): number {
  let squares = 0;
  for (const { lengthDifference } of coded) {
    if (lengthDifference === null) {
      throw new DataError('widedeep-eval/rank: the lengths of some answers are not known.', {
        help: 'rank runs of this package, which keep them.',
      });
    }
    squares += lengthDifference ** 2;
  }
  return Math.sqrt(squares / Math.max(1, coded.length)) || 1;
}

function observationOf({ i, j, credit, lengthDifference }: Coded, scale: number): Observation {
  return { i, j, credit, weight: 1, x: Math.tanh((lengthDifference ?? 0) / scale) };
}

/** Half a win either way of each pair, and of length by itself (a system against itself). */
function priorsOf(coded: readonly Coded[]): Observation[] {
  const even = { credit: 0.5, weight: 2 * prior };
  const pairs = pairsOf(coded).map(([i, j]): Observation => ({ i, j, ...even, x: 0 }));
  return [...pairs, { i: 0, j: 0, ...even, x: 1 }];
}

interface Bootstrap {
  readonly observed: readonly Observation[];
  readonly priors: readonly Observation[];
  readonly n: number;
  readonly random: Random;
  readonly resamples: number;
}

function bootstrapFits({ observed, priors, n, random, resamples }: Bootstrap): Float64Array[] {
  const stream = random.fork('rank-at-equal-length');
  return Array.from({ length: resamples }, () => {
    const sample = observed.map(() => observed[stream.integer(observed.length)]!);
    return fit(sample, priors, n);
  });
}

function winRateOf(coded: readonly Coded[], fitted: Float64Array, at: number): number {
  let [sum, count] = [0, 0];
  for (const { i, j } of coded) {
    if (i !== at && j !== at) continue;
    const rival = i === at ? j : i;
    sum += sigmoid(fitted[at]! - fitted[rival]!);
    count += 1;
  }
  return sum / count;
}

const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));
const maxSteps = 100;
const tolerance = 1e-10;
/** A step of Newton's method that is longer would overshoot where the curve is flat. */
const longestStep = 4;

/** Log strengths with mean 0, `[n]`, and behind them the effect of length. */
function fit(
  observed: readonly Observation[],
  priors: readonly Observation[],
  n: number,
): Float64Array {
  const values = new Float64Array(n + 1);
  for (let step = 0; step < maxSteps; step += 1) {
    const change = newtonStep([observed, priors], values);
    const longest = change.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
    const factor = Math.min(1, longestStep / longest);
    for (let at = 0; at <= n; at += 1) values[at]! += factor * change[at]!;
    if (longest < tolerance) break;
  }
  return values;
}

/** The step to the maximum of the local parabola; strengths keep the mean 0. */
function newtonStep(
  observations: readonly (readonly Observation[])[],
  values: Float64Array,
): Float64Array {
  const size = values.length;
  const n = size - 1;
  const gradient = new Float64Array(size);
  const curvature = Array.from({ length: size }, () => new Float64Array(size)); // [size, size]
  for (const part of observations) {
    for (const { i, j, credit, weight, x } of part) {
      const p = sigmoid(values[i]! - values[j]! + values[n]! * x);
      const [slope, bend] = [weight * (credit - p), weight * p * (1 - p)];
      // Against itself a system says nothing of its strength.
      const signs: readonly (readonly [number, number])[] =
        i === j
          ? [[n, x]]
          : [
              [i, 1],
              [j, -1],
              [n, x],
            ];
      for (const [row, left] of signs) {
        gradient[row]! += slope * left;
        for (const [column, right] of signs) curvature[row]![column]! += bend * left * right;
      }
    }
  }
  // Strengths are known up to a constant: their sum stays 0.
  for (let row = 0; row < n; row += 1) {
    for (let column = 0; column < n; column += 1) curvature[row]![column]! += 1;
  }
  return solved(curvature, gradient);
}

/** The solution of a symmetric positive system, by Cholesky's decomposition in place. */
function solved(matrix: readonly Float64Array[], right: Float64Array): Float64Array {
  const size = right.length;
  for (let column = 0; column < size; column += 1) {
    for (let row = column; row < size; row += 1) {
      let sum = matrix[row]![column]!;
      for (let k = 0; k < column; k += 1) sum -= matrix[row]![k]! * matrix[column]![k]!;
      matrix[row]![column] = row === column ? Math.sqrt(sum) : sum / matrix[column]![column]!;
    }
  }
  const found = Float64Array.from(right);
  for (let row = 0; row < size; row += 1) {
    for (let k = 0; k < row; k += 1) found[row]! -= matrix[row]![k]! * found[k]!;
    found[row]! /= matrix[row]![row]!;
  }
  for (let row = size - 1; row >= 0; row -= 1) {
    for (let k = row + 1; k < size; k += 1) found[row]! -= matrix[k]![row]! * found[k]!;
    found[row]! /= matrix[row]![row]!;
  }
  return found;
}
