import { LabError } from '@lab/core';
import { tf } from './tfjs.js';

let nodeInputs: tf.NamedTensorMap | undefined;

/**
 * Shape of an input of the operation whose gradient is being computed.
 *
 * Lets a gradient that needs only shapes save no tensor for the backward pass.
 */
export function inputShape(name: string | number): number[] {
  const input = nodeInputs?.[name];
  if (input !== undefined) return input.shape;
  throw new LabError(`tensor: the gradient asks for the shape of "${name}" outside its node.`, {
    code: 'LAB_GRADIENT',
    help: 'Choose the backend by selectBackend, which installs the gradients of this package.',
  });
}

/** Runs `body` with these tensors as the inputs that `inputShape` speaks of. */
export function withNodeInputs<T>(inputs: tf.NamedTensorMap, body: () => T): T {
  const outer = nodeInputs;
  nodeInputs = inputs;
  try {
    return body();
  } finally {
    nodeInputs = outer;
  }
}

/** `dx` summed over broadcast dimensions and given the shape of the input it belongs to. */
export function fitShape(dx: tf.Tensor, shape: number[]): tf.Tensor {
  if (tf.util.arraysEqual(dx.shape, shape)) return dx;
  if (dx.size === tf.util.sizeFromShape(shape)) return tf.reshape(dx, shape);
  const axes = tf.broadcast_util.getReductionAxes(shape, dx.shape);
  return tf.reshape(tf.sum(dx, axes), shape);
}
