import { hasKernel, runSingle } from '../engine.js';
import { inputShape } from '../node-inputs.js';
import { tf } from '../tfjs.js';
import type { GradientRule, RuleInput } from './rule.js';

/** One function per input that cuts its part out of `dy` along the axis. */
function concatRule({ dy, attribute }: RuleInput): Record<string, () => tf.Tensor> {
  const axis = tf.util.parseAxisParam(attribute<number>('axis'), dy.shape)[0] as number;
  const cut = (index: number) => () => {
    const begin = dy.shape.map(() => 0);
    for (let i = 0; i < index; i++)
      begin[axis] = (begin[axis] as number) + (inputShape(i)[axis] as number);
    return tf.slice(dy, begin, inputShape(index));
  };
  return everyInput(cut);
}

/** A map that answers every input number; inputs of these operations are named 0, 1, 2, ... */
function everyInput(compute: (index: number) => () => tf.Tensor): Record<string, () => tf.Tensor> {
  return new Proxy<Record<string, () => tf.Tensor>>(
    {},
    { get: (_, name) => compute(Number(name)) },
  );
}

function packRule({ dy, attribute }: RuleInput): Record<string, () => tf.Tensor> {
  const axis = attribute<number>('axis');
  return everyInput((index) => () => {
    const begin = dy.shape.map((_, i) => (i === axis ? index : 0));
    const size = dy.shape.map((length, i) => (i === axis ? 1 : length));
    return tf.slice(dy, begin, size);
  });
}

function sliceRule({ dy, attribute }: RuleInput): Record<string, () => tf.Tensor> {
  return {
    x: () => {
      const shape = inputShape('x');
      const first = attribute<number | number[]>('begin');
      const begin = dy.shape.map((_, i) => (typeof first === 'number' ? first : (first[i] ?? 0)));
      const paddings = dy.shape.map((size, i): [number, number] => {
        const before = begin[i] as number;
        return [before, (shape[i] as number) - before - size];
      });
      return tf.pad(dy, paddings);
    },
  };
}

/** `dy` split into the repetitions along the repeated axes, which are summed. */
function tileRule({ dy, attribute }: RuleInput): Record<string, () => tf.Tensor> {
  return {
    x: () => {
      const reps = attribute<number[]>('reps');
      const split: number[] = [];
      const repeated: number[] = [];
      // Axes that are not repeated stay whole: TensorFlow takes few axes.
      for (const [axis, size] of inputShape('x').entries()) {
        if (reps[axis] !== 1) repeated.push(split.push(reps[axis] as number) - 1);
        split.push(size);
      }
      const apart = tf.reshape(dy, split);
      return repeated.length === 0 ? apart : tf.sum(apart, repeated);
    },
  };
}

/** Sum of the gathered slices back into their places along the axis. */
function gatherRule({ dy, saved, attribute }: RuleInput): Record<string, () => tf.Tensor> {
  return {
    x: () => {
      const indices = saved[0] as tf.Tensor;
      const shape = inputShape('x');
      const axis = tf.util.parseAxisParam(attribute<number>('axis'), shape)[0] as number;
      const count = shape[axis] as number;
      const outer = shape.slice(0, axis);
      const flat = tf.reshape(dy, [...outer, indices.size, ...shape.slice(axis + 1)]);
      const ids = tf.reshape(indices, [indices.size]) as tf.Tensor1D;
      if (axis === 0) return tf.unsortedSegmentSum(flat, ids, count);
      const order = shape.map((_, i) => i);
      order.unshift(order.splice(axis, 1)[0] as number);
      const sums = tf.unsortedSegmentSum(tf.transpose(flat, order), ids, count);
      return tf.transpose(sums, tf.backend_util.getUndoAxesPermutation(order));
    },
  };
}

/** Rows of `dy` by segment id; rows with a negative id get zeros. */
function segmentRule({ dy, saved }: RuleInput): Record<string, () => tf.Tensor> {
  return {
    x: () => {
      const ids = saved[0] as tf.Tensor;
      if (hasKernel('LabSegmentSumGradient')) {
        return runSingle('LabSegmentSumGradient', { dy, ids });
      }
      const rows = tf.gather(dy, tf.cast(tf.maximum(ids, 0), 'int32'));
      const present = tf.cast(tf.greaterEqual(ids, 0), 'float32');
      const inner = rows.shape.slice(ids.rank).map(() => 1);
      return tf.mul(rows, tf.reshape(present, [...ids.shape, ...inner]));
    },
  };
}

/** Rules of the operations that only move elements; those that return `dy` are reshaped later. */
export const SHAPE_RULES: readonly GradientRule[] = [
  { kernelName: tf.AddN, rule: ({ dy }) => everyInput(() => () => tf.clone(dy)) },
  { kernelName: tf.BroadcastTo, rule: ({ dy }) => ({ x: () => tf.clone(dy) }) },
  { kernelName: tf.Concat, rule: concatRule },
  { kernelName: tf.ExpandDims, rule: ({ dy }) => ({ input: () => tf.clone(dy) }) },
  { kernelName: tf.GatherV2, inputs: ['indices'], rule: gatherRule },
  { kernelName: tf.Pack, rule: packRule },
  {
    kernelName: tf.PadV2,
    rule: ({ dy, attribute }) => ({
      x: () => {
        const begin = attribute<[number, number][]>('paddings').map(([before]) => before);
        return tf.slice(dy, begin, inputShape('x'));
      },
    }),
  },
  { kernelName: tf.Reshape, rule: ({ dy }) => ({ x: () => tf.clone(dy) }) },
  {
    kernelName: tf.Reverse,
    rule: ({ dy, attribute }) => ({ x: () => tf.reverse(dy, attribute<number[]>('dims')) }),
  },
  { kernelName: tf.Slice, rule: sliceRule },
  {
    kernelName: tf.SplitV,
    rule: ({ dys, attribute }) => ({ x: () => tf.concat([...dys], attribute<number>('axis')) }),
  },
  { kernelName: tf.Tile, rule: tileRule },
  {
    kernelName: tf.Transpose,
    rule: ({ dy, attribute }) => ({
      x: () =>
        tf.transpose(dy, tf.backend_util.getUndoAxesPermutation(attribute<number[]>('perm'))),
    }),
  },
  {
    kernelName: tf.Unpack,
    rule: ({ dys, attribute }) => ({ value: () => tf.stack([...dys], attribute<number>('axis')) }),
  },
  { kernelName: tf.UnsortedSegmentSum, inputs: ['segmentIds'], rule: segmentRule },
];
