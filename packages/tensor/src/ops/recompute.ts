import { isolatedGradients } from '../tape.js';
import { tf } from '../tfjs.js';

/**
 * Value of `f`, whose inner results are computed again in the backward pass instead of kept.
 *
 * Between forward and backward pass only the inputs and the output exist, at the price of one more
 * forward pass: for deep parts of a model whose activations do not fit. Tensors that `f` uses
 * besides its inputs are constants; randomness in `f` must repeat itself (as `dropout` does).
 *
 * @param inputs - the tensors to differentiate by, parameters among them.
 * @param f - function of the inputs, in their order; called twice.
 * @returns the value of `f`.
 */
export function recompute<T extends tf.Tensor>(
  inputs: readonly tf.Tensor[],
  f: (...inputs: tf.Tensor[]) => T,
): T {
  const operation = tf.customGrad((...args: unknown[]) => {
    const xs = args.slice(0, inputs.length) as tf.Tensor[];
    const save = args[inputs.length] as tf.GradSaveFunc;
    save(xs);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const { value, gradients } = isolatedGradients(f, saved, dy);
      value.dispose();
      return gradients;
    };
    return { value: f(...xs), gradFunc };
  });
  return operation(...inputs) as T;
}
