/**
 * Exact cosines of rows with the candidates that were found for them.
 */
import { createCsr, csrSampledProduct, type HostMatrix, HostRows, tf } from '@lab/tensor';
import { type Neighbours, sortedNeighbours } from './neighbours.js';

/** Bytes of candidates' rows that are on the backend at a time, at most, about. */
const ROW_BYTES = 2 ** 26;

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
): Promise<Neighbours> {
  const { rowCount, columnCount } = queries;
  const width = found.length / Math.max(1, rowCount);
  const products = new Float32Array(found.length);
  const sides = { queries, base: asHostRows(base), places: new Int32Array(base.rowCount) };
  const blockRows = Math.max(1, Math.floor(ROW_BYTES / (4 * columnCount * Math.max(1, width))));
  for (let start = 0; start < rowCount; start += blockRows) {
    const count = Math.min(blockRows, rowCount - start);
    const own = found.subarray(start * width, (start + count) * width);
    const part = { start, count, width };
    products.set(await blockProducts(sides, part, own), start * width);
  }
  return sortedNeighbours(found, products, width);
}

/** The same values as rows that go to the backend by index. */
const asHostRows = ({ rowCount, columnCount, values }: HostMatrix) =>
  new HostRows(rowCount, columnCount, values);

interface Sides {
  readonly queries: HostMatrix;
  readonly base: HostRows;
  /** Place of a base row among those of the block, plus 1; zeros before and after. */
  readonly places: Int32Array;
}

interface Part {
  readonly start: number;
  readonly count: number;
  readonly width: number;
}

/** Products of some consecutive rows with their candidates, in the candidates' order. */
async function blockProducts(
  { queries, base, places }: Sides,
  { start, count, width }: Part,
  found: Int32Array,
): Promise<Float32Array> {
  const distinct: number[] = [];
  const columns = found.map((index) => {
    const one = Math.max(0, index); // its product is never read where there is none
    if (places[one] === 0) places[one] = distinct.push(one);
    return places[one]! - 1;
  });
  for (const one of distinct) places[one] = 0;
  const { columnCount } = queries;
  const rowPointers = Int32Array.from({ length: count + 1 }, (_, row) => row * width);
  const pattern = { rowCount: count, columnCount: distinct.length, rowPointers, columns };
  const csr = createCsr(pattern);
  const product = tf.tidy(() => {
    const from = queries.values.subarray(start * columnCount, (start + count) * columnCount);
    const left = tf.tensor2d(from, [count, columnCount]);
    return csrSampledProduct(csr, left, base.gather(Int32Array.from(distinct)));
  });
  csr.dispose();
  const values = (await product.data()) as Float32Array;
  product.dispose();
  return values;
}
