/**
 * The end of a pass over a batch, so many tokens of the vocabulary at a time that their logits fit.
 */
import { tf, writeColumns } from '@lab/tensor';
import { type Captured, capturedOf } from './captures.js';
import type { Model } from './model.js';
import { normalised } from './normalised.js';
import { normedOutputParts } from './output-parts.js';
import { STRIP } from './vocabulary.js';

/** Numbers of logits that are on the backend together, at most: 64 MiB. */
const MOST_LOGITS = 2 ** 24;

/** Tokens of the vocabulary whose logits of some rows are made together. */
export const tokensTogether = (rows: number): number =>
  Math.max(1, Math.min(STRIP, Math.floor(MOST_LOGITS / Math.max(rows, 1))));

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
 * Normalised rows and logits of all tokens, in the host's memory; the output's weights are read
 * once.
 *
 * @param residual - behind the last block, `[B, T, D]`.
 */
export async function logitsInParts(model: Model, residual: Captured): Promise<PassEnd> {
  const { vocabularySize, norm } = model.architecture;
  const [texts, length, width] = residual.shape as [number, number, number];
  const rowCount = texts * length;
  const normed = tf.tidy(() => {
    const rows = tf.tensor2d(residual.data, [rowCount, width]);
    return normalised(rows, model.parts.around.norm, norm);
  });
  const values = new Float32Array(rowCount * vocabularySize);
  try {
    const host = { rowCount, columnCount: vocabularySize, values };
    for await (const part of normedOutputParts(model, normed, tokensTogether(rowCount))) {
      await writeColumns(host, part.start, part.logits);
    }
    return {
      normed: { shape: residual.shape, data: (await capturedOf(normed)).data },
      logits: { shape: [texts, length, vocabularySize], data: values },
    };
  } finally {
    normed.dispose();
  }
}
