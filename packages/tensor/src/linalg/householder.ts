/** Largest absolute value of a vector from an index on; 0 when there is none. */
export function largestFrom(vector: Float64Array, from: number): number {
  let largest = 0;
  for (let i = from; i < vector.length; i += 1) largest = Math.max(largest, Math.abs(vector[i]!));
  return largest;
}

/**
 * Turns a vector from `from` on into the v of the reflection `I - scale v v^T` that maps it to a
 * multiple of the unit vector at `from`, and notes the scale; returns that multiple.
 *
 * v is scaled to `v[from] = 1`, so that it neither overflows nor underflows.
 * Source: Golub and Van Loan, Matrix Computations, algorithm 5.1.1; equation not verified.
 *
 * @param vector - not zero from `from` on.
 * @param scales - receives the scale at `from`.
 */
export function makeReflector(vector: Float64Array, from: number, scales: Float64Array): number {
  const largest = largestFrom(vector, from);
  let sum = 0;
  for (let i = from; i < vector.length; i += 1) sum += (vector[i]! / largest) ** 2;
  const norm = largest * Math.sqrt(sum);
  const head = vector[from]!;
  const image = head > 0 ? -norm : norm;
  const first = head - image;
  for (let i = from + 1; i < vector.length; i += 1) vector[i] = vector[i]! / first;
  vector[from] = 1;
  scales[from] = -first / image;
  return image;
}
