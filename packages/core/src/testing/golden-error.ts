/**
 * Largest absolute difference over the largest expected magnitude: how far a tensor is from the
 * one in a golden file.
 *
 * @returns infinite when the lengths differ, NaN when a difference is NaN.
 */
export function relativeError(received: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (received.length !== expected.length) return Number.POSITIVE_INFINITY;
  let scale = 1e-12;
  let worst = 0;
  for (let i = 0; i < expected.length; i += 1) {
    scale = Math.max(scale, Math.abs(expected[i] as number));
    worst = Math.max(worst, Math.abs((received[i] as number) - (expected[i] as number)));
  }
  return worst / scale;
}

/**
 * How far the change of a tensor since its start is from the expected change, in norm:
 * `|received - expected| / |expected - start|`. Without updates it is 1.
 *
 * @returns infinite when the lengths differ, NaN when a value is NaN.
 */
export function changeError(
  received: ArrayLike<number>,
  expected: ArrayLike<number>,
  start: ArrayLike<number>,
): number {
  if (received.length !== expected.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let change = 0;
  for (let i = 0; i < expected.length; i += 1) {
    difference += ((received[i] as number) - (expected[i] as number)) ** 2;
    change += ((expected[i] as number) - (start[i] as number)) ** 2;
  }
  return Math.sqrt(difference / Math.max(change, 1e-30));
}
