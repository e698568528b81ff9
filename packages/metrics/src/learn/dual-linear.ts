import { ConfigError } from '@lab/core';
import type { FeatureMatrix } from './feature-matrix.js';

/**
 * Linear scores that are written in the rows they were learnt from:
 * `s_o(x) = sum_i a_oi <x_i, x> + b_o`.
 *
 * So long as rows are fewer than features this is the short form, and it needs inner products
 * only; {@link primalWeights} gives the weights per feature.
 */
export interface DualLinear {
  /** Scores per sample, O. */
  readonly outputCount: number;
  /** a, `[O, N]`. */
  readonly coefficients: Float64Array;
  /** b, `[O]`. */
  readonly intercepts: Float64Array;
}

/**
 * Scores of samples, given what they have in common with the rows that were learnt from.
 *
 * @param products - inner products or kernel of samples and those rows, `[M, N]`.
 * @returns `[M, O]`.
 * @throws {ConfigError} when products and model disagree on N.
 */
export function dualScores(model: DualLinear, products: Float64Array): Float64Array {
  const { outputCount, coefficients, intercepts } = model;
  const n = coefficients.length / outputCount;
  const m = products.length / n;
  if (!Number.isInteger(m)) {
    throw new ConfigError(`metrics/dualScores: ${products.length} products are not rows of ${n}.`, {
      help: 'give the inner products with all rows that the model was fitted on.',
    });
  }
  const out = new Float64Array(m * outputCount);
  for (let row = 0; row < m; row += 1) {
    for (let o = 0; o < outputCount; o += 1) {
      let sum = intercepts[o]!;
      for (let i = 0; i < n; i += 1) sum += coefficients[o * n + i]! * products[row * n + i]!;
      out[row * outputCount + o] = sum;
    }
  }
  return out;
}

/**
 * The weight of each feature: `w_o = sum_i a_oi x_i`, so that `s_o(x) = <w_o, x> + b_o`.
 *
 * @param rows - what the model was fitted on, `[N, F]`.
 * @returns `[O, F]`.
 * @throws {ConfigError} when the model was fitted on another number of rows.
 */
export function primalWeights(model: DualLinear, rows: FeatureMatrix): Float64Array {
  const { outputCount, coefficients } = model;
  const { rowCount, columnCount, values } = rows;
  if (coefficients.length !== outputCount * rowCount) {
    throw new ConfigError(
      `metrics/primalWeights: the model was fitted on ${coefficients.length / outputCount} rows, ` +
        `given are ${rowCount}.`,
      { help: 'give the rows it was fitted on, in their order.' },
    );
  }
  const out = new Float64Array(outputCount * columnCount);
  for (let o = 0; o < outputCount; o += 1) {
    const weights = out.subarray(o * columnCount, (o + 1) * columnCount);
    for (let i = 0; i < rowCount; i += 1) {
      const a = coefficients[o * rowCount + i]!;
      if (a === 0) continue;
      const from = i * columnCount;
      for (let f = 0; f < columnCount; f += 1) weights[f]! += a * values[from + f]!;
    }
  }
  return out;
}

/** The place of the largest of each `outputCount` scores, the first of equal ones, `[M]`. */
function largestScore(scores: Float64Array, outputCount: number): Int32Array {
  const out = new Int32Array(scores.length / outputCount);
  for (let row = 0; row < out.length; row += 1) {
    const from = row * outputCount;
    for (let o = 1; o < outputCount; o += 1) {
      if (scores[from + o]! > scores[from + out[row]!]!) out[row] = o;
    }
  }
  return out;
}

/**
 * Labels of samples from their scores: by the sign of one score, which speaks for the second of
 * two classes, or by the largest of one score per class.
 *
 * @param classes - labels, ascending.
 * @param scores - `[M, 1]` for two classes, else `[M, C]`.
 * @returns `[M]`.
 */
export function predictClasses(classes: Int32Array, scores: Float64Array): Int32Array {
  if (classes.length === 2) return Int32Array.from(scores, (score) => classes[score > 0 ? 1 : 0]!);
  return largestScore(scores, classes.length).map((place) => classes[place]!);
}

/** One output for two classes, the score of the second less that of the first; else as it is. */
export function asOneOutput(model: DualLinear): DualLinear {
  const { outputCount, coefficients, intercepts } = model;
  if (outputCount !== 2) return model;
  const n = coefficients.length / 2;
  return {
    outputCount: 1,
    coefficients: Float64Array.from(
      { length: n },
      (_, i) => coefficients[n + i]! - coefficients[i]!,
    ),
    intercepts: Float64Array.of(intercepts[1]! - intercepts[0]!),
  };
}
