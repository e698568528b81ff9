import { ConfigError } from '@lab/core';
import { type DualClassifier } from './centroids.js';
import { asOneOutput } from './dual-linear.js';
import { indexClasses } from './feature-matrix.js';

/** The main axes of rows, in the rows. */
export interface PrincipalAxes {
  /** Sums of squares along the axes, `[K]`, descending. */
  readonly energies: Float64Array;
  /** Unit vectors over the rows, `[K, N]`, each summing to 0. */
  readonly vectors: Float64Array;
}

/** Iterations at most, and the change of a unit vector at which they end. */
const POWER = { limit: 1000, tolerance: 1e-10 } as const;

/**
 * The principal axes of rows less their mean, from inner products: `P G P u = e u`, P removing the
 * mean; row i lies at `sqrt(e) u_i` along the axis. Power method with deflation.
 *
 * @param gram - inner products of all pairs of rows, `[N, N]`.
 * @param count - K, 1 .. N.
 * @throws {ConfigError} when K is out of range.
 */
export function principalAxes(gram: Float64Array, count: number): PrincipalAxes {
  const n = Math.round(Math.sqrt(gram.length));
  if (!Number.isInteger(count) || count < 1 || count > n || n * n !== gram.length) {
    throw new ConfigError(
      `metrics/principalAxes: ${count} axes of ${gram.length} inner products of rows.`,
      { help: 'give [N, N] inner products, and from one to N axes.' },
    );
  }
  const centred = doublyCentred(gram, n);
  const energies = new Float64Array(count);
  const vectors = new Float64Array(count * n);
  for (let k = 0; k < count; k += 1) {
    const known = vectors.subarray(0, k * n);
    const { vector, energy } = mainAxis(centred, n, known);
    vectors.set(vector, k * n);
    energies[k] = energy;
  }
  return { energies, vectors };
}

function doublyCentred(gram: Float64Array, n: number): Float64Array {
  const means = new Float64Array(n);
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j < n; j += 1) means[i]! += gram[i * n + j]! / n;
  }
  const grand = means.reduce((sum, mean) => sum + mean, 0) / n;
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j < n; j += 1)
      out[i * n + j] = gram[i * n + j]! - means[i]! - means[j]! + grand;
  }
  return out;
}

/** Makes `v` a unit vector at right angles to the known ones; its length before. */
function normalise(v: Float64Array, known: Float64Array): number {
  const n = v.length;
  for (let from = 0; from < known.length; from += n) {
    let share = 0;
    for (let i = 0; i < n; i += 1) share += known[from + i]! * v[i]!;
    for (let i = 0; i < n; i += 1) v[i]! -= share * known[from + i]!;
  }
  let length = 0;
  for (let i = 0; i < n; i += 1) length += v[i]! * v[i]!;
  length = Math.sqrt(length);
  if (length > 0) for (let i = 0; i < n; i += 1) v[i]! /= length;
  return length;
}

function mainAxis(matrix: Float64Array, n: number, known: Float64Array) {
  let vector = farthest(matrix, n, known);
  let energy = 0;
  for (let step = 0; step < POWER.limit; step += 1) {
    const next = new Float64Array(n);
    for (let i = 0; i < n; i += 1) {
      let sum = 0;
      for (let j = 0; j < n; j += 1) sum += matrix[i * n + j]! * vector[j]!;
      next[i] = sum;
    }
    energy = normalise(next, known);
    let change = 0;
    for (let i = 0; i < n; i += 1) change += (next[i]! - vector[i]!) ** 2;
    vector = next;
    if (energy === 0 || change < POWER.tolerance ** 2) break;
  }
  return { vector, energy };
}

/** The column of the matrix that is longest at right angles to the known axes. */
function farthest(matrix: Float64Array, n: number, known: Float64Array): Float64Array {
  let best = new Float64Array(n);
  let most = 0;
  const candidates = Array.from({ length: n }, (_, row) => row)
    .sort((a, b) => matrix[b * (n + 1)]! - matrix[a * (n + 1)]! || a - b)
    .slice(0, known.length / n + 8);
  for (const row of candidates) {
    const column = matrix.slice(row * n, (row + 1) * n);
    const length = normalise(column, known);
    if (length > most) [best, most] = [column, length];
  }
  return best;
}

/**
 * The nearest class mean along the principal axes of all rows: directions that no label chose.
 *
 * `z = U^T (x - mean)`, `s_c(x) = <z, z_c> - |z_c|^2 / 2`.
 *
 * @param gram - inner products of all pairs of rows, `[N, N]`.
 * @param labels - a whole number per row, `[N]`.
 * @param count - axes, K; default 1.
 * @throws {DataError} for rows of one class.
 */
export function fitPrincipalCentroid(
  gram: Float64Array,
  labels: ArrayLike<number>,
  count = 1,
): DualClassifier {
  const n = labels.length;
  const { classes, places, counts } = indexClasses('metrics/fitPrincipalCentroid', labels, n);
  const { energies, vectors } = principalAxes(gram, count);
  const classCount = classes.length;
  const coefficients = new Float64Array(classCount * n);
  const intercepts = new Float64Array(classCount);
  const means = rowMeansOf(gram, n);
  for (let c = 0; c < classCount; c += 1) {
    for (let k = 0; k < count; k += 1) {
      const axis = vectors.subarray(k * n, (k + 1) * n);
      if (energies[k]! <= 0) continue;
      let share = 0; // z_c along this axis is sqrt(energy) times it
      for (let i = 0; i < n; i += 1) share += places[i] === c ? axis[i]! / counts[c]! : 0;
      let offset = 0;
      for (let i = 0; i < n; i += 1) {
        coefficients[c * n + i]! += share * axis[i]!;
        offset += share * axis[i]! * means[i]!;
      }
      intercepts[c]! -= offset + (share * share * energies[k]!) / 2;
    }
  }
  return { classes, ...asOneOutput({ outputCount: classCount, coefficients, intercepts }) };
}

/** `<x_i, mean>`, `[N]`. */
function rowMeansOf(gram: Float64Array, n: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < n; j += 1) sum += gram[i * n + j]!;
    return sum / n;
  });
}
