/**
 * The end of a pass over a batch, so many tokens at a time that their logits fit.
 */
import { tf } from '@lab/tensor';
import { type Captured, capturedOf } from './captures.js';
import type { Model } from './model.js';

/** Numbers of logits that are on the backend together, about: 256 MiB. */
const MOST_LOGITS = 2 ** 26;

/** Tokens whose logits are made together. */
export const tokensAtOnce = (vocabularySize: number): number =>
  Math.max(1, Math.floor(MOST_LOGITS / vocabularySize));

/** What the final norm and the output make of a residual. */
export interface PassEnd {
  /** After the final norm, `[B, T, D]`. */
  readonly normed: Captured;
  /** `[B, T, V]`. */
  readonly logits: Captured;
}

/** The place behind the final norm. */
export const NORMED = 'ln_final.hook_normalized';

/**
 * Normalised rows and logits of all tokens, in the host's memory. Both depend on their own token
 * alone, so that all tokens are one text here.
 *
 * @param residual - behind the last block, `[B, T, D]`.
 */
export async function logitsInParts(model: Model, residual: Captured): Promise<PassEnd> {
  const { layerCount, vocabularySize } = model.architecture;
  const [texts, length, width] = residual.shape as [number, number, number];
  const tokens = texts * length;
  const normed = new Float32Array(tokens * width);
  const logits = new Float32Array(tokens * vocabularySize);
  const step = tokensAtOnce(vocabularySize);
  for (let start = 0; start < tokens; start += step) {
    const count = Math.min(step, tokens - start);
    const own = residual.data.subarray(start * width, (start + count) * width);
    const rows = tf.tensor3d(own, [1, count, width]);
    const result = await model
      .forward({ ids: [new Int32Array(count)], residual: rows, ...endOf(layerCount) })
      .finally(() => rows.dispose());
    normed.set(result.captured.get(NORMED)!.data, start * width);
    logits.set((await capturedOf(result.logits!)).data, start * vocabularySize);
    result.dispose();
  }
  return {
    normed: { shape: residual.shape, data: normed },
    logits: { shape: [texts, length, vocabularySize], data: logits },
  };
}

const endOf = (layerCount: number) => ({ startBlock: layerCount, capture: NORMED });
