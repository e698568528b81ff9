import { createRandom } from '@lab/core';
import { tf } from '../../tfjs.js';

/** Rows of a plain matrix in float64. */
export interface PlainRows {
  values: Float64Array;
  rowCount: number;
}

/** `rowCount` unit rows of `width` features; the same name gives the same rows. */
export function unitRows(name: string, rowCount: number, width: number): tf.Tensor2D {
  const random = createRandom(`losses/${name}`);
  const values = new Float32Array(rowCount * width);
  for (let row = 0; row < rowCount; row += 1) {
    const part = values.subarray(row * width, (row + 1) * width);
    random.fillNormal(part);
    const norm = Math.sqrt(part.reduce((sum, x) => sum + x * x, 0));
    part.forEach((x, at) => {
      part[at] = x / norm;
    });
  }
  return tf.tensor2d(values, [rowCount, width]);
}

function products(a: Float64Array, b: Float64Array, rowCount: number): number[][] {
  const width = a.length / rowCount;
  return Array.from({ length: rowCount }, (_, i) =>
    Array.from({ length: b.length / width }, (__, j) => {
      let sum = 0;
      for (let d = 0; d < width; d += 1) sum += (a[i * width + d] ?? 0) * (b[j * width + d] ?? 0);
      return sum;
    }),
  );
}

function logSumExp(values: number[]): number {
  const top = Math.max(...values);
  return top + Math.log(values.reduce((sum, value) => sum + Math.exp(value - top), 0));
}

const transposed = (matrix: number[][]) =>
  (matrix[0] ?? []).map((_, column) => matrix.map((row) => row[column] ?? 0));

/** InfoNCE from the full matrix; `labels[b][c]` are the targets, the identity by default. */
export function referenceInfoNce(
  [left, right]: [Float64Array, Float64Array],
  options: { rowCount: number; temperature: number; both: boolean; labels?: number[][] },
): number {
  const { rowCount, temperature, both } = options;
  const logits = products(left, right, rowCount).map((row) => row.map((s) => s / temperature));
  const identity = logits.map((row, b) => row.map((_, c) => (b === c ? 1 : 0)));
  const oneWay = (matrix: number[][], labels: number[][]) =>
    -matrix.reduce((sum, row, b) => {
      const log = logSumExp(row);
      return sum + row.reduce((part, s, c) => part + (labels[b]?.[c] ?? 0) * (s - log), 0);
    }, 0) / rowCount;
  const labels = options.labels ?? identity;
  const forward = oneWay(logits, labels);
  return both ? (forward + oneWay(transposed(logits), transposed(labels))) / 2 : forward;
}

function joined(left: Float64Array, right: Float64Array): Float64Array {
  return Float64Array.from([...left, ...right]);
}

/** Multi-similarity from the full 2B x 2B matrix. */
export function referenceMultiSimilarity(
  [left, right]: [Float64Array, Float64Array],
  options: { rowCount: number; alpha: number; beta: number; lambda: number },
): number {
  const { rowCount, alpha, beta, lambda } = options;
  const all = joined(left, right);
  const total = 2 * rowCount;
  const terms = products(all, all, total).map((row, anchor) => {
    const partner = (anchor + rowCount) % total;
    const negatives = row.filter((_, other) => other !== anchor && other !== partner);
    const pull = logSumExp([0, -alpha * ((row[partner] ?? 0) - lambda)]) / alpha;
    return pull + logSumExp([0, ...negatives.map((s) => beta * (s - lambda))]) / beta;
  });
  return terms.reduce((sum, term) => sum + term, 0) / total;
}

/** MCLEA's intra-modal contrastive loss as its code does it: two directions, two logit halves. */
export function referenceIcl(
  [left, right]: [Float64Array, Float64Array],
  options: { rowCount: number; temperature: number },
): number {
  const { rowCount, temperature } = options;
  const direction = (own: Float64Array, other: Float64Array) => {
    const across = products(own, other, rowCount);
    const within = products(own, own, rowCount);
    return across.reduce((sum, row, b) => {
      const others = (within[b] ?? []).filter((_, c) => c !== b);
      const logits = [...row, ...others].map((s) => s / temperature);
      return sum + logSumExp(logits) - (row[b] ?? 0) / temperature;
    }, 0);
  };
  return (direction(left, right) + direction(right, left)) / (2 * rowCount);
}
