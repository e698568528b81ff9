/**
 * The way back through the end of a pass: from logits to what came out of the last block.
 */
import { pullBack, tf } from '@lab/tensor';
import type { Model } from './model.js';
import { normalised } from './normalised.js';

/** Rows behind the last block, their logits, and the gradients of these. */
export interface OutputGradientInput {
  /** `[n, D]`. */
  readonly rows: tf.Tensor2D;
  /** What the model makes of them, `[n, V]`. */
  readonly logits: tf.Tensor2D;
  /** Gradients of a quantity by the logits, `[n, V]`. */
  readonly gradients: tf.Tensor2D;
}

/**
 * Gradients of a quantity by rows behind the last block: through cap, output and final norm.
 * Weights of the output may be wherever they are. What it is given stays the caller's.
 *
 * @returns `[n, D]`, for the caller to dispose.
 */
export async function outputGradient(
  { architecture, parts }: Model,
  { rows, logits, gradients }: OutputGradientInput,
): Promise<tf.Tensor2D> {
  const { norm: rules, logitCap: cap } = architecture;
  const before =
    cap === null
      ? tf.clone(gradients)
      : tf.tidy(() => {
          // d c tanh(x / c) = 1 - tanh^2, of which the capped logits are c times.
          const share = tf.square(tf.div(logits, cap));
          return tf.mul<tf.Tensor2D>(gradients, tf.sub(1, share));
        });
  const pulled = await parts.vocabulary.pullUnembed(before).finally(() => before.dispose());
  try {
    return tf.tidy(() => {
      const normed = () => normalised(rows, parts.around.norm, rules);
      return pullBack(normed, [rows], pulled).gradients[0] as tf.Tensor2D;
    });
  } finally {
    pulled.dispose();
  }
}
