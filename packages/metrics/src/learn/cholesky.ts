/**
 * The Cholesky factor of a symmetric positive definite matrix: `A = L L^T`.
 *
 * @param matrix - A, `[n, n]`; its lower triangle is used.
 * @returns L, `[n, n]`, zeros above the diagonal. Pivots that rounding made negative count as
 *   tiny, so that nearly singular matrices give large solutions instead of NaN.
 */
export function cholesky(matrix: Float64Array, n: number): Float64Array {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1) {
    const row = i * n;
    for (let j = 0; j <= i; j += 1) {
      const other = j * n;
      let sum = matrix[row + j]!;
      for (let k = 0; k < j; k += 1) sum -= l[row + k]! * l[other + k]!;
      l[row + j] = i === j ? Math.sqrt(Math.max(sum, 1e-300)) : sum / l[other + j]!;
    }
  }
  return l;
}

/** The solution of `L L^T x = b`, as a new array. */
export function solveCholesky(l: Float64Array, b: ArrayLike<number>): Float64Array {
  const n = b.length;
  const x = Float64Array.from(b);
  for (let i = 0; i < n; i += 1) {
    let sum = x[i]!;
    for (let k = 0; k < i; k += 1) sum -= l[i * n + k]! * x[k]!;
    x[i] = sum / l[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i -= 1) {
    const value = x[i]! / l[i * n + i]!;
    x[i] = value;
    for (let k = 0; k < i; k += 1) x[k]! -= l[i * n + k]! * value;
  }
  return x;
}
