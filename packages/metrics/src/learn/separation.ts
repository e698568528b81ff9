import { classMeans } from './centroids.js';

/**
 * How much better rows fit their own class than the next one, averaged: -1..1.
 *
 * `(b - a) / max(a, b)`, a the mean distance to the other rows of the class, b the least mean
 * distance to the rows of another class; 0 for a row alone in its class. What `silhouette_score`
 * of scikit-learn gives. Source: Rousseeuw, "Silhouettes" (1987).
 *
 * @param gram - inner products of all pairs of rows, `[N, N]`.
 * @param labels - a whole number per row, `[N]`.
 * @throws {DataError} for rows of one class.
 */
export function silhouette(gram: Float64Array, labels: ArrayLike<number>): number {
  const { places, counts, classes } = classMeans('metrics/silhouette', gram, labels);
  const [n, count] = [labels.length, classes.length];
  let total = 0;
  for (let i = 0; i < n; i += 1) {
    const sums = new Float64Array(count);
    const square = gram[i * (n + 1)]!;
    for (let j = 0; j < n; j += 1) {
      if (j === i) continue;
      const squared = square + gram[j * (n + 1)]! - 2 * gram[i * n + j]!;
      sums[places[j]!]! += Math.sqrt(Math.max(0, squared));
    }
    const own = places[i]!;
    if (counts[own] === 1) continue;
    const inside = sums[own]! / (counts[own]! - 1);
    let outside = Number.POSITIVE_INFINITY;
    for (let c = 0; c < count; c += 1) {
      if (c !== own) outside = Math.min(outside, sums[c]! / counts[c]!);
    }
    const larger = Math.max(inside, outside);
    total += larger > 0 ? (outside - inside) / larger : 0;
  }
  return total / n;
}

/**
 * Spread of the class means over the spread within classes: `tr(S_between) / tr(S_within)`.
 *
 * `S_between = sum_c n_c (m_c - m)(m_c - m)^T`, `S_within = sum_i (x_i - m_c(i))(x_i - m_c(i))^T`.
 * Source: Fisher, "The use of multiple measurements in taxonomic problems" (1936), in its trace
 * form. Infinite where no class varies and means differ; 0 where nothing varies.
 *
 * @param gram - inner products of all pairs of rows, `[N, N]`.
 * @param labels - a whole number per row, `[N]`.
 * @throws {DataError} for rows of one class.
 */
export function fisherRatio(gram: Float64Array, labels: ArrayLike<number>): number {
  const means = classMeans('metrics/fisherRatio', gram, labels);
  const { counts, classes, meanMeans } = means;
  const [n, count] = [labels.length, classes.length];
  let [squares, own, grand] = [0, 0, 0];
  for (let i = 0; i < n; i += 1) squares += gram[i * (n + 1)]!;
  for (let c = 0; c < count; c += 1) {
    own += counts[c]! * meanMeans[c * (count + 1)]!;
    for (let d = 0; d < count; d += 1) {
      grand += (counts[c]! * counts[d]! * meanMeans[c * count + d]!) / n;
    }
  }
  // Differences of sums of squares: below their rounding they are none.
  const rounding = 1e-12 * squares;
  const between = own - grand > rounding ? own - grand : 0;
  const within = squares - own > rounding ? squares - own : 0;
  return between === 0 ? 0 : between / within;
}
