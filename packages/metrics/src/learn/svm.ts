import { ConfigError } from '@lab/core';
import { type DualLinear, dualScores, primalWeights } from './dual-linear.js';
import { checkFeatures, type FeatureMatrix, indexClasses } from './feature-matrix.js';
import { crossProducts, diagonal, gramMatrix, rbfKernel } from './gram.js';
import { solveSvmDual } from './svm-dual.js';

/** Settings of a support vector machine. */
export interface SvmOptions {
  /** C, what a violation of the margin costs; default 1. */
  readonly cost?: number;
  /** Largest violation of the optimality conditions at which to stop; default 1e-3. */
  readonly tolerance?: number;
  /** `'balanced'`: C of a class times `N / (C_classes N_class)`; default the same for all. */
  readonly classWeights?: 'balanced' | 'equal';
  /** Steps at most for a pair of classes; default 10,000,000. */
  readonly maxIterations?: number;
}

/** What a machine of two classes decides between, and how its solver fared. */
export interface SvmPair {
  /** Labels; positive scores speak for the second. */
  readonly classes: readonly [number, number];
  readonly iterations: number;
  readonly converged: boolean;
  /** Rows on or inside the margin. */
  readonly supportCount: number;
}

/** Support vector machines of all pairs of classes, in the rows they were fitted on. */
export interface SvmModel extends DualLinear {
  /** Labels, ascending. */
  readonly classes: Int32Array;
  /** One per output, in the order (0, 1), (0, 2) .. (1, 2) .. of the classes. */
  readonly pairs: readonly SvmPair[];
  /** Whether all solvers came below the tolerance. */
  readonly converged: boolean;
}

/**
 * C-SVC on a kernel matrix, one machine for each pair of classes.
 *
 * `min 1/2 |w|^2 + C sum_i max(0, 1 - y_i (w x_i + b))` by its dual. Source: Cortes & Vapnik,
 * "Support-vector networks" (1995); solver as LIBSVM, see `solveSvmDual`. What `SVC` of
 * scikit-learn fits.
 *
 * @param kernel - of all pairs of rows, `[N, N]`, e.g. of {@link gramMatrix}.
 * @param labels - a whole number per row, `[N]`.
 * @returns one output per pair of classes; {@link svmPredict} votes.
 * @throws {ConfigError} when sizes disagree or a setting is not above 0.
 * @throws {DataError} when all rows are of one class.
 */
export function fitSvmOnGram(
  kernel: Float64Array,
  labels: ArrayLike<number>,
  options: SvmOptions = {},
): SvmModel {
  const n = labels.length;
  if (kernel.length !== n * n) {
    throw new ConfigError(`metrics/fitSvm: ${n} labels with a kernel of ${kernel.length} values.`, {
      help: 'give the kernel of all pairs of rows, [N, N].',
    });
  }
  const { classes, places, counts } = indexClasses('metrics/fitSvm', labels, n);
  const { cost = 1, tolerance = 1e-3, maxIterations = 1e7, classWeights = 'equal' } = options;
  const costOf = (place: number) =>
    classWeights === 'balanced' ? (cost * n) / (classes.length * counts[place]!) : cost;
  const outputCount = (classes.length * (classes.length - 1)) / 2;
  const coefficients = new Float64Array(outputCount * n);
  const intercepts = new Float64Array(outputCount);
  const pairs: SvmPair[] = [];
  for (let first = 0; first < classes.length; first += 1) {
    for (let second = first + 1; second < classes.length; second += 1) {
      const rows = Int32Array.from(places.keys()).filter(
        (row) => places[row] === first || places[row] === second,
      );
      // The first class is the positive one, as in LIBSVM: ties then fall the same way.
      const signs = Int8Array.from(rows, (row) => (places[row] === first ? 1 : -1));
      const { alphas, intercept, iterations, converged } = solveSvmDual({
        ...{ kernel, rowCount: n, rows, signs, tolerance, maxIterations },
        costs: [costOf(first), costOf(second)],
      });
      const from = pairs.length * n;
      rows.forEach((row, k) => {
        if (alphas[k] !== 0) coefficients[from + row] = -signs[k]! * alphas[k]!;
      });
      intercepts[pairs.length] = -intercept;
      pairs.push({
        classes: [classes[first]!, classes[second]!],
        ...{ iterations, converged, supportCount: alphas.filter((alpha) => alpha > 0).length },
      });
    }
  }
  const converged = pairs.every((pair) => pair.converged);
  return { outputCount, coefficients, intercepts, classes, pairs, converged };
}

