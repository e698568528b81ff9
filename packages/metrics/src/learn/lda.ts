import { ConfigError } from '@lab/core';
import { type ClassMeans, classMeans, type DualClassifier } from './centroids.js';
import { cholesky, solveCholesky } from './cholesky.js';
import { asOneOutput } from './dual-linear.js';

/** Settings of {@link fitLda}. */
export interface LdaOptions {
  /** F, the number of features that the inner products are of. */
  readonly featureCount: number;
  /**
   * How far the covariance is drawn to a multiple of the identity, 0 < s <= 1; `'auto'` (default):
   * as Ledoit & Wolf estimate it.
   */
  readonly shrinkage?: number | 'auto';
}

/** A linear discriminant, with the shrinkage it was fitted with. */
export interface LdaModel extends DualClassifier {
  readonly shrinkage: number;
}

/**
 * Linear discriminant analysis with a shrunk covariance, from inner products of rows.
 *
 * `S = (1 - s) W + s tr(W) / F I`, W the covariance within classes over N;
 * `s_c(x) = <x - m_c / 2, S^-1 m_c> + ln(n_c / N)`. Solved in N dimensions by Woodbury's
 * identity. What `LinearDiscriminantAnalysis(solver='lsqr', shrinkage=s)` of scikit-learn fits.
 * Deviation: its `shrinkage='auto'` estimates s class by class on scaled features, ours once on
 * rows less the means of their classes.
 * Source: Ledoit & Wolf, "A well-conditioned estimator for large-dimensional covariance matrices"
 * (2004).
 *
 * @param gram - inner products of all pairs of rows, `[N, N]`.
 * @param labels - a whole number per row, `[N]`.
 * @throws {ConfigError} when the shrinkage is out of range; {@link DataError} for one class.
 */
export function fitLda(
  gram: Float64Array,
  labels: ArrayLike<number>,
  { featureCount, shrinkage = 'auto' }: LdaOptions,
): LdaModel {
  if (shrinkage !== 'auto' && !(shrinkage > 0 && shrinkage <= 1)) {
    throw new ConfigError(`metrics/fitLda: shrinkage is ${shrinkage}, allowed is 0 < s <= 1.`);
  }
  const means = classMeans('metrics/fitLda', gram, labels);
  const n = labels.length;
  const within = withinProducts(gram, means);
  let trace = 0;
  for (let i = 0; i < n; i += 1) trace += within[i * (n + 1)]!;
  const s = shrinkage === 'auto' ? ledoitWolf(within, n, featureCount) : shrinkage;
  const ridge = (s * trace) / n / featureCount || 1;
  const weight = (1 - s) / n;
  const count = means.classes.length;
  const coefficients = new Float64Array(count * n);
  const intercepts = new Float64Array(count);
  const factor = weight > 0 ? factorOf(within, n, ridge / weight) : null;
  for (let c = 0; c < count; c += 1) {
    const own = coefficients.subarray(c * n, (c + 1) * n);
    own.set(meanCoefficients(means, c, { factor, ridge }));
    let product = 0;
    for (let i = 0; i < n; i += 1) product += own[i]! * means.rowMeans[i * count + c]!;
    intercepts[c] = -product / 2 + Math.log(means.counts[c]! / n);
  }
  const model = asOneOutput({ outputCount: count, coefficients, intercepts });
  return { classes: means.classes, shrinkage: s, ...model };
}

/** Inner products of the rows less the means of their classes, `[N, N]`. */
export function withinProducts(gram: Float64Array, means: ClassMeans): Float64Array {
  const { places, rowMeans, meanMeans, classes } = means;
  const [n, count] = [places.length, classes.length];
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1) {
    const [own, row] = [places[i]!, i * count];
    for (let j = 0; j < n; j += 1) {
      const other = places[j]!;
      out[i * n + j] =
        gram[i * n + j]! -
        rowMeans[row + other]! -
        rowMeans[j * count + own]! +
        meanMeans[own * count + other]!;
    }
  }
  return out;
}

/**
 * The shrinkage with the least expected squared error of the covariance, 0..1.
 *
 * @param products - of rows with mean zero, `[N, N]`.
 */
function ledoitWolf(products: Float64Array, n: number, featureCount: number): number {
  let [trace, fourth, squares] = [0, 0, 0];
  for (let i = 0; i < n; i += 1) {
    const own = products[i * (n + 1)]!;
    trace += own / n;
    fourth += (own * own) / n;
  }
  for (let at = 0; at < products.length; at += 1) squares += (products[at]! / n) ** 2;
  const scatter = (squares - (trace * trace) / featureCount) / featureCount;
  const noise = Math.min((fourth - squares) / n / featureCount, scatter);
  return scatter > 0 ? Math.max(noise / scatter, 1e-9) : 1;
}

function factorOf(within: Float64Array, n: number, ridge: number): Float64Array {
  const shifted = within.slice();
  for (let i = 0; i < n; i += 1) shifted[i * (n + 1)]! += ridge;
  return cholesky(shifted, n);
}

interface Covariance {
  /** Of `ridge / weight I + Xc Xc^T`; null where the covariance is the ridge alone. */
  readonly factor: Float64Array | null;
  readonly ridge: number;
}

/** `S^-1 m_c` in the rows: `(m_c - Xc^T (ridge / weight I + Xc Xc^T)^-1 Xc m_c) / ridge`. */
function meanCoefficients(
  means: ClassMeans,
  c: number,
  { factor, ridge }: Covariance,
): Float64Array {
  const { places, counts, rowMeans, meanMeans, classes } = means;
  const [n, count] = [places.length, classes.length];
  const out = Float64Array.from(places, (place) => (place === c ? 1 / counts[c]! / ridge : 0));
  if (factor === null) return out;
  const shared = Float64Array.from(
    places,
    (place, i) => rowMeans[i * count + c]! - meanMeans[place * count + c]!,
  );
  const solved = solveCholesky(factor, shared);
  const averages = new Float64Array(count);
  for (let i = 0; i < n; i += 1) averages[places[i]!]! += solved[i]! / counts[places[i]!]!;
  for (let i = 0; i < n; i += 1) out[i]! -= (solved[i]! - averages[places[i]!]!) / ridge;
  return out;
}
