import type { Axis } from './axis.js';

/**
 * How strongly values are shaded: 0 for the least, 1 for the greatest, in between along the axis.
 *
 * The ends are those of `axis.domain`, else of the values. On a logarithmic axis a value that is
 * not positive has no shade; where all values are alike, each has half of it.
 */
export function heatShade(
  { isLog = false, domain }: Axis,
  values: readonly number[],
): (value: number) => number {
  const scale = isLog ? Math.log : (value: number) => value;
  const shown = values.filter((value) => Number.isFinite(value) && (!isLog || value > 0));
  const least = shown.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const most = shown.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const [low, high] = [scale(domain?.[0] ?? least), scale(domain?.[1] ?? most)];
  return (value) => {
    if (!Number.isFinite(value) || (isLog && value <= 0)) return 0;
    if (!(high > low)) return 0.5;
    return Math.max(0, Math.min(1, (scale(value) - low) / (high - low)));
  };
}
