import { ConfigError } from '@lab/core';
import { cholesky, solveCholesky } from './cholesky.js';

/** Settings of {@link fitLogistic}. */
export interface LogisticOptions {
  /** Weight of the squared coefficients (not of the intercept); default 1. */
  readonly l2?: number;
  /** Newton steps at most; default 50. */
  readonly maxSteps?: number;
}

/** A fitted logistic regression. */
export interface LogisticModel {
  /** Coefficients of the features as they were given (not standardised). */
  readonly coefficients: Float64Array;
  readonly intercept: number;
  /** `P(label = 1 | features)`. */
  probability(features: ArrayLike<number>): number;
}

/**
 * Logistic regression with a ridge, fitted by Newton's method on standardised features.
 *
 * Minimises `sum_i ln(1 + e^{-y_i (w x_i + b)}) + l2 / 2 |w|^2` with y in {-1, 1} and x
 * standardised to mean 0 and deviation 1; features without spread get coefficient 0.
 * Source: Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 4.4.1.
 *
 * @param rows - one array of features per sample, `[N][F]`, finite.
 * @param labels - 0 or 1 per sample, `[N]`.
 * @returns the model on the original features.
 * @throws {ConfigError} when lengths differ, there is no sample, or a value is not finite.
 */
export function fitLogistic(
  rows: readonly ArrayLike<number>[],
  labels: ArrayLike<number>,
  options: LogisticOptions = {},
): LogisticModel {
  checkSamples(rows, labels);
  const { means, deviations } = moments(rows);
  const size = means.length;
  const design = rows.map((row) => {
    const x = new Float64Array(size + 1).fill(1);
    for (let f = 0; f < size; f += 1) x[f] = (row[f]! - means[f]!) * inverse(deviations[f]!);
    return x;
  });
  const weights = newton(design, labels, options);
  const coefficients = new Float64Array(size);
  let intercept = weights[size]!;
  for (let f = 0; f < size; f += 1) {
    coefficients[f] = weights[f]! * inverse(deviations[f]!);
    intercept -= coefficients[f]! * means[f]!;
  }
  return {
    coefficients,
    intercept,
    probability: (features) => {
      let logit = intercept;
      for (let f = 0; f < size; f += 1) logit += coefficients[f]! * features[f]!;
      return sigmoid(logit);
    },
  };
}

const inverse = (deviation: number) => (deviation > 0 ? 1 / deviation : 0);
const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));

function checkSamples(rows: readonly ArrayLike<number>[], labels: ArrayLike<number>): void {
  if (rows.length === 0 || rows.length !== labels.length) {
    throw new ConfigError(
      `metrics/fitLogistic: ${rows.length} rows and ${labels.length} labels; both must be equal ` +
        'and at least 1.',
    );
  }
  const width = rows[0]!.length;
  for (const [index, row] of rows.entries()) {
    if (row.length === width && Array.from(row).every(Number.isFinite)) continue;
    throw new ConfigError(
      `metrics/fitLogistic: row ${index} does not hold ${width} finite numbers.`,
      { help: 'drop the row or replace what is missing' },
    );
  }
}

function moments(rows: readonly ArrayLike<number>[]) {
  const width = rows[0]!.length;
  const means = new Float64Array(width);
  const deviations = new Float64Array(width);
  for (const row of rows) {
    for (let f = 0; f < width; f += 1) means[f]! += row[f]! / rows.length;
  }
  for (const row of rows) {
    for (let f = 0; f < width; f += 1) deviations[f]! += (row[f]! - means[f]!) ** 2 / rows.length;
  }
  // Below the rounding of the mean a spread is none.
  const spread = (variance: number, f: number) =>
    Math.sqrt(variance) > 1e-12 * Math.max(1, Math.abs(means[f]!)) ? Math.sqrt(variance) : 0;
  return { means, deviations: deviations.map(spread) };
}

/** Weights `[F + 1]`, the last one the intercept. */
function newton(
  design: readonly Float64Array[],
  labels: ArrayLike<number>,
  { l2 = 1, maxSteps = 50 }: LogisticOptions,
): Float64Array {
  const size = design[0]!.length;
  const weights = new Float64Array(size);
  for (let step = 0; step < maxSteps; step += 1) {
    const gradient = new Float64Array(size);
    const hessian = new Float64Array(size * size);
    for (let f = 0; f < size - 1; f += 1) {
      gradient[f] = l2 * weights[f]!;
      hessian[f * size + f] = l2;
    }
    // An intercept alone may run off when all labels agree; a whisper of a ridge holds it.
    gradient[size - 1] = 1e-6 * weights[size - 1]!;
    hessian[size * size - 1] = 1e-6;
    for (const [index, x] of design.entries()) {
      accumulate({ x, label: labels[index]!, weights, gradient, hessian });
    }
    const change = solveCholesky(cholesky(hessian, size), gradient);
    let largest = 0;
    for (let f = 0; f < size; f += 1) {
      weights[f]! -= change[f]!;
      largest = Math.max(largest, Math.abs(change[f]!));
    }
    if (largest < 1e-10) break;
  }
  return weights;
}

interface Accumulation {
  readonly x: Float64Array;
  readonly label: number;
  readonly weights: Float64Array;
  readonly gradient: Float64Array;
  readonly hessian: Float64Array;
}

function accumulate({ x, label, weights, gradient, hessian }: Accumulation): void {
  const size = x.length;
  let logit = 0;
  for (let f = 0; f < size; f += 1) logit += weights[f]! * x[f]!;
  const p = sigmoid(logit);
  const curvature = Math.max(p * (1 - p), 1e-12);
  for (let f = 0; f < size; f += 1) {
    gradient[f]! += (p - label) * x[f]!;
    for (let g = 0; g < size; g += 1) hessian[f * size + g]! += curvature * x[f]! * x[g]!;
  }
}
