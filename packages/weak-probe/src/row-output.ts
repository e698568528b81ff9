/**
 * The end of a pass over rows, as if they were tokens of one text: each depends on itself alone.
 */
import { tf } from '@lab/tensor';
import type { Model } from '@lab/transformer';

/**
 * What final norm and output make of rows behind blocks.
 *
 * @param rows - `[n, D]`; stay the caller's.
 * @returns logits, `[n, V]`, for the caller to dispose.
 */
export async function rowLogits(model: Model, rows: tf.Tensor2D): Promise<tf.Tensor2D> {
  const { vocabularySize } = model.architecture;
  const count = rows.shape[0];
  const { result } = await passEnd(model, rows, 'all');
  const logits = tf.reshape(result.logits!, [count, vocabularySize]) as tf.Tensor2D;
  result.dispose();
  return logits;
}

/** Rows after the final norm, `[n, D]`. */
export async function normedRows(model: Model, rows: tf.Tensor2D): Promise<tf.Tensor2D> {
  const { result, normed } = await passEnd(model, rows, 'none');
  result.dispose();
  return tf.tensor2d(normed, rows.shape);
}

const NORMED = 'ln_final.hook_normalized';

async function passEnd(model: Model, rows: tf.Tensor2D, logits: 'all' | 'none') {
  const { layerCount } = model.architecture;
  const [count, width] = rows.shape;
  const residual = tf.reshape(rows, [1, count, width]) as tf.Tensor3D;
  try {
    const result = await model.forward({
      ...{ ids: [new Int32Array(count)], residual, startBlock: layerCount, logits },
      capture: logits === 'none' ? NORMED : undefined,
    });
    return { result, normed: result.captured.get(NORMED)?.data ?? new Float32Array(0) };
  } finally {
    residual.dispose();
  }
}
