/**
 * Many numbers per point made few: principal components.
 */
import { ConfigError, DataError } from '@lab/core';

/** Points as rows of a matrix, row-major. */
export interface PointMatrix {
  /** N. */
  readonly rowCount: number;
  /** D. */
  readonly columnCount: number;
  /** `[N * D]`, all finite. */
  readonly values: ArrayLike<number>;
}

/** Directions in which points vary most, and the points along them. */
export interface PrincipalComponents {
  /** Unit vectors `[K * D]`, their largest entry positive; zeros beyond the rank of the points. */
  readonly components: Float64Array;
  /** Variance along each, `[K]`, descending; over N - 1. */
  readonly variances: Float64Array;
  /** Points along the components, `[N * K]`. */
  readonly projected: Float64Array;
}

/** Iterations of the power method, and the change of a unit vector at which it ends. */
const POWER = { limit: 1000, tolerance: 1e-9 } as const;

/**
 * Nothing when there are as many numbers as rows and columns say, all finite.
 *
 * @throws {DataError} else.
 */
export function checkPoints({ rowCount, columnCount, values }: PointMatrix, where: string): void {
  if (values.length !== rowCount * columnCount) {
    throw new DataError(
      `report/${where}: ${values.length} numbers are not ${rowCount} rows of ${columnCount}.`,
      { help: 'Give the values row by row.' },
    );
  }
  for (let at = 0; at < values.length; at += 1) {
    if (Number.isFinite(values[at])) continue;
    const row = Math.floor(at / columnCount);
    throw new DataError(`report/${where}: row ${row} has the value ${values[at]}.`, {
      help: 'Leave out points that are not finite.',
    });
  }
}

/** The points with their mean at the origin. */
function centred({ rowCount, columnCount, values }: PointMatrix): Float64Array {
  const x = Float64Array.from(values);
  for (let d = 0; d < columnCount; d += 1) {
    let sum = 0;
    for (let at = d; at < x.length; at += columnCount) sum += x[at]!;
    for (let at = d; at < x.length; at += columnCount) x[at]! -= sum / rowCount;
  }
  return x;
}

/** Part of a vector's length below which what is left of it is rounding. */
const ROUNDING = 1e-10;

/** Makes `v` a unit vector at right angles to the others; its length before, 0 for none left. */
function orthonormalise(v: Float64Array, others: readonly Float64Array[]): number {
  const whole = Math.hypot(...v);
  for (const other of others) {
    const share = other.reduce((sum, value, d) => sum + value * v[d]!, 0);
    for (let d = 0; d < v.length; d += 1) v[d]! -= share * other[d]!;
  }
  const length = Math.hypot(...v);
  if (length <= ROUNDING * whole) return 0;
  for (let d = 0; d < v.length; d += 1) v[d]! /= length;
  return length;
}

/** The coordinate of every row of `x` along `v`. */
function along(x: Float64Array, v: Float64Array): Float64Array {
  const result = new Float64Array(x.length / v.length);
  for (let n = 0; n < result.length; n += 1) {
    let sum = 0;
    for (let d = 0; d < v.length; d += 1) sum += x[n * v.length + d]! * v[d]!;
    result[n] = sum;
  }
  return result;
}

/** The row that lies farthest out at right angles to the directions known. */
function farthestRow(x: Float64Array, width: number, known: readonly Float64Array[]): Float64Array {
  let best: Float64Array = new Float64Array(width);
  let most = 0;
  for (let start = 0; start < x.length; start += width) {
    const row = x.slice(start, start + width);
    const length = orthonormalise(row, known);
    if (length > most) [best, most] = [row, length];
  }
  return best;
}

/** The next principal direction by the power method on `x' x`; zeros when nothing is left. */
function nextDirection(
  x: Float64Array,
  width: number,
  known: readonly Float64Array[],
): Float64Array {
  let v = farthestRow(x, width, known);
  for (let step = 0; step < POWER.limit; step += 1) {
    const t = along(x, v);
    const next = new Float64Array(width);
    for (let n = 0; n < t.length; n += 1) {
      for (let d = 0; d < width; d += 1) next[d]! += t[n]! * x[n * width + d]!;
    }
    if (orthonormalise(next, known) === 0) return new Float64Array(width);
    const change = next.reduce((sum, value, d) => sum + (value - v[d]!) ** 2, 0);
    v = next;
    if (change < POWER.tolerance ** 2 * width) break;
  }
  return v;
}

/**
 * The first principal components of points, by the power method with deflation.
 *
 * `c_k = argmax |X c|` over unit vectors at right angles to `c_1 .. c_(k-1)`, X the points less
 * their mean.
 *
 * @param points - `[N, D]`, N at least 2.
 * @param count - K, 1 .. D; default 2.
 * @throws {DataError} for values that are not finite, {@link ConfigError} for K out of range.
 */
export function pca(points: PointMatrix, count = 2): PrincipalComponents {
  checkPoints(points, 'pca');
  const { rowCount, columnCount } = points;
  if (rowCount < 2 || !Number.isInteger(count) || count < 1 || count > columnCount) {
    throw new ConfigError(
      `report/pca: ${count} components of ${rowCount} points in ${columnCount} dimensions.`,
      { help: 'Give at least two points and from one to as many components as dimensions.' },
    );
  }
  const x = centred(points);
  const directions: Float64Array[] = [];
  const variances = new Float64Array(count);
  const projected = new Float64Array(rowCount * count);
  for (let k = 0; k < count; k += 1) {
    const v = nextDirection(x, columnCount, directions);
    const largest = v.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
    if (largest < 0) for (let d = 0; d < v.length; d += 1) v[d]! *= -1;
    directions.push(v);
    for (const [n, value] of along(x, v).entries()) {
      projected[n * count + k] = value;
      variances[k]! += value ** 2 / (rowCount - 1);
    }
  }
  const components = new Float64Array(count * columnCount);
  for (const [k, v] of directions.entries()) components.set(v, k * columnCount);
  return { components, variances, projected };
}
