/** Softmax inside segments in float64. */
export function softmaxOf(scores: Float64Array, segments: readonly number[]): Float64Array {
  const largest = new Map<number, number>();
  segments.forEach((s, e) => {
    largest.set(s, Math.max(largest.get(s) ?? Number.NEGATIVE_INFINITY, scores[e] as number));
  });
  const exponentials = scores.map((v, e) =>
    Math.exp(v - (largest.get(segments[e] as number) as number)),
  );
  const sums = new Map<number, number>();
  segments.forEach((s, e) => {
    sums.set(s, (sums.get(s) ?? 0) + (exponentials[e] as number));
  });
  return exponentials.map((v, e) => v / (sums.get(segments[e] as number) as number));
}
