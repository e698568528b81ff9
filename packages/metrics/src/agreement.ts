import { DataError } from '@lab/core';
import { type Label, confusionMatrix } from './classification.js';
import { mean, requireSameLength } from './interval.js';

/**
 * Cohen's kappa: agreement of two raters beyond chance, 1 is perfect, 0 is chance.
 *
 * `1 - sum w o / sum w e`, o observed and e expected counts; w is 0 on the diagonal and, off it,
 * 1 (none), |i - j| (linear) or (i - j)^2 (quadratic) in the sorted order of labels.
 * Source: Cohen 1960, 1968. Two raters who both use one and the same label agree: 1.
 *
 * @throws {ShapeError} when the lengths differ.
 */
export function cohenKappa(
  first: ArrayLike<Label>,
  second: ArrayLike<Label>,
  { weights = 'none' }: { weights?: 'none' | 'linear' | 'quadratic' } = {},
): number {
  const { counts } = confusionMatrix(second, first);
  const rows = counts.map((row) => row.reduce((sum, count) => sum + count, 0));
  const columns = counts.map((_, j) => counts.reduce((sum, row) => sum + row[j]!, 0));
  let observed = 0;
  let expected = 0;
  counts.forEach((row, i) => {
    row.forEach((count, j) => {
      const distance = Math.abs(i - j);
      const weight = weights === 'none' ? Math.min(distance, 1) : distance;
      const w = weights === 'quadratic' ? weight ** 2 : weight;
      observed += w * count;
      expected += (w * rows[i]! * columns[j]!) / first.length;
    });
  });
  return expected === 0 ? 1 : 1 - observed / expected;
}

/**
 * Fleiss' kappa: agreement beyond chance of a fixed number of raters per sample.
 *
 * `(P - Pe) / (1 - Pe)`, P the mean share of agreeing pairs of raters, Pe that of chance.
 * Source: Fleiss 1971.
 *
 * @param counts - `[N, C]`: how many raters gave sample n the class c; equal row sums, >= 2.
 * @throws {DataError} when there is no sample or the row sums differ.
 */
export function fleissKappa(counts: readonly ArrayLike<number>[]): number {
  const raters = counts.length > 0 ? sumOf(counts[0]!) : 0;
  if (raters < 2) throw new DataError(`metrics/agreement: ${raters} raters, needed are two.`);
  const classTotals = new Float64Array(counts[0]!.length);
  let agreement = 0;
  counts.forEach((row, index) => {
    if (sumOf(row) !== raters) {
      throw new DataError(
        `metrics/agreement: sample ${index} has ${sumOf(row)} ratings, the first has ${raters}.`,
      );
    }
    let pairs = 0;
    for (let label = 0; label < row.length; label++) {
      pairs += row[label]! * (row[label]! - 1);
      classTotals[label]! += row[label]!;
    }
    agreement += pairs / (raters * (raters - 1));
  });
  const ratings = counts.length * raters;
  const chance = classTotals.reduce((sum, total) => sum + (total / ratings) ** 2, 0);
  return chance === 1 ? 1 : (agreement / counts.length - chance) / (1 - chance);
}

/**
 * Pearson's correlation, -1..1; NaN when one side does not vary.
 *
 * @throws {ShapeError} when the lengths differ.
 */
export function pearson(first: ArrayLike<number>, second: ArrayLike<number>): number {
  requireSameLength(first, second, 'metrics/agreement');
  const [mean1, mean2] = [mean(first), mean(second)];
  let [covariance, variance1, variance2] = [0, 0, 0];
  for (let index = 0; index < first.length; index++) {
    const [d1, d2] = [first[index]! - mean1, second[index]! - mean2];
    covariance += d1 * d2;
    variance1 += d1 * d1;
    variance2 += d2 * d2;
  }
  const scale = Math.sqrt(variance1) * Math.sqrt(variance2);
  return scale === 0 ? Number.NaN : Math.max(-1, Math.min(1, covariance / scale));
}

/** Spearman's rank correlation: Pearson's of the ranks, ties at their mean rank. */
export function spearman(first: ArrayLike<number>, second: ArrayLike<number>): number {
  return pearson(meanRanks(first), meanRanks(second));
}

/** Ranks from 1 in increasing order; tied values share the mean of their places. */
export function meanRanks(values: ArrayLike<number>): Float64Array {
  const order = Uint32Array.from({ length: values.length }, (_, index) => index).sort(
    (left, right) => values[left]! - values[right]!,
  );
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end += 1;
    end = Math.max(end, start + 1);
    for (let place = start; place < end; place++) ranks[order[place]!] = (start + 1 + end) / 2;
    start = end;
  }
  return ranks;
}

/**
 * Kendall's tau-b: concordant minus discordant pairs, corrected for ties, -1..1.
 *
 * `(P - Q) / sqrt((n0 - n1)(n0 - n2))`, n1 and n2 the pairs tied on either side; NaN when one
 * side does not vary. Source: Kendall 1945; counted in n log n after Knight 1966.
 *
 * @throws {ShapeError} when the lengths differ.
 */
export function kendall(first: ArrayLike<number>, second: ArrayLike<number>): number {
  requireSameLength(first, second, 'metrics/agreement');
  const n = first.length;
  const order = Array.from({ length: n }, (_, index) => index).sort(
    (left, right) => first[left]! - first[right]! || second[left]! - second[right]!,
  );
  const ordered = Float64Array.from(order, (index) => second[index]!);
  const all = (n * (n - 1)) / 2;
  const tied1 = tiedPairs(order, (a, b) => first[a] === first[b]);
  const tiedBoth = tiedPairs(order, (a, b) => first[a] === first[b] && second[a] === second[b]);
  const discordant = countInversions(ordered, new Float64Array(n));
  const sorted = Array.from(ordered, (_, index) => index);
  const tied2 = tiedPairs(sorted, (a, b) => ordered[a] === ordered[b]);
  const concordant = all - tied1 - tied2 + tiedBoth - discordant;
  const scale = Math.sqrt(all - tied1) * Math.sqrt(all - tied2);
  return scale === 0 ? Number.NaN : (concordant - discordant) / scale;
}

function tiedPairs(order: readonly number[], isTied: (a: number, b: number) => boolean): number {
  let pairs = 0;
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && isTied(order[start]!, order[end]!)) end += 1;
    pairs += ((end - start) * (end - start - 1)) / 2;
    start = end;
  }
  return pairs;
}

/** Number of pairs out of order; sorts `values` in place by merging. */
function countInversions(values: Float64Array, spare: Float64Array): number {
  if (values.length < 2) return 0;
  const middle = values.length >> 1;
  const left = values.subarray(0, middle);
  const right = values.subarray(middle);
  let count =
    countInversions(left, spare.subarray(0, middle)) +
    countInversions(right, spare.subarray(middle));
  let [i, j] = [0, 0];
  for (let place = 0; place < values.length; place++) {
    if (j >= right.length || (i < left.length && left[i]! <= right[j]!)) {
      spare[place] = left[i++]!;
    } else {
      spare[place] = right[j++]!;
      count += left.length - i;
    }
  }
  values.set(spare);
  return count;
}

function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index]!;
  return sum;
}
