import { ModelError } from '@lab/core';
import { isolatedGradients } from '../tape.js';
import { tf } from '../tfjs.js';

/** A value and the gradients of the tensors it was made of; the caller disposes both. */
export interface PullBack<Y extends tf.Tensor> {
  readonly value: Y;
  /** In the order of the inputs; zeros for an input that the value does not depend on. */
  readonly gradients: readonly tf.Tensor[];
}

/**
 * Value of `f` and the gradients of its inputs, given the gradient of what the value goes into:
 * one link of a chain rule whose other links are computed elsewhere, for example block by block.
 *
 * `gradient of x = sum_k dy_k d y_k / d x`, `y = f(x)`
 *
 * @param f - builds the value; synchronous. Tensors that it uses besides `inputs` are constants.
 * @param inputs - the tensors to differentiate by: variables of parameters, or any others.
 * @param dy - in the shape of the value.
 * @throws {ModelError} when the shapes differ, an operation has no gradient, or a gradient is being
 * taken around this call.
 *
 * @example
 * const x = tf.tensor1d([1, 2]);
 * const { gradients } = pullBack(() => tf.square(x), [x], tf.tensor1d([10, 1]));
 * Array.from(gradients[0]!.dataSync()); // => [20, 4]
 */
export function pullBack<Y extends tf.Tensor>(
  f: () => Y,
  inputs: readonly tf.Tensor[],
  dy: tf.Tensor,
): PullBack<Y> {
  if (tf.engine().state.gradientDepth > 0) {
    throw new ModelError('tensor/pullBack: a gradient was asked for inside another gradient.', {
      help: 'Call pullBack outside; second derivatives are not supported.',
    });
  }
  return isolatedGradients<tf.Tensor, Y>(
    () => {
      const value = f();
      assertFits(value, dy);
      return value;
    },
    inputs,
    dy,
  );
}

function assertFits(value: tf.Tensor, dy: tf.Tensor): void {
  if (tf.util.arraysEqual(value.shape, dy.shape)) return;
  const [expected, got] = [value, dy].map(({ shape }) => `[${shape.join(', ')}]`);
  throw new ModelError(`tensor/pullBack: the value is ${expected}, its gradient ${got}.`, {
    help: 'Give the gradient of the value in the shape of the value.',
  });
}
