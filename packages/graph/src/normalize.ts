import type { CsrArrays } from '@lab/tensor';

/** How the entries of an adjacency matrix are weighted. */
export type AdjacencyScaling = 'row' | 'symmetric';

/**
 * The matrix with normalised values: `row` divides each row by its sum (`D^-1 A`), `symmetric` by
 * the roots of both row sums (`D^-1/2 A D^-1/2`). Rows without entries stay empty.
 *
 * @param matrix - square, non-negative values; without values every entry is 1.
 * @param scaling - default `symmetric`.
 */
export function normalizeAdjacency(
  matrix: CsrArrays,
  scaling: AdjacencyScaling = 'symmetric',
): CsrArrays & { readonly values: Float32Array } {
  const { rowCount, rowPointers, columns } = matrix;
  const given = matrix.values ?? new Float32Array(columns.length).fill(1);
  const sums = new Float64Array(rowCount);
  for (let i = 0; i < rowCount; i += 1) {
    for (let e = rowPointers[i] as number; e < (rowPointers[i + 1] as number); e += 1) {
      sums[i] = (sums[i] as number) + (given[e] as number);
    }
  }
  const values = new Float32Array(columns.length);
  for (let i = 0; i < rowCount; i += 1) {
    for (let e = rowPointers[i] as number; e < (rowPointers[i + 1] as number); e += 1) {
      const own = sums[i] as number;
      const other = sums[columns[e] as number] as number;
      const divisor = scaling === 'row' ? own : Math.sqrt(own * other);
      values[e] = divisor > 0 ? (given[e] as number) / divisor : 0;
    }
  }
  return { ...matrix, values };
}
