import { ConfigError, DataError, type Random } from '@lab/core';
import { incompleteBeta, studentQuantile, studentTwoSided } from './distributions.js';
import { mean, meanDeviation, requireSameLength } from './interval.js';

/** Two-sided exact p-value and the two counts of samples on which the systems differ. */
export interface McNemarResult {
  readonly pValue: number;
  readonly onlyFirst: number;
  readonly onlySecond: number;
}

/**
 * Exact McNemar test of two systems judged right or wrong on the same samples.
 *
 * Two-sided binomial test of the discordant samples against 1/2. Source: McNemar 1947.
 *
 * @param first - whether the first system is right, per sample (true or 1, false or 0).
 * @param second - the same for the second system, in the same order.
 * @throws {ShapeError} when the lengths differ.
 */
export function mcNemar(
  first: ArrayLike<boolean | number>,
  second: ArrayLike<boolean | number>,
): McNemarResult {
  requireSameLength(first, second, 'metrics/significance');
  let onlyFirst = 0;
  let onlySecond = 0;
  for (let index = 0; index < first.length; index++) {
    if (first[index] && !second[index]) onlyFirst += 1;
    if (!first[index] && second[index]) onlySecond += 1;
  }
  const discordant = onlyFirst + onlySecond;
  const least = Math.min(onlyFirst, onlySecond);
  const oneSide = discordant === 0 ? 1 : incompleteBeta(0.5, discordant - least, least + 1);
  return { pValue: Math.min(1, 2 * oneSide), onlyFirst, onlySecond };
}

/** How a permutation test draws: randomness, permutations (10,000), paired or not (paired). */
export interface PermutationOptions {
  readonly random: Pick<Random, 'uniform'>;
  readonly permutations?: number;
  readonly paired?: boolean;
}

/** Difference of means, first minus second, and its two-sided p-value. */
export interface DifferenceTest {
  readonly difference: number;
  readonly pValue: number;
}

/**
 * Permutation test of the difference of two means.
 *
 * Paired: the sign of each difference is flipped at random, or all 2^n ways are counted when
 * they are no more than `permutations`. Not paired: group labels are shuffled.
 * `p = (1 + #(|d*| >= |d|)) / (1 + permutations)` when drawn, the exact share when counted.
 *
 * @throws {ShapeError} when paired and the lengths differ.
 */
export function permutationTest(
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  { random, permutations = 10_000, paired = true }: PermutationOptions,
): DifferenceTest {
  if (!(permutations >= 1)) {
    throw new ConfigError(`metrics/significance: permutations is ${permutations}, least is 1.`);
  }
  const difference = mean(first) - mean(second);
  if (!paired) {
    const pValue = shuffledShare(first, second, { random, permutations });
    return { difference, pValue };
  }
  requireSameLength(first, second, 'metrics/significance');
  const deltas = Float64Array.from(first, (value, index) => value - second[index]!);
  const ways = 2 ** deltas.length;
  const pValue =
    ways <= permutations ? countedShare(deltas, ways) : flippedShare(deltas, random, permutations);
  return { difference, pValue };
}

/** Sums that differ only by rounding count as equal. */
function isAtLeast(sum: number, observed: number): boolean {
  return Math.abs(sum) >= Math.abs(observed) * (1 - 1e-12);
}

function countedShare(deltas: Float64Array, ways: number): number {
  const observed = deltas.reduce((sum, delta) => sum + delta, 0);
  let extreme = 0;
  for (let way = 0; way < ways; way++) {
    let sum = 0;
    for (let index = 0; index < deltas.length; index++) {
      sum += (way >> index) & 1 ? deltas[index]! : -deltas[index]!;
    }
    if (isAtLeast(sum, observed)) extreme += 1;
  }
  return extreme / ways;
}

