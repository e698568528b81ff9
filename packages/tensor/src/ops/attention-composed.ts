import { tf } from '../tfjs.js';

/** The attention to compute, its heads on one axis. */
export interface AttentionProblem {
  /** `[H, T, D]`. */
  readonly q: tf.Tensor3D;
  /** `[G, S, D]`: query head h belongs to head `floor(h G / H)`. */
  readonly k: tf.Tensor3D;
  /** `[G, S, C]`. */
  readonly v: tf.Tensor3D;
  /** `[M, S]`. */
  readonly keyMask: tf.Tensor2D;
  readonly causal: boolean;
  readonly queryOffset: number;
  readonly scale: number;
}

/** Smallest top of a row: minus infinity less minus infinity would be NaN. */
const LOWEST = -1e30;

/** Whether a query sees a key: `[T, S]`. */
function visibleKeys({ q, k, queryOffset }: AttentionProblem): tf.Tensor2D {
  const last = tf.add(tf.range(0, q.shape[1], 1, 'float32'), queryOffset);
  const keys = tf.range(0, k.shape[1], 1, 'float32');
  return tf.lessEqual(keys, tf.expandDims(last, 1));
}

/** Softmax of the last axis; zeros where all scores are minus infinity. */
export function softmaxOrZeros<T extends tf.Tensor>(scores: T): T {
  const top = tf.maximum(tf.max(scores, -1, true), LOWEST);
  const exponentials = tf.exp(tf.sub(scores, top));
  const sums = tf.sum(exponentials, -1, true);
  const divisors = tf.where(tf.equal(sums, 0), tf.onesLike(sums), sums);
  return tf.div(exponentials, divisors);
}

/** Softmax of all scores `[H, T, S]`; zeros for a query that sees no key. */
function weightsOf(problem: AttentionProblem): tf.Tensor3D {
  const { q, k, keyMask, scale } = problem;
  const [heads, length, width] = q.shape;
  const [kvHeads, keys] = k.shape;
  const grouped = tf.reshape(q, [kvHeads, (heads / kvHeads) * length, width]);
  const products = tf.mul(tf.matMul(grouped, k, false, true), scale);
  const rows = keyMask.shape[0];
  const byMask = tf.reshape(products, [rows, (heads / rows) * length, keys]);
  const masked = tf.add(byMask, tf.expandDims(keyMask, 1));
  const scores = tf.reshape(masked, [heads, length, keys]) as tf.Tensor3D;
  const hidden = tf.fill([1, 1], Number.NEGATIVE_INFINITY);
  if (!problem.causal) return softmaxOrZeros(scores);
  return softmaxOrZeros(tf.where(visibleKeys(problem), scores, hidden) as tf.Tensor3D);
}

/** `x [H, R, S]` with the heads of a group under each other: `[G, (H / G) R, S]`. */
function stacked(x: tf.Tensor3D, kvHeads: number): tf.Tensor3D {
  const [heads, rows, columns] = x.shape;
  return tf.reshape(x, [kvHeads, (heads / kvHeads) * rows, columns]);
}

function gradients({ scale }: AttentionProblem, dy: tf.Tensor3D, saved: readonly tf.Tensor[]) {
  const [q, k, v, weights] = saved as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
  const kvHeads = k.shape[0];
  const shares = stacked(weights, kvHeads);
  const upstream = stacked(dy, kvHeads);
  const products = tf.mul(tf.matMul(upstream, v, false, true), shares);
  const along = tf.mul(tf.sum(products, -1, true), shares);
  const slopes = tf.mul(tf.sub(products, along), scale);
  return [
    tf.reshape(tf.matMul(slopes, k), q.shape),
    tf.matMul(slopes, stacked(q, kvHeads), true),
    tf.matMul(shares, upstream, true),
  ];
}

/** Attention made of stock operations, with all scores at once and an explicit gradient. */
export function composedAttention(problem: AttentionProblem): tf.Tensor3D {
  const { q, k, v } = problem;
  const inputs = [q, k, v];
  const shape: [number, number, number] = [q.shape[0], q.shape[1], v.shape[2]];
  const isEmpty = inputs.some((x) => x.size === 0);
  const operation = tf.customGrad((...args: unknown[]) => {
    if (isEmpty) {
      return { value: tf.zeros(shape), gradFunc: () => inputs.map((x) => tf.zeros(x.shape)) };
    }
    const save = args[3] as tf.GradSaveFunc;
    const weights = weightsOf(problem);
    save([...inputs, weights]);
    return {
      value: tf.reshape(tf.matMul(stacked(weights, k.shape[0]), v), shape),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => gradients(problem, dy as tf.Tensor3D, saved),
    };
  });
  return operation(...inputs) as tf.Tensor3D;
}
