import { ConfigError } from '@lab/core';
import { asOneOutput, type DualLinear } from './dual-linear.js';
import { type ClassIndex, indexClasses } from './feature-matrix.js';

/** A linear classifier in the rows it was fitted on, with the labels it tells apart. */
export interface DualClassifier extends DualLinear {
  /** Labels, ascending; with two of them there is one output, which speaks for the second. */
  readonly classes: Int32Array;
}

/** Inner products of rows and class means. */
export interface ClassMeans extends ClassIndex {
  /** `<x_i, m_c>`, `[N, C]`. */
  readonly rowMeans: Float64Array;
  /** `<m_c, m_d>`, `[C, C]`. */
  readonly meanMeans: Float64Array;
}

/**
 * What rows have in common with the means of the classes, from their inner products alone.
 *
 * @param where - what is called.
 * @param gram - `[N, N]`.
 * @param labels - `[N]`.
 * @throws {ConfigError} when the sizes disagree; {@link DataError} for rows of one class.
 */
export function classMeans(
  where: string,
  gram: Float64Array,
  labels: ArrayLike<number>,
): ClassMeans {
  const n = labels.length;
  if (gram.length !== n * n) {
    throw new ConfigError(`${where}: ${n} labels with ${gram.length} inner products.`, {
      help: 'give the inner products of all pairs of rows, [N, N].',
    });
  }
  const index = indexClasses(where, labels, n);
  const { classes, places, counts } = index;
  const count = classes.length;
  const rowMeans = new Float64Array(n * count);
  const meanMeans = new Float64Array(count * count);
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j < n; j += 1) rowMeans[i * count + places[j]!]! += gram[i * n + j]!;
    for (let c = 0; c < count; c += 1) {
      rowMeans[i * count + c]! /= counts[c]!;
      meanMeans[places[i]! * count + c]! += rowMeans[i * count + c]! / counts[places[i]!]!;
    }
  }
  return { ...index, rowMeans, meanMeans };
}

/**
 * The nearest mean: each sample gets the class whose mean is closest.
 *
 * `s_c(x) = <x, m_c> - |m_c|^2 / 2`. What `NearestCentroid` of scikit-learn does.
 *
 * @param gram - inner products of all pairs of rows, `[N, N]`.
 * @param labels - a whole number per row, `[N]`.
 * @throws {DataError} for rows of one class.
 */
export function fitNearestCentroid(gram: Float64Array, labels: ArrayLike<number>): DualClassifier {
  const { classes, places, counts, meanMeans } = classMeans(
    'metrics/fitNearestCentroid',
    gram,
    labels,
  );
  const [n, count] = [labels.length, classes.length];
  const coefficients = new Float64Array(count * n);
  for (let i = 0; i < n; i += 1) coefficients[places[i]! * n + i] = 1 / counts[places[i]!]!;
  const intercepts = Float64Array.from(classes, (_, c) => -meanMeans[c * (count + 1)]! / 2);
  return { classes, ...asOneOutput({ outputCount: count, coefficients, intercepts }) };
}

/**
 * The difference of the two class means as direction, the mean of all rows as threshold.
 *
 * `s(x) = <x - mean, m_1 - m_0>`. Source: Marks & Tegmark, "The geometry of truth" (2023), the
 * mass-mean probe without its correction by the covariance. Where the classes are equally large it
 * is the nearest mean.
 *
 * @param gram - inner products of all pairs of rows, `[N, N]`.
 * @param labels - a whole number per row, `[N]`, of two classes.
 * @throws {ConfigError} for more than two classes.
 */
export function fitMassMean(gram: Float64Array, labels: ArrayLike<number>): DualClassifier {
  const { classes, places, counts, rowMeans } = classMeans('metrics/fitMassMean', gram, labels);
  if (classes.length !== 2) {
    throw new ConfigError(`metrics/fitMassMean: ${classes.length} classes, it takes two.`, {
      help: 'use the nearest centroid for more.',
    });
  }
  const n = labels.length;
  const coefficients = Float64Array.from(
    places,
    (place) => (place === 1 ? 1 : -1) / counts[place]!,
  );
  let intercept = 0;
  for (let i = 0; i < n; i += 1) intercept -= (rowMeans[2 * i + 1]! - rowMeans[2 * i]!) / n;
  return { classes, outputCount: 1, coefficients, intercepts: Float64Array.of(intercept) };
}
