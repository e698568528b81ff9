/**
 * The MLP of a block.
 */
import { gelu, silu, tf } from '@lab/tensor';
import type { Activation } from './architecture.js';
import type { HookRunner } from './hooks.js';
import { linear } from './linear.js';
import type { Linear } from './weights/block-weights.js';

const activations: Readonly<Record<Activation, (x: tf.Tensor3D) => tf.Tensor3D>> = {
  gelu: (x) => gelu(x),
  'gelu-tanh': (x) => gelu(x, { approximate: 'tanh' }),
  'quick-gelu': (x) => tf.mul(x, tf.sigmoid(tf.mul(x, 1.702))),
  relu: (x) => tf.relu(x),
  'relu-squared': (x) => tf.square(tf.relu(x)),
  silu: (x) => silu(x),
  tanh: (x) => tf.tanh(x),
};

/** Matrices of an MLP; without a gate null. */
export interface MlpWeights {
  readonly gate: Linear | null;
  readonly up: Linear;
  readonly down: Linear;
}

/**
 * What the MLP adds to the residual: `act(x U) D`, or `(act(x G) * x U) D` with a gate.
 *
 * @param x - `[B, T, D]`.
 */
export function feedForward(
  x: tf.Tensor3D,
  { gate, up, down }: MlpWeights,
  {
    activation,
    hooks,
    name,
    block,
  }: {
    readonly activation: Activation;
    readonly hooks: HookRunner;
    /** Of the hooks. */
    readonly name: string;
    readonly block: number;
  },
): tf.Tensor3D {
  const run = (what: string, value: tf.Tensor3D) => hooks.run(`${name}.hook_${what}`, value, block);
  const activate = activations[activation];
  const inner =
    gate === null
      ? activate(run('pre', linear(x, up)))
      : tf.mul(activate(run('pre', linear(x, gate))), run('pre_linear', linear(x, up)));
  return linear(run('post', inner as tf.Tensor3D), down);
}
