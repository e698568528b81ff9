/**
 * Exact cosines of rows with some rows of the other side.
 */
import { createCsr, csrSampledProduct, type HostMatrix, HostRows, tf } from '@lab/tensor';

/** Which columns each row is compared with: those of row i from `rowPointers[i]` on. */
export interface Places {
  readonly rowPointers: Int32Array;
  /** Rows of the other side, by their position. */
  readonly columns: Int32Array;
}

/** Bytes of rows that are on the backend at a time, about. */
const ROW_BYTES = 2 ** 26;

/** Places, and what stops the products between blocks of about 64 MB. */
export interface StoppablePlaces extends Places {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Products of rows at the given places, in their order.
 *
 * @param queries - `[n, D]`.
 * @param base - `[m, D]`.
 */
export async function cosinesAt(
  queries: HostMatrix,
  base: HostMatrix,
  { rowPointers, columns, signal }: StoppablePlaces,
): Promise<Float32Array> {
  const products = new Float32Array(columns.length);
  const { rowCount, columnCount, values } = base;
  const sides = {
    queries,
    base: new HostRows(rowCount, columnCount, values),
    numbers: new Int32Array(rowCount),
  };
  const most = Math.max(1, Math.floor(ROW_BYTES / 4 / columnCount));
  for (let start = 0; start < queries.rowCount; ) {
    let end = start + 1;
    const first = rowPointers[start]!;
    while (end < queries.rowCount && rowPointers[end + 1]! - first <= most) end += 1;
    const pointers = rowPointers.slice(start, end + 1).map((pointer) => pointer - first);
    const own = { rowPointers: pointers, columns: columns.subarray(first, rowPointers[end]) };
    products.set(await blockProducts(sides, start, own), first);
    start = end;
    await tf.nextFrame();
    signal?.throwIfAborted();
  }
  return products;
}

interface Sides {
  readonly queries: HostMatrix;
  readonly base: HostRows;
  /** Number of a base row among those of the block, plus 1; zeros before and after. */
  readonly numbers: Int32Array;
}

/** Products of consecutive rows from `start` on, the columns numbered anew. */
async function blockProducts(
  { queries, base, numbers }: Sides,
  start: number,
  { rowPointers, columns }: Places,
): Promise<Float32Array> {
  const distinct: number[] = [];
  const local = columns.map((one) => {
    if (numbers[one] === 0) numbers[one] = distinct.push(one);
    return numbers[one]! - 1;
  });
  for (const one of distinct) numbers[one] = 0;
  if (distinct.length === 0) return new Float32Array(0);
  const rowCount = rowPointers.length - 1;
  const csr = createCsr({ rowCount, columnCount: distinct.length, rowPointers, columns: local });
  const multiply = () => {
    const width = queries.columnCount;
    const from = queries.values.subarray(start * width, (start + rowCount) * width);
    const left = tf.tensor2d(from, [rowCount, width]);
    return csrSampledProduct(csr, left, base.gather(Int32Array.from(distinct)));
  };
  try {
    const product = tf.tidy(multiply);
    const values = (await product.data()) as Float32Array;
    product.dispose();
    return values;
  } finally {
    csr.dispose();
  }
}
