import { inputShape } from '../node-inputs.js';
import { tf } from '../tfjs.js';
import type { GradientRule, RuleInput } from './rule.js';

/** Gradients of the chosen values put back where the indices say. */
function topKGradient({ dy, saved: [indices] }: RuleInput): tf.Tensor {
  const shape = inputShape('x');
  const columns = shape.at(-1) as number;
  const size = tf.util.sizeFromShape(shape);
  const rows = columns === 0 ? 0 : size / columns;
  const k = dy.shape.at(-1) as number;
  const starts = tf.reshape(tf.mul(tf.range(0, rows, 1, 'int32'), columns), [rows, 1]);
  const places = tf.add(tf.reshape(indices as tf.Tensor, [rows, k]), starts);
  const ids = tf.reshape(tf.cast(places, 'int32'), [rows * k]) as tf.Tensor1D;
  return tf.reshape(tf.unsortedSegmentSum(tf.reshape(dy, [rows * k]), ids, size), shape);
}

/** `dy` times the product of all others: of those before and of those after, without dividing. */
function productGradient({ dy, saved: [x], attribute }: RuleInput): tf.Tensor {
  const shape = (x as tf.Tensor).shape;
  const axes = tf.util.parseAxisParam(attribute<number | number[]>('axis') ?? null, shape);
  const kept = shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const order = [...kept, ...axes];
  const moved = tf.transpose(x as tf.Tensor, order);
  const count = axes.reduce((product, axis) => product * (shape[axis] as number), 1);
  const rows = tf.reshape(moved, [dy.size, count]);
  const before = tf.cumprod(rows, 1, true);
  const others = tf.mul(before, tf.cumprod(rows, 1, true, true));
  const gradient = tf.mul(others, tf.reshape(dy, [dy.size, 1]));
  const undo = tf.backend_util.getUndoAxesPermutation(order);
  return tf.transpose(tf.reshape(gradient, moved.shape), undo);
}

/** Rules of the operations that choose values, and of the product. */
export const SELECTION_RULES: readonly GradientRule[] = [
  {
    kernelName: tf.TopK,
    outputs: [false, true],
    rule: (input) => ({ x: () => topKGradient(input) }),
  },
  { kernelName: tf.Prod, inputs: ['x'], rule: (input) => ({ x: () => productGradient(input) }) },
];
