import { ConfigError, DataError, type Random, ShapeError } from '@lab/core';
import { normalQuantile, studentQuantile } from './distributions.js';

/** Lower and upper end of an interval. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Mean, standard deviation with divisor n - 1 (0 for a single value), and number of values. */
export interface MeanDeviation {
  readonly mean: number;
  readonly deviation: number;
  readonly n: number;
}

/** What a bootstrap needs: a source of randomness, the resamples drawn (2000), the level (.95). */
export interface BootstrapOptions {
  readonly random: Pick<Random, 'integer'>;
  readonly resamples?: number;
  readonly level?: number;
}

/** A statistic of the sample, the bootstrap interval around it, and its standard error. */
export interface BootstrapInterval extends Interval {
  readonly estimate: number;
  readonly deviation: number;
}

/** The bootstrap interval of a difference, with the two-sided p-value of "no difference". */
export interface PairedInterval extends BootstrapInterval {
  readonly pValue: number;
}

/** A statistic of a sample, for example its mean. */
export type Statistic = (sample: Float64Array) => number;

/** Arithmetic mean. @throws {DataError} when there are no values. */
export function mean(values: ArrayLike<number>): number {
  requireValues(values, 1);
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index]!;
  return sum / values.length;
}

/**
 * Mean and sample standard deviation: `sqrt(sum (x - mean)^2 / (n - 1))`.
 *
 * @throws {DataError} when there are no values.
 */
export function meanDeviation(values: ArrayLike<number>): MeanDeviation {
  const centre = mean(values);
  const n = values.length;
  let squares = 0;
  for (let index = 0; index < n; index++) squares += (values[index]! - centre) ** 2;
  return { mean: centre, deviation: n > 1 ? Math.sqrt(squares / (n - 1)) : 0, n };
}

/**
 * Wilson's score interval of a share: stays within 0..1 and is sound for few trials.
 *
 * `(p + z^2/2n ± z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)`, p = successes / n.
 * Source: Wilson 1927.
 *
 * @param successes - 0..n.
 * @param n - number of trials; 0 gives the whole range 0..1.
 * @param level - 0 < level < 1; default .95.
 * @throws {DataError} when successes is outside 0..n.
 */
export function wilson(successes: number, n: number, level = 0.95): Interval {
  if (!(n >= 0 && successes >= 0 && successes <= n)) {
    throw new DataError(`metrics/interval: ${successes} successes of ${n} trials is impossible.`, {
      details: { successes, n },
    });
  }
  requireLevel(level);
  if (n === 0) return { low: 0, high: 1 };
  const z2 = normalQuantile(level) ** 2;
  const share = successes / n;
  const centre = share + z2 / (2 * n);
  const half = Math.sqrt(z2 * ((share * (1 - share)) / n + z2 / (4 * n * n)));
  const scale = 1 + z2 / n;
  return {
    low: successes === 0 ? 0 : (centre - half) / scale,
    high: successes === n ? 1 : (centre + half) / scale,
  };
}

/**
 * Student's interval of a mean: `mean ± t(level, n - 1) * deviation / sqrt(n)`.
 *
 * @param values - at least one; a single value has an infinite interval.
 * @throws {DataError} when there are no values.
 */
export function tInterval(values: ArrayLike<number>, level = 0.95): Interval & MeanDeviation {
  requireLevel(level);
  const summary = meanDeviation(values);
  const half =
    summary.n > 1
      ? (studentQuantile(level, summary.n - 1) * summary.deviation) / Math.sqrt(summary.n)
      : Number.POSITIVE_INFINITY;
  return { ...summary, low: summary.mean - half, high: summary.mean + half };
}

/**
 * Percentile bootstrap interval of any statistic of independent values.
 *
 * Source: Efron 1979; the ends are the linear quantiles of the resampled statistic.
 *
 * @param values - the sample, at least one value.
 * @param statistic - of a sample of the same size; the array is reused between calls.
 * @throws {DataError} when there are no values.
 */
export function bootstrap(
  values: ArrayLike<number>,
  statistic: Statistic,
  options: BootstrapOptions,
): BootstrapInterval {
  requireValues(values, 1);
  const sample = Float64Array.from(values);
  const estimate = statistic(sample.slice());
  return intervalOf(estimate, resample(sample, statistic, options), options.level ?? 0.95);
}

/**
 * Bootstrap of the mean difference of two measurements of the same samples, resampling pairs.
 *
 * The p-value is twice the smaller share of resampled differences on one side of 0, at least
 * 1 / (resamples + 1).
 *
 * @param first - values of the first system, one per sample.
 * @param second - values of the second system, in the same order.
 * @returns `estimate` = mean(first) - mean(second).
 * @throws {ShapeError} when the lengths differ.
 */
export function pairedBootstrap(
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  options: BootstrapOptions,
): PairedInterval {
  requireSameLength(first, second, 'metrics/interval');
  requireValues(first, 1);
  const differences = Float64Array.from(first, (value, index) => value - second[index]!);
  const drawn = resample(differences, mean, options);
  let below = 0;
  let above = 0;
  for (const value of drawn) {
    if (value <= 0) below += 1;
    if (value >= 0) above += 1;
  }
  const pValue = Math.min(1, (2 * (Math.min(below, above) + 1)) / (drawn.length + 1));
  return { ...intervalOf(mean(differences), drawn, options.level ?? 0.95), pValue };
}

/** Linear quantile of sorted values, `share` 0..1, as NumPy's default. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  requireValues(sorted, 1);
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (position - below) * (high - low);
}

function resample(
  sample: Float64Array,
  statistic: Statistic,
  { random, resamples = 2000 }: BootstrapOptions,
): Float64Array {
  if (!(Number.isInteger(resamples) && resamples > 0)) {
    throw new ConfigError(`metrics/interval: resamples is ${resamples}, allowed are 1, 2, ...`);
  }
  const drawn = new Float64Array(sample.length);
  return Float64Array.from({ length: resamples }, () => {
    for (let index = 0; index < drawn.length; index++) {
      drawn[index] = sample[random.integer(sample.length)]!;
    }
    return statistic(drawn);
  }).sort();
}

function intervalOf(estimate: number, sorted: Float64Array, level: number): BootstrapInterval {
  requireLevel(level);
  return {
    estimate,
    deviation: meanDeviation(sorted).deviation,
    low: quantile(sorted, (1 - level) / 2),
    high: quantile(sorted, (1 + level) / 2),
  };
}

function requireLevel(level: number): void {
  if (level > 0 && level < 1) return;
  throw new ConfigError(`metrics/interval: level is ${level}, allowed is 0 < level < 1.`, {
    help: 'Use .95 for a 95 % interval.',
  });
}

function requireValues(values: ArrayLike<number>, least: number): void {
  if (values.length >= least) return;
  throw new DataError(`metrics/interval: ${values.length} values, needed are at least ${least}.`);
}

/** Nothing, when two arrays are equally long. @throws {ShapeError} otherwise, with both lengths. */
export function requireSameLength(
  first: ArrayLike<unknown>,
  second: ArrayLike<unknown>,
  where: string,
): void {
  if (first.length === second.length) return;
  throw new ShapeError(
    `${where}: the first array has ${first.length} values, the second ${second.length}.`,
    { expected: [first.length], got: [second.length], help: 'Pass one value per sample in both.' },
  );
}
