import { ConfigError } from '@lab/core';
import { checkFeatures, type FeatureMatrix } from './feature-matrix.js';

/** Mean and scale of each feature, as plain data. */
export interface Scaler {
  /** `[F]`. */
  readonly means: Float64Array;
  /** Population deviation, 1 where a feature does not vary, `[F]`. */
  readonly scales: Float64Array;
  /** Features that do not vary beyond rounding. */
  readonly constantCount: number;
}

/**
 * Mean and population deviation of each feature. What `StandardScaler` of scikit-learn fits.
 *
 * @param rows - `[N, F]`, finite.
 */
export function fitScaler(rows: FeatureMatrix): Scaler {
  checkFeatures('metrics/fitScaler', rows);
  const { rowCount, columnCount, values } = rows;
  const means = new Float64Array(columnCount);
  const scales = new Float64Array(columnCount);
  for (let from = 0; from < values.length; from += columnCount) {
    for (let f = 0; f < columnCount; f += 1) means[f]! += values[from + f]!;
  }
  for (let f = 0; f < columnCount; f += 1) means[f]! /= rowCount;
  for (let from = 0; from < values.length; from += columnCount) {
    for (let f = 0; f < columnCount; f += 1) {
      const off = values[from + f]! - means[f]!;
      scales[f]! += off * off;
    }
  }
  let constantCount = 0;
  for (let f = 0; f < columnCount; f += 1) {
    const variance = scales[f]! / rowCount;
    // A sum of N terms carries this much rounding: below it a spread is none.
    const error = rowCount * Number.EPSILON;
    const isConstant = variance <= error * variance + (error * means[f]!) ** 2;
    scales[f] = isConstant ? 1 : Math.sqrt(variance);
    constantCount += isConstant ? 1 : 0;
  }
  return { means, scales, constantCount };
}

/**
 * Rows in units of a scaler: `(x - mean) / scale`.
 *
 * @param rows - `[M, F]`.
 * @returns `[M, F]` in double precision.
 * @throws {ConfigError} when the rows are of another width.
 */
export function scaleRows({ means, scales }: Scaler, rows: FeatureMatrix): FeatureMatrix {
  const { rowCount, columnCount, values } = rows;
  if (columnCount !== means.length) {
    throw new ConfigError(
      `metrics/scaleRows: rows are ${columnCount} wide, the scaler takes ${means.length}.`,
    );
  }
  const out = new Float64Array(values.length);
  for (let row = 0; row < rowCount; row += 1) {
    const from = row * columnCount;
    for (let f = 0; f < columnCount; f += 1) {
      out[from + f] = (values[from + f]! - means[f]!) / scales[f]!;
    }
  }
  return { rowCount, columnCount, values: out };
}
