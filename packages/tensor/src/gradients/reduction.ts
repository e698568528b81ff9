import { hasKernel, runSingle } from '../engine.js';
import { inputShape } from '../node-inputs.js';
import { tf } from '../tfjs.js';
import { derivativeKernel, type GradientRule, type RuleInput } from './rule.js';

/** `y` with the reduced axes put back as size 1. */
function keepAxes(y: tf.Tensor, shape: number[], axes: number[]): tf.Tensor {
  return tf.reshape(
    y,
    tf.backend_util.expandShapeToKeepDim(
      shape.filter((_, i) => !axes.includes(i)),
      axes,
    ),
  );
}

function reducedAxes({ attribute }: RuleInput, shape: number[], name: string): number[] {
  return tf.util.parseAxisParam(attribute<number | number[]>(name) ?? null, shape);
}

function spread(input: RuleInput, isMean: boolean): tf.Tensor {
  const shape = inputShape('x');
  const axes = reducedAxes(input, shape, 'axis');
  const count = axes.reduce((product, axis) => product * (shape[axis] as number), 1);
  const dy = isMean ? tf.mul(input.dy, 1 / count) : input.dy;
  return tf.broadcastTo(keepAxes(dy, shape, axes), shape);
}

/** The gradient goes to every place that attains the extreme value. */
const extreme = (kernelName: string, axisName: string): GradientRule => ({
  kernelName,
  inputs: ['x'],
  outputs: [true],
  rule: (input) => ({
    x: () => {
      const [x, y] = input.saved as [tf.Tensor, tf.Tensor];
      const axes = reducedAxes(input, x.shape, axisName);
      const hit = tf.cast(tf.equal(x, keepAxes(y, x.shape, axes)), 'float32');
      return tf.mul(hit, keepAxes(input.dy, x.shape, axes));
    },
  }),
});

/** Rules of the operations that reduce or normalise along axes. */
export const REDUCTION_RULES: readonly GradientRule[] = [
  { kernelName: tf.Sum, rule: (input) => ({ x: () => spread(input, false) }) },
  { kernelName: tf.Mean, rule: (input) => ({ x: () => spread(input, true) }) },
  extreme(tf.Max, 'reductionIndices'),
  extreme(tf.Min, 'axis'),
  {
    kernelName: tf.Softmax,
    outputs: [true],
    rule: ({ dy, saved, attribute }) => ({
      logits: () => {
        const y = saved[0] as tf.Tensor;
        const fused = derivativeKernel(tf.Softmax);
        if (hasKernel(fused)) return runSingle(fused, { dy, kept: y });
        const product = tf.mul(dy, y);
        return tf.sub(product, tf.mul(tf.sum(product, attribute<number>('dim'), true), y));
      },
    }),
  },
  {
    kernelName: tf.Cumsum,
    rule: ({ dy, attribute }) => ({
      x: () => {
        const [axis, exclusive, reverse] = ['axis', 'exclusive', 'reverse'].map(attribute);
        return tf.cumsum(dy, axis as number, exclusive as boolean, !reverse);
      },
    }),
  },
];
