import { ShapeError } from '@lab/core';
import { hasKernel, runKernel, runSingle } from '../engine.js';
import { assertDtype, assertShape } from '../shape.js';
import { tf } from '../tfjs.js';
import { checkIndices } from './index-range.js';

function checkSegments(x: tf.Tensor, ids: tf.Tensor1D, count: number): void {
  if (x.rank !== 1 && x.rank !== 2) assertShape(x, 'E D');
  assertShape(ids, String(x.shape[0]), 'ids');
  assertDtype(x, 'float32', 'x');
  assertDtype(ids, 'int32', 'ids');
  if (!Number.isInteger(count) || count < 0) {
    throw new ShapeError(`tensor: the number of segments is ${count}, expected an integer >= 0.`);
  }
  checkIndices(ids, { name: 'ids', low: 0, high: count });
}

/** Per-segment factors `[S]` shaped so that they multiply rows of `x`. */
function perRow(factors: tf.Tensor1D, x: tf.Tensor): tf.Tensor {
  return x.rank === 1 ? factors : tf.reshape(factors, [-1, 1]);
}

/**
 * Sum of the rows of each segment: `y_s = sum_(e: ids_e = s) x_e`; zeros for an empty segment.
 *
 * @param x - `[E, D]` or `[E]`.
 * @param ids - int32 `[E]`, each in `0 .. count-1`, in any order.
 * @param count - number of segments S.
 * @returns `[S, D]` or `[S]`.
 * @throws {ShapeError} when `ids` and `x` differ in length, or for other types.
 * @throws {DataError} for an id out of range (on cpu and wasm).
 */
export function segmentSum<T extends tf.Tensor1D | tf.Tensor2D>(
  x: T,
  ids: tf.Tensor1D,
  count: number,
): T {
  checkSegments(x, ids, count);
  return tf.unsortedSegmentSum(x, ids, count) as T;
}

/** Number of rows of each segment: float `[S]`. */
function segmentSizes(ids: tf.Tensor1D, count: number): tf.Tensor1D {
  return tf.unsortedSegmentSum(tf.ones([ids.size]), ids, count) as tf.Tensor1D;
}

/**
 * Mean of the rows of each segment; zeros for an empty segment.
 *
 * Parameters and errors as for {@link segmentSum}.
 */
export function segmentMean<T extends tf.Tensor1D | tf.Tensor2D>(
  x: T,
  ids: tf.Tensor1D,
  count: number,
): T {
  return tf.tidy(() => {
    const sums = segmentSum(x, ids, count);
    const sizes = tf.maximum(segmentSizes(ids, count), 1) as tf.Tensor1D;
    return tf.div<T>(sums, perRow(sizes, x));
  });
}

/** Row of the largest value per segment and column; -1 where the segment is empty. */
function largestRows(x: tf.Tensor, ids: tf.Tensor1D, count: number): Int32Array {
  const width = x.rank === 1 ? 1 : (x.shape[1] as number);
  const values = x.dataSync();
  const segments = ids.dataSync();
  const rows = new Int32Array(count * width).fill(-1);
  for (let e = 0; e < segments.length; e++) {
    for (let d = 0; d < width; d++) {
      const to = (segments[e] as number) * width + d;
      const best = rows[to] as number;
      const value = values[e * width + d] as number;
      if (best < 0 || value > (values[best * width + d] as number)) rows[to] = e;
    }
  }
  return rows;
}

/** {@link segmentMax} from stock ops: a gather at the positions of the largest values. */
function composedMax<T extends tf.Tensor>(x: T, ids: tf.Tensor1D, count: number): T {
  return tf.tidy(() => {
    const width = x.rank === 1 ? 1 : (x.shape[1] as number);
    const rows = largestRows(x, ids, count);
    const positions = rows.map((row, at) => (row < 0 ? 0 : row * width + (at % width)));
    const present = Float32Array.from(rows, (row) => (row < 0 ? 0 : 1));
    const shape = x.rank === 1 ? [count] : [count, width];
    if (x.size === 0) return tf.zeros(shape) as T;
    const picked = tf.gather(tf.reshape(x, [x.size]), tf.tensor1d(positions, 'int32'));
    return tf.reshape(tf.mul(picked, tf.tensor1d(present)), shape) as T;
  });
}

/**
 * Largest value of each segment, column by column; zeros for an empty segment.
 *
 * The gradient goes to the first row that attains the maximum.
 * Parameters and errors as for {@link segmentSum}.
 */
export function segmentMax<T extends tf.Tensor1D | tf.Tensor2D>(
  x: T,
  ids: tf.Tensor1D,
  count: number,
): T {
  checkSegments(x, ids, count);
  if (hasKernel('LabSegmentMax')) {
    const [largest, places] = runKernel('LabSegmentMax', { x, ids }, { count });
    (places as tf.Tensor).dispose();
    return largest as T;
  }
  return composedMax(x, ids, count);
}

/** Softmax from stock ops; the row maximum is a constant for the gradient. */
function composedSoftmax(scores: tf.Tensor1D, ids: tf.Tensor1D, count: number): tf.Tensor1D {
  return tf.tidy(() => {
    const rows = largestRows(scores, ids, count);
    const values = scores.dataSync();
    const largest = Float32Array.from(rows, (row) => (row < 0 ? 0 : (values[row] as number)));
    const exponentials = tf.exp(tf.sub(scores, tf.gather(tf.tensor1d(largest), ids)));
    const sums = tf.unsortedSegmentSum(exponentials, ids, count);
    return tf.div(exponentials, tf.gather(sums, ids)) as tf.Tensor1D;
  });
}

/**
 * Softmax inside each segment: `y_e = exp(s_e - m) / sum_(f in segment) exp(s_f - m)`, where m is
 * the segment's largest score.
 *
 * @param scores - `[E]`.
 * @param ids - int32 `[E]`, each in `0 .. count-1`.
 * @param count - number of segments.
 * @returns `[E]`, summing to 1 in every segment that has rows.
 * @throws {ShapeError} and {DataError} as {@link segmentSum}.
 */
export function segmentSoftmax(scores: tf.Tensor1D, ids: tf.Tensor1D, count: number): tf.Tensor1D {
  assertShape(scores, 'E', 'scores');
  checkSegments(scores, ids, count);
  if (hasKernel('LabSegmentSoftmax')) {
    return runSingle('LabSegmentSoftmax', { scores, ids }, { count });
  }
  return composedSoftmax(scores, ids, count);
}
