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
  // tfjs lets rows of the id -1 belong to no segment; here that is an error.
  const attributes = { numSegments: count, lowestId: 0 };
  return runSingle<T>(tf.UnsortedSegmentSum, { x, segmentIds: ids }, attributes);
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
  checkSegments(x, ids, count);
  if (hasKernel('LabSegmentMean')) return runSingle<T>('LabSegmentMean', { x, ids }, { count });
  return tf.tidy(() => {
    const sums = segmentSum(x, ids, count);
    const sizes = tf.maximum(segmentSizes(ids, count), 1) as tf.Tensor1D;
    return tf.div<T>(sums, perRow(sizes, x));
  });
}

/** Whether a value takes the place of a former one: NaN counts as larger than any number. */
const isLarger = (value: number, old: number): boolean =>
  value > old || (Number.isNaN(value) && !Number.isNaN(old));

/**
 * First row with the largest value, per segment and column: int32 `[S * D]`; E where a segment is
 * empty.
 */
function largestRows(x: tf.Tensor, ids: tf.Tensor1D, count: number): tf.Tensor1D {
  const width = x.rank === 1 ? 1 : (x.shape[1] as number);
  if (hasKernel('LabLargestRows')) {
    const flat = tf.reshape(x, [x.size]);
    return runSingle('LabLargestRows', { x: flat, ids }, { count, width });
  }
  const values = x.dataSync();
  const segments = ids.dataSync();
  const none = segments.length;
  const rows = new Int32Array(count * width).fill(none);
  for (let e = 0; e < none; e++) {
    for (let d = 0; d < width; d++) {
      const to = (segments[e] as number) * width + d;
      const best = rows[to] as number;
      const value = values[e * width + d] as number;
      if (best === none || isLarger(value, values[best * width + d] as number)) rows[to] = e;
    }
  }
  return tf.tensor1d(rows, 'int32');
}

/** {@link segmentMax} from stock ops: a gather at the positions of the largest values. */
function composedMax<T extends tf.Tensor>(x: T, ids: tf.Tensor1D, count: number): T {
  return tf.tidy(() => {
    const width = x.rank === 1 ? 1 : (x.shape[1] as number);
    const shape = x.rank === 1 ? [count] : [count, width];
    if (x.size === 0 || count === 0) return tf.zeros(shape) as T;
    const rows = largestRows(x, ids, count);
    const columns = tf.tile(tf.range(0, width, 1, 'int32'), [count]);
    const positions = tf.add(tf.mul(tf.minimum(rows, ids.size - 1), width), columns);
    const picked = tf.gather(tf.reshape(x, [x.size]), tf.cast(positions, 'int32'));
    const isFilled = tf.less(rows, ids.size);
    return tf.reshape(tf.where(isFilled, picked, tf.zerosLike(picked)), shape) as T;
  });
}

/**
 * Largest value of each segment, column by column; zeros for an empty segment, NaN where one
 * is (on cpu and wasm).
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

/** Softmax from stock ops, with its own gradient `y (dy - sum_segment(y dy))`. */
function composedSoftmax(scores: tf.Tensor1D, ids: tf.Tensor1D, count: number): tf.Tensor1D {
  if (scores.size === 0) return tf.clone(scores);
  const operation = tf.customGrad((x, save) => {
    const largest = composedMax(x as tf.Tensor, ids, count);
    const exponentials = tf.exp(tf.sub(x as tf.Tensor, tf.gather(largest, ids)));
    const sums = tf.unsortedSegmentSum(exponentials, ids, count);
    const value = tf.div(exponentials, tf.gather(sums, ids));
    (save as tf.GradSaveFunc)([value, ids]); // the caller may free ids before the backward pass
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [y, kept] = saved as [tf.Tensor, tf.Tensor1D];
      const weighted = tf.mul(y, dy);
      const shares = tf.gather(tf.unsortedSegmentSum(weighted, kept, count), kept);
      return tf.sub(weighted, tf.mul(y, shares));
    };
    return { value, gradFunc };
  });
  return operation(scores) as tf.Tensor1D;
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
