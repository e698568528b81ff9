import { ConfigError } from '@lab/core';
import type { SparseRows } from './bag-of-words.js';
import { indexClasses } from './feature-matrix.js';

/** A fitted naive Bayes classifier of counts, as plain data. */
export interface NaiveBayesModel {
  /** Labels, ascending. */
  readonly classes: Int32Array;
  /** `ln P(class)`, `[C]`. */
  readonly logPriors: Float64Array;
  /** `ln P(feature | class)`, `[C, F]`. */
  readonly logLikelihoods: Float64Array;
}

/**
 * Multinomial naive Bayes: features are drawn independently, as often as they count.
 *
 * `ln P(f | c) = ln((count_cf + alpha) / (count_c + alpha F))`. What `MultinomialNB` of
 * scikit-learn fits. Source: McCallum & Nigam, "A comparison of event models for naive Bayes text
 * classification" (1998).
 *
 * @param rows - counts, `[N, F]`.
 * @param labels - a whole number per row, `[N]`.
 * @param alpha - what is added to each count, above 0; default 1.
 * @throws {ConfigError} when alpha is not above 0; {@link DataError} for rows of one class.
 */
export function fitNaiveBayes(
  rows: SparseRows,
  labels: ArrayLike<number>,
  alpha = 1,
): NaiveBayesModel {
  if (!(alpha > 0)) throw new ConfigError(`metrics/fitNaiveBayes: alpha is ${alpha}, not above 0.`);
  const { classes, places, counts } = indexClasses('metrics/fitNaiveBayes', labels, rows.rowCount);
  const { columnCount, offsets, columns, values } = rows;
  const logLikelihoods = new Float64Array(classes.length * columnCount).fill(alpha);
  const totals = new Float64Array(classes.length).fill(alpha * columnCount);
  for (let row = 0; row < rows.rowCount; row += 1) {
    const place = places[row]!;
    for (let at = offsets[row]!; at < offsets[row + 1]!; at += 1) {
      logLikelihoods[place * columnCount + columns[at]!]! += values[at]!;
      totals[place]! += values[at]!;
    }
  }
  for (let at = 0; at < logLikelihoods.length; at += 1) {
    const total = totals[Math.floor(at / columnCount)]!;
    logLikelihoods[at] = Math.log(logLikelihoods[at]! / total);
  }
  const logPriors = Float64Array.from(counts, (count) => Math.log(count / rows.rowCount));
  return { classes, logPriors, logLikelihoods };
}

/**
 * Joint log-likelihood of samples and classes; the class with the largest is the prediction.
 *
 * @param rows - counts of the same features, `[M, F]`.
 * @returns `[M, C]`, nats.
 */
export function naiveBayesScores(model: NaiveBayesModel, rows: SparseRows): Float64Array {
  const { logPriors, logLikelihoods } = model;
  const count = logPriors.length;
  const out = new Float64Array(rows.rowCount * count);
  for (let row = 0; row < rows.rowCount; row += 1) {
    for (let c = 0; c < count; c += 1) {
      let sum = logPriors[c]!;
      for (let at = rows.offsets[row]!; at < rows.offsets[row + 1]!; at += 1) {
        sum += rows.values[at]! * logLikelihoods[c * rows.columnCount + rows.columns[at]!]!;
      }
      out[row * count + c] = sum;
    }
  }
  return out;
}
