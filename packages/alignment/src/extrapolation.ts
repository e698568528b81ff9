/**
 * Durations at sizes that were not measured, from those that were.
 */

/**
 * A row of a graph that is so many times larger costs so much more, to this power, as caches hold
 * less of it: between IBMEA and LoginMEA at 200,000 entities. Smaller graphs than `CACHED` rows
 * show none of it.
 */
const GROWTH = 0.12;
const CACHED = 10_000;

/** Two sizes that a duration grows with, and what was measured at them. */
export interface Point {
  readonly linear: number;
  readonly squared: number;
  readonly seconds: number;
}

/** Points that a prediction follows from: smaller parts fit a processor's caches. */
const FITTED = 3;

/** Sizes without a duration. */
export type Sizes = Omit<Point, 'seconds'>;

/**
 * Seconds at a size: those of the largest part that was measured, times what `a linear +
 * b squared` grows by, times what caches do not hold.
 */
export function secondsAt(points: readonly Point[], size: Sizes): number {
  const found = points.find((one) => one.linear === size.linear && one.squared === size.squared);
  if (found !== undefined) return found.seconds;
  const last = points.at(-1);
  if (last === undefined) return 0;
  const [a, b] = fitted(points);
  const at = ({ linear, squared }: Sizes) => a * linear + b * squared;
  const grown = Math.max(1, size.linear / Math.max(last.linear, CACHED)) ** GROWTH;
  return at(last) > 0 ? (last.seconds * at(size) * grown) / at(last) : 0;
}

/** The line through the last points, neither below 0: least squares of relative differences. */
function fitted(points: readonly Point[]): [number, number] {
  let [xx, xy, yy, x, y] = [0, 0, 0, 0, 0];
  for (const { linear, squared, seconds } of points.slice(-FITTED)) {
    if (seconds <= 0) continue;
    const [u, v] = [linear / seconds, squared / seconds];
    [xx, xy, yy, x, y] = [xx + u * u, xy + u * v, yy + v * v, x + u, y + v];
  }
  const determinant = xx * yy - xy * xy;
  const isPlane = determinant > 1e-9 * xx * yy;
  const [a, b] = isPlane
    ? [(yy * x - xy * y) / determinant, (xx * y - xy * x) / determinant]
    : [-1, -1];
  if (b < 0) return [xx > 0 ? x / xx : 0, 0];
  return a < 0 ? [0, yy > 0 ? y / yy : 0] : [a, b];
}

/**
 * Seconds of a ranking at a size. A part of its time is there at every size, and a line costs more
 * the more there are: between the line through the last two points, level with one point alone, and
 * that through the origin.
 */
export function rankingSecondsAt(points: readonly Point[], { linear }: Sizes): number {
  const found = points.find((one) => one.linear === linear);
  if (found !== undefined) return found.seconds;
  const [before, last] = [points.at(-2), points.at(-1)];
  if (last === undefined) return 0;
  const throughOrigin = (last.seconds / last.linear) * linear;
  if (before === undefined) return (throughOrigin + last.seconds) / 2;
  const slope = (last.seconds - before.seconds) / (last.linear - before.linear);
  if (slope <= 0) return throughOrigin;
  return (throughOrigin + last.seconds + slope * (linear - last.linear)) / 2;
}