function flippedShare(
  deltas: Float64Array,
  random: Pick<Random, 'uniform'>,
  permutations: number,
): number {
  const observed = deltas.reduce((sum, delta) => sum + delta, 0);
  let extreme = 0;
  for (let round = 0; round < permutations; round++) {
    let sum = 0;
    for (const delta of deltas) sum += random.uniform() < 0.5 ? delta : -delta;
    if (isAtLeast(sum, observed)) extreme += 1;
  }
  return (1 + extreme) / (1 + permutations);
}

function shuffledShare(
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  { random, permutations }: { random: Pick<Random, 'uniform'>; permutations: number },
): number {
  const pool = Float64Array.from([...Array.from(first), ...Array.from(second)]);
  const size = first.length;
  const differenceOf = () => mean(pool.subarray(0, size)) - mean(pool.subarray(size));
  const observed = differenceOf();
  let extreme = 0;
  for (let round = 0; round < permutations; round++) {
    for (let index = 0; index < size; index++) {
      const other = index + Math.floor(random.uniform() * (pool.length - index));
      const kept = pool[index]!;
      pool[index] = pool[other]!;
      pool[other] = kept;
    }
    if (isAtLeast(differenceOf(), observed)) extreme += 1;
  }
  return (1 + extreme) / (1 + permutations);
}

/** Welch's test: difference of means with t, degrees of freedom and the interval's ends. */
export interface WelchResult extends DifferenceTest {
  readonly t: number;
  readonly degrees: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Welch's t test of two means from independent samples with unequal variances.
 *
 * `t = (m1 - m2) / sqrt(s1^2/n1 + s2^2/n2)`, degrees by Welch and Satterthwaite.
 * Two samples without any spread give p = 1 when equal and p = 0 when not.
 *
 * @param first - at least two values.
 * @param second - at least two values.
 * @param level - of the interval around the difference; default .95.
 * @throws {DataError} when a sample has fewer than two values.
 */
export function welchTest(
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  level = 0.95,
): WelchResult {
  if (first.length < 2 || second.length < 2) {
    throw new DataError(
      `metrics/significance: samples of ${first.length} and ${second.length} values; a t test ` +
        'needs at least two in each.',
      { help: 'Repeat the run with other seeds.' },
    );
  }
  const [one, two] = [meanDeviation(first), meanDeviation(second)];
  const [share1, share2] = [one.deviation ** 2 / one.n, two.deviation ** 2 / two.n];
  const variance = share1 + share2;
  const difference = one.mean - two.mean;
  if (variance === 0) {
    const [t, pValue] = difference === 0 ? [0, 1] : [Math.sign(difference) * Infinity, 0];
    return { difference, t, pValue, degrees: one.n + two.n - 2, low: difference, high: difference };
  }
  const degrees = variance ** 2 / (share1 ** 2 / (one.n - 1) + share2 ** 2 / (two.n - 1));
  const error = Math.sqrt(variance);
  const t = difference / error;
  const half = studentQuantile(level, degrees) * error;
  const pValue = studentTwoSided(t, degrees);
  return { difference, t, degrees, pValue, low: difference - half, high: difference + half };
}

/**
 * P-values adjusted so that calling those below q significant keeps the false discovery rate at q.
 *
 * Step-up procedure: `q_(i) = min_{j >= i} p_(j) n / j`, at most 1.
 * Source: Benjamini and Hochberg 1995.
 *
 * @param pValues - 0..1, in any order.
 * @returns adjusted values in the order given.
 * @throws {DataError} when a value is outside 0..1.
 */
export function falseDiscoveryRate(pValues: ArrayLike<number>): Float64Array {
  const n = pValues.length;
  const order = Array.from({ length: n }, (_, index) => index);
  order.forEach((index) => {
    const p = pValues[index]!;
    if (!(p >= 0 && p <= 1)) {
      throw new DataError(`metrics/significance: p-value ${index} is ${p}, allowed are 0..1.`);
    }
  });
  order.sort((left, right) => pValues[right]! - pValues[left]!);
  const adjusted = new Float64Array(n);
  let least = 1;
  order.forEach((index, position) => {
    least = Math.min(least, pValues[index]! * (n / (n - position)));
    adjusted[index] = least;
  });
  return adjusted;
}
