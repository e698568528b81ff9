/**
 * A ranking of systems at equal length: how often would they win if answers were as long as those
 * of their rivals? Judges, models and people alike, tend to prefer the longer answer.
 */
import { DataError } from '@lab/core';
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
  const n = names.length;
  const observed = observationsOf(coded, scale);
  const weights = Float64Array.from(observed.priorWeights, (weight) => weight || 1);
  const own = fit(observed, weights, new Float64Array(n + 1));
  const stream = random.fork('rank-at-equal-length');
  const drawn = Array.from({ length: resamples }, () => {
    const counts = Float64Array.from(observed.priorWeights);
    for (const _ of coded) counts[stream.integer(coded.length)]! += 1;
    return fit(observed, counts, own);
  });
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

/** Comparisons, and behind them pseudo-comparisons that keep all-or-nothing finite. */
interface Observations {
  /** The two systems, `[N]`; one against itself says nothing of its strength. */
  readonly i: Int32Array;
  readonly j: Int32Array;
  /** Wins of the first, 0..1, `[N]`. */
  readonly credit: Float64Array;
  /** `tanh(difference / scale)`, -1..1, `[N]`. */
  readonly x: Float64Array;
  /** Of pseudo-comparisons; 0 for the others, `[N]`. */
  readonly priorWeights: Float64Array;
}

function observationsOf(coded: readonly Coded[], scale: number): Observations {
  const even = { credit: 0.5, weight: 2 * prior };
  const all = [
    ...coded.map(({ i, j, credit, lengthDifference }) => ({
      ...{ i, j, credit, weight: 0, x: Math.tanh((lengthDifference ?? 0) / scale) },
    })),
    ...pairsOf(coded).map(([i, j]) => ({ i, j, ...even, x: 0 })),
    { i: 0, j: 0, ...even, x: 1 },
  ];
  return {
    i: Int32Array.from(all, (one) => one.i),
    j: Int32Array.from(all, (one) => one.j),
    credit: Float64Array.from(all, (one) => one.credit),
    x: Float64Array.from(all, (one) => one.x),
    priorWeights: Float64Array.from(all, (one) => one.weight),
  };
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
function fit(data: Observations, weights: Float64Array, start: Float64Array): Float64Array {
  const values = Float64Array.from(start);
  for (let step = 0; step < maxSteps; step += 1) {
    const change = newtonStep(data, weights, values);
    const longest = change.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
    const factor = Math.min(1, longestStep / longest);
    for (let at = 0; at < values.length; at += 1) values[at]! += factor * change[at]!;
    if (longest < tolerance) break;
  }
  return values;
}

/** The step to the maximum of the local parabola; strengths keep the mean 0. */
function newtonStep(
  { i: first, j: second, credit, x: lengths }: Observations,
  weights: Float64Array,
  values: Float64Array,
): Float64Array {
  const size = values.length;
  const n = size - 1;
  const gradient = new Float64Array(size);
  const curvature = new Float64Array(size * size); // [size, size]
  for (let at = 0; at < weights.length; at += 1) {
    const weight = weights[at]!;
    if (weight === 0) continue;
    const [i, j, x] = [first[at]!, second[at]!, lengths[at]!];
    const p = sigmoid(values[i]! - values[j]! + values[n]! * x);
    const slope = weight * (credit[at]! - p);
    const bend = weight * p * (1 - p);
    gradient[i]! += slope;
    gradient[j]! -= slope;
    gradient[n]! += slope * x;
    curvature[i * size + i]! += bend;
    curvature[j * size + j]! += bend;
    curvature[i * size + j]! -= bend;
    curvature[j * size + i]! -= bend;
    // The lower half is all that is read.
    curvature[n * size + i]! += bend * x;
    curvature[n * size + j]! -= bend * x;
    curvature[n * size + n]! += bend * x * x;
  }
  // Strengths are known up to a constant: their sum stays 0.
  for (let row = 0; row < n; row += 1) {
    for (let column = 0; column < n; column += 1) curvature[row * size + column]! += 1;
  }
  return solved(curvature, gradient);
}

/** The solution of a symmetric positive system, by Cholesky's decomposition in place. */
function solved(matrix: Float64Array, right: Float64Array): Float64Array {
  const size = right.length;
  for (let column = 0; column < size; column += 1) {
    for (let row = column; row < size; row += 1) {
      let sum = matrix[row * size + column]!;
      for (let k = 0; k < column; k += 1)
        sum -= matrix[row * size + k]! * matrix[column * size + k]!;
      const pivot = matrix[column * size + column]!;
      matrix[row * size + column] = row === column ? Math.sqrt(sum) : sum / pivot;
    }
  }
  const found = Float64Array.from(right);
  for (let row = 0; row < size; row += 1) {
    for (let k = 0; k < row; k += 1) found[row]! -= matrix[row * size + k]! * found[k]!;
    found[row]! /= matrix[row * size + row]!;
  }
  for (let row = size - 1; row >= 0; row -= 1) {
    for (let k = row + 1; k < size; k += 1) found[row]! -= matrix[k * size + row]! * found[k]!;
    found[row]! /= matrix[row * size + row]!;
  }
  return found;
}
