import { hasKernel, runSingle } from '../engine.js';
import { tf } from '../tfjs.js';
import { derivativeKernel, type GradientRule } from './rule.js';

type Derivative = (dy: tf.Tensor, kept: tf.Tensor) => tf.Tensor;

/** `dy` times the derivative: by the backend's fused kernel where there is one. */
function applied(kernelName: string, derivative: Derivative): Derivative {
  const fused = derivativeKernel(kernelName);
  return (dy, kept) => (hasKernel(fused) ? runSingle(fused, { dy, kept }) : derivative(dy, kept));
}

/** Operation of one input whose derivative is a function of the input. */
const ofInput = (kernelName: string, derivative: Derivative): GradientRule => ({
  kernelName,
  inputs: ['x'],
  rule: ({ dy, saved }) => ({
    x: () => applied(kernelName, derivative)(dy, saved[0] as tf.Tensor),
  }),
});

/** Operation of one input whose derivative is a function of the output. */
const ofOutput = (kernelName: string, derivative: Derivative): GradientRule => ({
  kernelName,
  outputs: [true],
  rule: ({ dy, saved }) => ({
    x: () => applied(kernelName, derivative)(dy, saved[0] as tf.Tensor),
  }),
});

/** Operation whose derivative is zero wherever it exists. */
const flat = (kernelName: string): GradientRule => ({
  kernelName,
  rule: ({ dy }) => ({ x: () => tf.zerosLike(dy) }),
});

const TWO_OVER_ROOT_PI = 2 / Math.sqrt(Math.PI);
const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

const where = (mask: tf.Tensor, yes: tf.Tensor, no: tf.Tensor): tf.Tensor =>
  tf.where(mask, yes, no);

/** Rules of the operations that work element by element on one tensor. */
export const ELEMENTWISE_RULES: readonly GradientRule[] = [
  ofInput(tf.Abs, (dy, x) => tf.mul(dy, tf.sign(x))),
  ofInput(tf.Cos, (dy, x) => tf.neg(tf.mul(dy, tf.sin(x)))),
  ofInput(tf.Erf, (dy, x) => tf.mul(dy, tf.mul(tf.exp(tf.neg(tf.square(x))), TWO_OVER_ROOT_PI))),
  ofInput(tf.Log, (dy, x) => tf.div(dy, x)),
  ofInput(tf.Log1p, (dy, x) => tf.div(dy, tf.add(x, 1))),
  ofInput(tf.Sin, (dy, x) => tf.mul(dy, tf.cos(x))),
  ofInput(tf.Softplus, (dy, x) => tf.mul(dy, tf.sigmoid(x))),
  ofInput(tf.Square, (dy, x) => tf.mul(dy, tf.mul(x, 2))),
  ofOutput(tf.Elu, (dy, y) => tf.mul(dy, where(tf.greater(y, 0), tf.onesLike(y), tf.add(y, 1)))),
  ofOutput(tf.Exp, (dy, y) => tf.mul(dy, y)),
  ofOutput(tf.Expm1, (dy, y) => tf.mul(dy, tf.add(y, 1))),
  ofOutput(tf.Reciprocal, (dy, y) => tf.neg(tf.mul(dy, tf.square(y)))),
  ofOutput(tf.Relu, (dy, y) => tf.mul(dy, tf.step(y))),
  ofOutput(tf.Rsqrt, (dy, y) => tf.mul(dy, tf.mul(tf.pow(y, 3), -0.5))),
  ofOutput(tf.Sigmoid, (dy, y) => tf.mul(dy, tf.mul(y, tf.sub(1, y)))),
  ofOutput(tf.Sqrt, (dy, y) => tf.div(dy, tf.mul(y, 2))),
  ofOutput(tf.Tanh, (dy, y) => tf.mul(dy, tf.sub(1, tf.square(y)))),
  ofOutput(tf.Selu, (dy, y) => {
    const negative = tf.add(y, SELU_ALPHA * SELU_SCALE);
    return tf.mul(dy, where(tf.greater(y, 0), tf.fill(y.shape, SELU_SCALE), negative));
  }),
  ...[tf.Ceil, tf.Floor, tf.Round, tf.Sign, tf.Step, tf.OnesLike, tf.ZerosLike].map(flat),
  { kernelName: tf.Cast, rule: ({ dy }) => ({ x: () => tf.clone(dy) }) },
  { kernelName: tf.Identity, rule: ({ dy }) => ({ x: () => tf.clone(dy) }) },
  { kernelName: tf.Neg, rule: ({ dy }) => ({ x: () => tf.neg(dy) }) },
  {
    kernelName: tf.Relu6,
    inputs: ['x'],
    rule: ({ dy, saved: [x] }) => ({
      x: () =>
        tf.mul(
          dy,
          tf.mul(tf.step(x as tf.Tensor), tf.cast(tf.lessEqual(x as tf.Tensor, 6), 'float32')),
        ),
    }),
  },
  {
    kernelName: tf.LeakyRelu,
    inputs: ['x'],
    rule: ({ dy, saved, attribute }) => ({
      x: () => {
        const positive = tf.greater(saved[0] as tf.Tensor, 0);
        return where(positive, dy, tf.mul(dy, attribute<number>('alpha')));
      },
    }),
  },
  {
    kernelName: tf.ClipByValue,
    inputs: ['x'],
    rule: ({ dy, saved, attribute }) => ({
      x: () => {
        const x = saved[0] as tf.Tensor;
        const above = tf.greaterEqual(x, attribute<number>('clipValueMin'));
        const below = tf.lessEqual(x, attribute<number>('clipValueMax'));
        return tf.mul(dy, tf.cast(tf.logicalAnd(above, below), 'float32'));
      },
    }),
  },
];
