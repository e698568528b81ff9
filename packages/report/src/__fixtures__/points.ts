import { createRandom } from '@lab/core';
import type { PointMatrix } from '../pca.js';

/** Rows as points. */
export const matrix = (rows: readonly (readonly number[])[]): PointMatrix => ({
  rowCount: rows.length,
  columnCount: rows[0]!.length,
  values: rows.flat(),
});

/** Three Gaussian clouds in 10 dimensions, their centres far apart: point n belongs to n mod 3. */
export function threeClouds(count: number): PointMatrix {
  const random = createRandom(3);
  const rows = Array.from({ length: count }, (_, n) =>
    Array.from({ length: 10 }, (__, d) => random.normal() + (d === n % 3 ? 12 : 0)),
  );
  return matrix(rows);
}
