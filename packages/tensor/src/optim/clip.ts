import { tf } from '../tfjs.js';

/** What {@link clipByGlobalNorm} returns: new tensors, to be disposed by the caller. */
export interface ClippedGradients {
  gradients: Record<string, tf.Tensor>;
  /** The global norm before clipping, a scalar on the device (not read back). */
  norm: tf.Scalar;
}

/**
 * Gradients scaled so that the norm over all of them together is at most `maxNorm`.
 *
 * `norm = sqrt(sum_k |g_k|^2)`, `scale = min(1, maxNorm / (norm + 1e-6))`.
 * Source: PyTorch/torch/nn/utils/clip_grad.py, `clip_grad_norm_`; equation not verified.
 *
 * Nothing is read back from the device. The given gradients stay alive.
 *
 * @param gradients - by parameter name.
 * @param maxNorm - largest norm allowed, > 0.
 * @returns the scaled gradients and the norm before scaling.
 */
export function clipByGlobalNorm(
  gradients: Readonly<Record<string, tf.Tensor>>,
  maxNorm: number,
): ClippedGradients {
  const clipped = tf.tidy(() => {
    const squares = Object.values(gradients).map((gradient) => tf.sum(tf.square(gradient)));
    const norm = squares.length === 0 ? tf.scalar(0) : tf.sqrt(tf.addN(squares));
    const scale = tf.minimum(1, tf.div(maxNorm, tf.add(norm, 1e-6)));
    const scaled: Record<string, tf.Tensor> = {};
    for (const [name, gradient] of Object.entries(gradients)) {
      scaled[name] = tf.mul(gradient, scale);
    }
    return { gradients: scaled, norm: norm as tf.Scalar };
  });
  return clipped;
}
