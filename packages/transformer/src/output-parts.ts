/**
 * Logits of rows behind the last block, a part of the vocabulary at a time.
 */
import { ConfigError } from '@lab/core';
import { tf } from '@lab/tensor';
import type { Model } from './model.js';
import { normalised } from './normalised.js';
import { assertHeld } from './weights/placed-parts.js';

/** Logits of some tokens. */
export interface OutputPart {
  /** First token of the part. */
  readonly start: number;
  /** `[n, tokens]`; freed when the next part is asked for. */
  readonly logits: tf.Tensor2D;
}

/**
 * What final norm, output and cap make of rows behind the last block, part by part: no more than
 * `n * tokens` logits are there at once, and where the output's weights are read from files they
 * are read once. Equal to the logits of a pass up to rounding.
 *
 * @param rows - `[n, D]`, before the final norm; stay the caller's.
 * @param tokens - of the vocabulary, in a part.
 * @throws {ConfigError} for parts of fewer than one token.
 */
export async function* outputParts(
  model: Model,
  rows: tf.Tensor2D,
  tokens: number,
): AsyncGenerator<OutputPart> {
  if (!(Number.isInteger(tokens) && tokens >= 1)) {
    throw new ConfigError(`transformer/output: parts of ${tokens} tokens.`, {
      help: 'Give a whole number from 1.',
    });
  }
  const { architecture, parts } = model;
  assertHeld(parts);
  const normed = tf.tidy(() => normalised(rows, parts.around.norm, architecture.norm));
  try {
    yield* normedOutputParts(model, normed, tokens);
  } finally {
    normed.dispose();
  }
}

/** As {@link outputParts}, of rows behind the final norm. */
export async function* normedOutputParts(
  { architecture, parts }: Model,
  normed: tf.Tensor2D,
  tokens: number,
): AsyncGenerator<OutputPart> {
  const { logitCap: cap } = architecture;
  let start = 0;
  for await (const products of parts.vocabulary.unembedParts(normed, tokens)) {
    const logits =
      cap === null
        ? products
        : tf.tidy<tf.Tensor2D>(() => tf.mul(tf.tanh(tf.div(products, cap)), cap));
    if (cap !== null) products.dispose();
    try {
      yield { start, logits };
    } finally {
      logits.dispose();
    }
    start += logits.shape[1];
  }
}
