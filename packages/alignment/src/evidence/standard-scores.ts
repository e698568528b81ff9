/**
 * CSLS similarities of one kind of evidence at mean 0 and deviation 1 over all pairs.
 */
import { type HostMatrix, type NearestBothWays, type NearestPairs, tf } from '@lab/tensor';
import { type HostPair, pairProduct } from '../search/host-pair.js';
import { nearestMeans } from '../search/neighbours.js';
import type { PairPattern } from './pair-pattern.js';

/** Cells over which mean and deviation are taken, at most; rows are spread evenly. */
const CELLS = 2 ** 23;

/** One kind of evidence at the pairs of a pattern. */
export interface RawEvidence {
  readonly pattern: PairPattern;
  /** `[E]`. */
  readonly cosines: Float32Array;
  /** The nearest by this kind, with their cosines; at least k of each. */
  readonly lists: NearestBothWays;
  /** k of CSLS; 0 for none. */
  readonly k: number;
}

/** Standard scores of one kind of evidence. */
export interface StandardScores {
  /** At the pairs of the pattern, `[E]`. */
  readonly values: Float32Array;
  /** Of any pair. */
  at(row: number, column: number): number;
  /** Of some rows or columns with the whole other side, `[q, m]` or `[q, n]`; the caller's. */
  ofLines(side: 'rows' | 'columns', lines: Int32Array): tf.Tensor2D;
}

/**
 * `z = (2 cos - r(x) - r(y) - mean) / deviation`, mean and population deviation over all pairs, or
 * over those of evenly spread rows where there are more than 8 million; 0 where all are the same.
 */
export async function standardScores(
  sides: HostPair,
  { pattern, cosines, lists, k }: RawEvidence,
): Promise<StandardScores> {
  const nearness = ({ scores }: NearestPairs, count: number) =>
    nearestMeans(scores, { width: scores.length / count, k });
  const own = nearness(lists.forward, pattern.rowCount);
  const others = nearness(lists.backward, pattern.columnCount);
  const { mean, deviation } = await moments(sides, own, others);
  const scale = deviation > 0 ? 1 / deviation : 0;
  const standard = (cosine: number, row: number, column: number) =>
    scale * (2 * cosine - own[row]! - others[column]! - mean);
  const { rows, columns } = pattern;
  return {
    values: cosines.map((cosine, pair) => standard(cosine, rows[pair]!, columns[pair]!)),
    at: (row, column) => standard(pairProduct(sides, row, column), row, column),
    ofLines: (side, lines) => {
      const isRows = side === 'rows';
      const [asked, all] = isRows ? [sides.left, sides.right] : [sides.right, sides.left];
      const [near, far] = isRows ? [own, others] : [others, own];
      const shift = Float32Array.from(lines, (line) => scale * (near[line]! + mean));
      return tf.tidy(() => {
        const products = productsWith(pickedRows(asked, lines), all);
        const terms = tf.tensor1d(Float32Array.from(far, (value) => scale * value));
        const scaled = tf.sub(tf.mul(products, 2 * scale), tf.reshape(terms, [1, -1]));
        return tf.sub(scaled, tf.tensor2d(shift, [lines.length, 1])) as tf.Tensor2D;
      });
    },
  };
}

/** Some rows of a matrix. */
function pickedRows({ columnCount, values }: HostMatrix, rows: ArrayLike<number>): HostMatrix {
  const picked = new Float32Array(rows.length * columnCount);
  for (let at = 0; at < rows.length; at += 1) {
    const row = rows[at]!;
    picked.set(values.subarray(row * columnCount, (row + 1) * columnCount), at * columnCount);
  }
  return { rowCount: rows.length, columnCount, values: picked };
}

/** Mean and deviation of `2 cos - r(x) - r(y)`. */
async function moments(
  { left, right }: HostPair,
  own: Float64Array,
  others: Float64Array,
): Promise<{ readonly mean: number; readonly deviation: number }> {
  const rows = Math.max(1, Math.min(left.rowCount, Math.floor(CELLS / right.rowCount)));
  const stride = left.rowCount / rows;
  let [count, mean, squares] = [0, 0, 0];
  const block = 256;
  for (let start = 0; start < rows; start += block) {
    const places = Array.from({ length: Math.min(block, rows - start) }, (_, at) =>
      Math.floor((start + at) * stride),
    );
    const products = tf.tidy(() => productsWith(pickedRows(left, places), right));
    const cosines = (await products.data()) as Float32Array;
    products.dispose();
    for (let at = 0; at < cosines.length; at += 1) {
      const row = places[Math.floor(at / right.rowCount)]!;
      const value = 2 * cosines[at]! - own[row]! - others[at % right.rowCount]!;
      count += 1;
      const off = value - mean;
      mean += off / count;
      squares += off * (value - mean);
    }
  }
  return { mean, deviation: Math.sqrt(squares / count) };
}

/** Products of a few rows with all of the other side, uploaded in blocks; within a tidy. */
function productsWith(rows: HostMatrix, { rowCount, columnCount, values }: HostMatrix) {
  const few = tf.tensor2d(rows.values, [rows.rowCount, columnCount]);
  const step = Math.max(1, Math.floor(2 ** 24 / columnCount));
  const products: tf.Tensor2D[] = [];
  for (let start = 0; start < rowCount; start += step) {
    const count = Math.min(step, rowCount - start);
    const part = values.subarray(start * columnCount, (start + count) * columnCount);
    const product = tf.tidy(() =>
      tf.matMul(few, tf.tensor2d(part, [count, columnCount]), false, true),
    );
    products.push(product as tf.Tensor2D);
  }
  return products.length === 1 ? products[0]! : tf.concat(products, 1);
}
