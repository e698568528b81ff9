import { ConfigError, DataError } from '@lab/core';
import { meanDeviation } from './interval.js';

/** A curve: at each `x` a value. */
export interface Curve {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/**
 * The empirical distribution function: at each value, the share of values that are not larger.
 *
 * `F(x) = #(v <= x) / n`.
 *
 * @returns one point for each different value, in increasing order; the last share is 1.
 * @throws {DataError} without values, and for one that is not finite.
 */
export function empiricalDistribution(values: ArrayLike<number>): Curve {
  const sorted = checked(values).sort();
  const [x, y]: number[][] = [[], []];
  for (let at = 0; at < sorted.length; at += 1) {
    if (sorted[at] === sorted[at + 1]) continue;
    x!.push(sorted[at]!);
    y!.push((at + 1) / sorted.length);
  }
  return { x: Float64Array.from(x!), y: Float64Array.from(y!) };
}

/** Settings of {@link kernelDensity}. */
export interface KernelDensityOptions {
  /** Width of the kernel in units of x; default Scott's rule. */
  readonly bandwidth?: 'scott' | number | undefined;
  /** Points of the curve, at least 2; default 200. */
  readonly points?: number | undefined;
  /** Ends of the curve; default three widths beyond the values. */
  readonly range?: readonly [low: number, high: number] | undefined;
}

/** A density and the width of its kernel. */
export interface Density extends Curve {
  readonly bandwidth: number;
}

/**
 * Gaussian kernel density of values.
 *
 * `f(x) = 1 / (n h) sum_i phi((x - v_i) / h)`, h by Scott's rule `sd n^(-1/5)`, the deviation
 * with divisor n - 1. Source: Scott 1992; the same width as `gaussian_kde` of SciPy.
 *
 * @param values - at least two that differ, unless `bandwidth` is a number.
 * @throws {DataError} without values, for one that is not finite, and where Scott's rule gives 0.
 * @throws {ConfigError} for points, range or bandwidth that make no curve.
 */
export function kernelDensity(
  values: ArrayLike<number>,
  options: KernelDensityOptions = {},
): Density {
  const { points = 200 } = options;
  const sample = checked(values);
  const bandwidth = widthOf(sample, options.bandwidth ?? 'scott');
  const [least, most] = [
    sample.reduce((a, b) => Math.min(a, b)),
    sample.reduce((a, b) => Math.max(a, b)),
  ];
  const [low, high] = options.range ?? [least - 3 * bandwidth, most + 3 * bandwidth];
  if (!Number.isInteger(points) || points < 2 || !(low < high)) {
    throw new ConfigError(`metrics/density: ${points} points from ${low} to ${high}.`, {
      help: 'Give at least 2 points, and a range that rises.',
    });
  }
  const x = Float64Array.from(
    { length: points },
    (_, at) => low + ((high - low) * at) / (points - 1),
  );
  const scale = 1 / (sample.length * bandwidth * Math.sqrt(2 * Math.PI));
  const y = x.map((at) => {
    let sum = 0;
    for (const value of sample) sum += Math.exp(-0.5 * ((at - value) / bandwidth) ** 2);
    return sum * scale;
  });
  return { x, y, bandwidth };
}

function widthOf(sample: Float64Array, bandwidth: 'scott' | number): number {
  if (typeof bandwidth === 'number') {
    if (Number.isFinite(bandwidth) && bandwidth > 0) return bandwidth;
    throw new ConfigError(
      `metrics/density: bandwidth is ${bandwidth}, allowed are numbers above 0.`,
    );
  }
  const width = meanDeviation(sample).deviation * sample.length ** -0.2;
  if (width > 0) return width;
  throw new DataError(
    `metrics/density: ${sample.length} values that do not differ have no width of a kernel.`,
    { help: 'Give values that differ, or a bandwidth.' },
  );
}

function checked(values: ArrayLike<number>): Float64Array {
  const sample = Float64Array.from(values);
  const wrong = sample.findIndex((value) => !Number.isFinite(value));
  if (sample.length > 0 && wrong < 0) return sample;
  const what = wrong < 0 ? 'there are no values' : `value ${wrong} is ${sample[wrong]}`;
  throw new DataError(`metrics/density: ${what}.`, { help: 'Give finite numbers, at least one.' });
}
