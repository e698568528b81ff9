import { tf } from '../tfjs.js';

/** A loss value and, when they were asked for, its gradients by the inputs, in their order. */
export interface JointGradient {
  value: tf.Scalar;
  gradients: tf.Tensor[];
}

/** Whether the engine is recording at this moment, so that a gradient may be asked for later. */
export function isRecording(): boolean {
  const { gradientDepth, kernelDepth } = tf.engine().state;
  return gradientDepth > 0 && kernelDepth === 0;
}

/**
 * The scalar that `compute` returns, connected to its inputs by the gradients it returns with it.
 *
 * For losses whose gradient is nearly free while the value is being computed (the similarity
 * blocks are at hand) and expensive afterwards. While the engine records (`tf.grads`,
 * `valueAndGradients`), `compute(true)` must return value and gradients, and the backward pass only
 * multiplies them by the upstream scalar. Otherwise (evaluation) `compute(false)` is called and
 * no gradient is computed. There are no second derivatives.
 *
 * @param inputs - tensors by which the loss is differentiated.
 * @param compute - the loss; runs inside a tidy.
 * @returns scalar.
 */
export function jointGradient(
  inputs: tf.Tensor[],
  compute: (wantGradients: boolean) => JointGradient,
): tf.Scalar {
  if (!isRecording()) return tf.tidy(() => compute(false).value);
  const operation = tf.customGrad((...parts) => {
    const save = parts[parts.length - 1] as unknown as (tensors: tf.Tensor[]) => void;
    const { value, gradients } = compute(true);
    save(gradients);
    return {
      value,
      gradFunc: (upstream: tf.Tensor, saved: tf.Tensor[]) => saved.map((g) => tf.mul(g, upstream)),
    };
  });
  return operation(...inputs) as tf.Scalar;
}