/**
 * The class with most votes of the machines, the first of equal ones.
 *
 * @param scores - of the machines, `[M, O]`.
 * @returns labels, `[M]`.
 */
export function svmPredict(
  { classes, pairs }: Pick<SvmModel, 'classes' | 'pairs'>,
  scores: Float64Array,
): Int32Array {
  const placeOf = new Map(Array.from(classes, (label, place) => [label, place]));
  const sides = pairs.map((pair) => pair.classes.map((label) => placeOf.get(label)!));
  const rowCount = scores.length / pairs.length;
  return Int32Array.from({ length: rowCount }, (_, row) => {
    const votes = new Int32Array(classes.length);
    for (const [pair, [first, second]] of sides.entries()) {
      votes[scores[row * pairs.length + pair]! < 0 ? first! : second!]! += 1;
    }
    return classes[votes.indexOf(Math.max(...votes))]!;
  });
}

/** Settings of {@link fitSvm}. */
export interface SvmRowsOptions extends SvmOptions {
  /** `'linear'`: inner products; `'rbf'`: `exp(-gamma |x - y|^2)`; default linear. */
  readonly kernel?: 'linear' | 'rbf';
  /** Of the radial basis kernel; default `1 / (F variance of all values)`. */
  readonly gamma?: number;
}

/** A fitted machine that takes rows of features. */
export interface SvmClassifier {
  readonly model: SvmModel;
  /** Weights per feature, `[O, F]`; none for the radial basis kernel. */
  readonly weights: Float64Array | null;
  /** Scores of the machines, `[M, O]`, in units of the margin. */
  decisions(rows: FeatureMatrix): Float64Array;
  /** Labels, `[M]`. */
  predict(rows: FeatureMatrix): Int32Array;
}

/**
 * A support vector machine on rows of features; see {@link fitSvmOnGram}.
 *
 * @param rows - `[N, F]`, finite; not scaled here.
 * @param labels - a whole number per row, `[N]`.
 * @throws {DataError} for values that are not finite, or rows of one class.
 */
export function fitSvm(
  rows: FeatureMatrix,
  labels: ArrayLike<number>,
  options: SvmRowsOptions = {},
): SvmClassifier {
  const products = gramMatrix(rows);
  const squares = diagonal(products);
  const isLinear = (options.kernel ?? 'linear') === 'linear';
  const gamma = options.gamma ?? 1 / (rows.columnCount * varianceOf(rows) || 1);
  const kernel = isLinear ? products : rbfKernel(products, [squares, squares], gamma);
  const model = fitSvmOnGram(kernel, labels, options);
  const decisions = (samples: FeatureMatrix): Float64Array => {
    const shared = crossProducts(samples, rows);
    if (isLinear) return dualScores(model, shared);
    return dualScores(model, rbfKernel(shared, [squaresOf(samples), squares], gamma));
  };
  return {
    ...{ model, decisions, weights: isLinear ? primalWeights(model, rows) : null },
    predict: (samples) => svmPredict(model, decisions(samples)),
  };
}

function squaresOf({ rowCount, columnCount, values }: FeatureMatrix): Float64Array {
  return Float64Array.from({ length: rowCount }, (_, row) => {
    let sum = 0;
    const end = (row + 1) * columnCount;
    for (let at = row * columnCount; at < end; at += 1) sum += values[at]! * values[at]!;
    return sum;
  });
}

/** Population variance of all values of a matrix. */
export function varianceOf(rows: FeatureMatrix): number {
  checkFeatures('metrics/varianceOf', rows);
  const { values } = rows;
  let sum = 0;
  for (let at = 0; at < values.length; at += 1) sum += values[at]!;
  const mean = sum / values.length;
  let squares = 0;
  for (let at = 0; at < values.length; at += 1) squares += (values[at]! - mean) ** 2;
  return squares / values.length;
}
