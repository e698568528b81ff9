import { ConfigError, ShapeError } from '@lab/core';
import { logGamma } from './distributions.js';

/** What the k largest of two lists have in common. */
export interface TopOverlap {
  readonly k: number;
  /** Places in both, in the order of the first list. */
  readonly both: readonly number[];
  /** Places in the first alone. */
  readonly firstOnly: readonly number[];
  readonly secondOnly: readonly number[];
  /** `|A and B| / |A or B|`, 0..1. */
  readonly jaccard: number;
  /** `|A and B| / min(|A|, |B|)`, 0..1: here the shared share of k. */
  readonly overlapCoefficient: number;
  /** Places that two draws of k by chance share on average: `k^2 / N`. */
  readonly expected: number;
  /** Probability that chance shares as many or more: {@link hypergeometricTail}. */
  readonly pValue: number;
}

/**
 * Places of the k largest values, largest first; among equals the first place first. What is not a
 * number never wins.
 *
 * @throws {ConfigError} where k is not 1..n, or fewer than k values are numbers.
 */
export function topIndices(values: ArrayLike<number>, k: number): number[] {
  const places: number[] = [];
  for (let at = 0; at < values.length; at += 1) if (!Number.isNaN(values[at]!)) places.push(at);
  if (!Number.isInteger(k) || k < 1 || k > places.length) {
    throw new ConfigError(`metrics/overlap: the top ${k} of ${places.length} values.`, {
      help: `Ask for 1 to ${places.length}.`,
    });
  }
  return places.toSorted((a, b) => values[b]! - values[a]! || a - b).slice(0, k);
}

/**
 * How far the k largest of two lists of values are the same places.
 *
 * @param first - `[N]`; places are compared, so both lists have the same order of items.
 * @param second - `[N]`.
 * @throws {ShapeError} when the lengths differ.
 * @throws {ConfigError} as {@link topIndices}.
 */
export function topOverlap(
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  k: number,
): TopOverlap {
  if (first.length !== second.length) {
    throw new ShapeError(
      `metrics/overlap: ${first.length} values against ${second.length}; both must be equal.`,
      { expected: first.length, got: second.length },
    );
  }
  const [one, two] = [topIndices(first, k), topIndices(second, k)];
  const [inOne, inTwo] = [new Set(one), new Set(two)];
  const both = one.filter((place) => inTwo.has(place));
  return {
    k,
    both,
    firstOnly: one.filter((place) => !inTwo.has(place)),
    secondOnly: two.filter((place) => !inOne.has(place)),
    jaccard: both.length / (2 * k - both.length),
    overlapCoefficient: both.length / k,
    expected: (k * k) / first.length,
    pValue: hypergeometricTail(both.length, { population: first.length, marked: k, drawn: k }),
  };
}

/** An urn. */
export interface Urn {
  /** Things in it. */
  readonly population: number;
  /** Things in it that count. */
  readonly marked: number;
  /** Things that are drawn, none put back. */
  readonly drawn: number;
}

/**
 * Probability of at least `count` marked things among those drawn.
 *
 * `P(X >= x) = sum_{i >= x} C(K, i) C(N - K, n - i) / C(N, n)`, N population, K marked, n drawn.
 *
 * @throws {ConfigError} where the urn cannot be: `marked` and `drawn` are 0..population.
 */
export function hypergeometricTail(count: number, { population, marked, drawn }: Urn): number {
  const isUrn = [population, marked, drawn].every((size) => Number.isInteger(size) && size >= 0);
  if (!isUrn || marked > population || drawn > population) {
    throw new ConfigError(
      `metrics/overlap: ${drawn} drawn and ${marked} marked of ${population} is impossible.`,
    );
  }
  const least = Math.max(0, drawn - (population - marked));
  if (count <= least) return 1;
  const all = logChoose(population, drawn);
  let sum = 0;
  for (let i = Math.ceil(count); i <= Math.min(marked, drawn); i += 1) {
    sum += Math.exp(logChoose(marked, i) + logChoose(population - marked, drawn - i) - all);
  }
  return Math.min(sum, 1);
}

const logChoose = (n: number, k: number): number =>
  logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);

/**
 * Rank-biased overlap of two rankings of the same length, 0..1, carried on beyond their end.
 *
 * `RBO = X_k / k p^k + (1 - p) / p sum_{d=1}^{k} X_d / d p^d`, X_d the number of items that the
 * first d of both share. The first 1 / (1 - p) ranks carry most of the weight.
 * Source: Webber, Moffat, Zobel, A Similarity Measure for Indefinite Rankings (2010), RBO_ext.
 *
 * @param first - items, best first, none twice.
 * @param persistence - p, 0 < p < 1; default .9.
 * @throws {ShapeError} for rankings of different lengths, or none.
 * @throws {ConfigError} for another p, or an item that stands twice.
 */
export function rankBiasedOverlap(
  first: readonly (number | string)[],
  second: readonly (number | string)[],
  persistence = 0.9,
): number {
  const k = first.length;
  if (k === 0 || k !== second.length) {
    throw new ShapeError(`metrics/overlap: rankings of ${k} and ${second.length} items.`, {
      help: 'Give two rankings of one length, at least 1.',
    });
  }
  if (!(persistence > 0 && persistence < 1)) {
    throw new ConfigError(`metrics/overlap: persistence is ${persistence}, allowed is (0, 1).`);
  }
  if (new Set(first).size !== k || new Set(second).size !== k) {
    throw new ConfigError('metrics/overlap: an item stands twice in a ranking.', {
      help: 'Rank each item once.',
    });
  }
  const [inFirst, inSecond] = [new Set<number | string>(), new Set<number | string>()];
  let [shared, sum] = [0, 0];
  for (let depth = 1; depth <= k; depth += 1) {
    const [one, two] = [first[depth - 1]!, second[depth - 1]!];
    inFirst.add(one);
    inSecond.add(two);
    if (inSecond.has(one)) shared += 1;
    if (one !== two && inFirst.has(two)) shared += 1;
    sum += (shared / depth) * persistence ** depth;
  }
  return (shared / k) * persistence ** k + ((1 - persistence) / persistence) * sum;
}
