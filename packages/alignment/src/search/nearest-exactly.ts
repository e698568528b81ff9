/**
 * The candidates that an index found, by their exact cosines.
 */
import type { HostMatrix } from '@lab/tensor';
import { cosinesAt } from './cosines-at.js';
import { type Neighbours, sortedNeighbours } from './neighbours.js';

/**
 * Found candidates by their exact cosines, best first, the lower position first among equals.
 *
 * @param queries - rows of length 1, `[n, D]`.
 * @param base - rows of length 1, `[m, D]`.
 * @param found - positions in `base`, `[n, width]`, -1 for none.
 */
export async function nearestExactly(
  queries: HostMatrix,
  base: HostMatrix,
  found: Int32Array,
  signal?: AbortSignal,
): Promise<Neighbours> {
  const { rowCount } = queries;
  const width = found.length / Math.max(1, rowCount);
  const rowPointers = Int32Array.from({ length: rowCount + 1 }, (_, row) => row * width);
  const columns = found.map((index) => Math.max(0, index)); // unread where there is none
  const products = await cosinesAt(queries, base, { rowPointers, columns, signal });
  return sortedNeighbours(found, products, width);
}
