import { tf } from './tfjs.js';

/** The fields of the engine's state that recording uses. */
interface TapeState {
  activeTape: unknown;
  gradientDepth: number;
  kernelDepth: number;
}

/**
 * Value and gradients of `f`, apart from any recording that is going on.
 *
 * The engine has one tape: computing a gradient inside a gradient function, or inside the forward
 * pass of a custom gradient, would spoil it. Here its state is set aside and put back.
 *
 * @param f - scalar of the inputs.
 * @returns the value and one gradient per input; zeros for an input that `f` does not use.
 */
export function isolatedGradients<T extends tf.Tensor>(
  f: (...inputs: T[]) => tf.Scalar,
  inputs: readonly T[],
): { value: tf.Scalar; gradients: T[] } {
  const state = tf.engine().state as unknown as TapeState;
  const { activeTape, gradientDepth, kernelDepth } = state;
  Object.assign(state, { activeTape: null, gradientDepth: 0, kernelDepth: 0 });
  try {
    return tf.tidy(() => {
      const { value, grads } = tf
        .engine()
        .gradients(() => f(...(inputs as T[])), inputs as T[], undefined, true);
      const gradients = inputs.map((x, i) => (grads[i] ?? tf.zerosLike(x)) as T);
      return { value: value as tf.Scalar, gradients };
    });
  } finally {
    Object.assign(state, { activeTape, gradientDepth, kernelDepth });
  }
}
