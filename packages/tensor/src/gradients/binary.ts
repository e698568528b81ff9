import { tf } from '../tfjs.js';
import type { GradientRule, RuleInput } from './rule.js';

type Side = (dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => tf.Tensor;

/** Operation of two inputs, both kept; broadcast dimensions are summed by the tape. */
const ofBoth = (kernelName: string, sideA: Side, sideB: Side): GradientRule => ({
  kernelName,
  inputs: ['a', 'b'],
  rule: ({ dy, saved }) => {
    const [a, b] = saved as [tf.Tensor, tf.Tensor];
    return { a: () => sideA(dy, a, b), b: () => sideB(dy, a, b) };
  },
});

/** The tensor as float32, without the copy that a cast of floats makes. */
const asFloat = (x: tf.Tensor): tf.Tensor => (x.dtype === 'float32' ? x : tf.cast(x, 'float32'));

const mask = (condition: tf.Tensor): tf.Tensor => tf.cast(condition, 'float32');

/** `a ** b * log(a)`, taken as 0 where a <= 0. */
function powTimesLog(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  const positive = tf.greater(a, 0);
  const logarithm = tf.where(positive, tf.log(a), tf.zerosLike(a));
  return tf.mul(tf.pow(a, b), logarithm);
}

function productRule({ dy, saved, attribute }: RuleInput): Record<string, () => tf.Tensor> {
  const [a, b] = saved as [tf.Tensor, tf.Tensor];
  const isA = attribute<boolean>('transposeA');
  const isB = attribute<boolean>('transposeB');
  return {
    a: () => (isA ? tf.matMul(b, dy, isB, true) : tf.matMul(dy, b, false, !isB)),
    b: () => (isB ? tf.matMul(dy, a, true, isA) : tf.matMul(a, dy, !isA, false)),
  };
}

/** Rules of the operations on two tensors. */
export const BINARY_RULES: readonly GradientRule[] = [
  { kernelName: tf.Add, rule: ({ dy }) => ({ a: () => tf.clone(dy), b: () => tf.clone(dy) }) },
  { kernelName: tf.Sub, rule: ({ dy }) => ({ a: () => tf.clone(dy), b: () => tf.neg(dy) }) },
  ofBoth(
    tf.Multiply,
    (dy, _, b) => tf.mul(dy, asFloat(b)),
    (dy, a) => tf.mul(dy, asFloat(a)),
  ),
  ofBoth(
    tf.RealDiv,
    (dy, _, b) => tf.div(dy, asFloat(b)),
    (dy, a, b) => tf.neg(tf.div(tf.mul(dy, a), tf.square(asFloat(b)))),
  ),
  ofBoth(
    tf.Maximum,
    (dy, a, b) => tf.mul(dy, mask(tf.greaterEqual(a, b))),
    (dy, a, b) => tf.mul(dy, mask(tf.less(a, b))),
  ),
  ofBoth(
    tf.Minimum,
    (dy, a, b) => tf.mul(dy, mask(tf.lessEqual(a, b))),
    (dy, a, b) => tf.mul(dy, mask(tf.greater(a, b))),
  ),
  ofBoth(
    tf.Pow,
    (dy, a, b) => tf.mul(dy, tf.mul(b, tf.pow(a, tf.sub(b, 1)))),
    (dy, a, b) => tf.mul(dy, powTimesLog(a, b)),
  ),
  ofBoth(
    tf.SquaredDifference,
    (dy, a, b) => tf.mul(dy, tf.mul(tf.sub(a, b), 2)),
    (dy, a, b) => tf.mul(dy, tf.mul(tf.sub(b, a), 2)),
  ),
  {
    kernelName: tf.Select,
    inputs: ['condition'],
    rule: ({ dy, saved: [condition] }) => ({
      t: () => tf.mul(dy, mask(condition as tf.Tensor)),
      e: () => tf.mul(dy, mask(tf.logicalNot(condition as tf.Tensor))),
    }),
  },
  {
    kernelName: tf.Prelu,
    inputs: ['x', 'alpha'],
    rule: ({ dy, saved }) => {
      const [x, alpha] = saved as [tf.Tensor, tf.Tensor];
      const positive = tf.greater(x, 0);
      return {
        x: () => tf.where(positive, dy, tf.mul(dy, alpha)),
        alpha: () => tf.where(positive, tf.zerosLike(dy), tf.mul(dy, x)),
      };
    },
  },
  { kernelName: tf.BatchMatMul, inputs: ['a', 'b'], rule: productRule },
];
