/**
 * Where a pass begins and ends: tokens to rows, and rows to logits.
 */
import { DataError } from '@lab/core';
import { gatherRows, tf } from '@lab/tensor';
import type { Architecture } from './architecture.js';
import type { HookRunner } from './hooks.js';
import type { StoredAround } from './load-model.js';
import { hookedNorm } from './normalised.js';
import type { StoredBlock } from './weights/block-weights.js';
import type { PlacedParts } from './weights/placed-parts.js';
import { matrixRows } from './weights/weight-matrix.js';

/** A decoder taken apart. */
export interface DecoderParts {
  readonly architecture: Architecture;
  readonly parts: PlacedParts<StoredBlock, StoredAround>;
}

/** Tokens of a batch and where they stand, `[B, T]`. */
export interface PlacedTokens {
  readonly ids: Int32Array;
  readonly positions: Int32Array;
  readonly batchSize: number;
  readonly length: number;
}

/** Embeddings, with those of learned positions, `[B, T, D]`. */
export async function embedTokens(
  { architecture, parts }: DecoderParts,
  { ids, positions, batchSize, length }: PlacedTokens,
  hooks: HookRunner,
): Promise<tf.Tensor3D> {
  const { width, embeddingScale, vocabularySize } = architecture;
  const shape: [number, number, number] = [batchSize, length, width];
  const read = hooks.wants('hook_tokens')
    ? await hookedIds({ ids, batchSize, length }, vocabularySize, hooks)
    : ids;
  const rows = await parts.vocabulary.embed(read);
  try {
    return tf.tidy(() => {
      const own = tf.reshape(rows, shape) as tf.Tensor3D;
      const scaled = embeddingScale === 1 ? own : tf.mul(own, embeddingScale);
      const embedded = hooks.run('hook_embed', scaled as tf.Tensor3D);
      const table = parts.around.positions;
      if (table === null) return embedded;
      const places = tf.reshape(matrixRows(table, positions), shape);
      return tf.add(embedded, hooks.run('hook_pos_embed', places));
    });
  } finally {
    rows.dispose();
  }
}

/** Ids after all hooks of `hook_tokens`, `[B, T]`. */
async function hookedIds(
  { ids, batchSize, length }: Omit<PlacedTokens, 'positions'>,
  vocabularySize: number,
  hooks: HookRunner,
): Promise<Int32Array> {
  const seen = tf.tidy(() => {
    const own = tf.tensor2d(ids, [batchSize, length], 'int32');
    return tf.clone(hooks.run('hook_tokens', own));
  });
  const found = ((await seen.data()) as Int32Array).slice();
  seen.dispose();
  const at = found.findIndex((id) => id < 0 || id >= vocabularySize);
  if (at < 0) return found;
  const place = `text ${Math.floor(at / length)}, token ${at % length}`;
  throw new DataError(
    `transformer/hook hook_tokens: ${place} is ${found[at]}, the vocabulary has ${vocabularySize}.`,
    { help: 'Give ids of the tokenizer of this model.' },
  );
}

/** Which tokens get logits: rows in `[B T]`, or all; and whether there are to be any. */
export interface WantedLogits {
  readonly rows: Int32Array | null;
  readonly areWanted: boolean;
}

/**
 * The final norm, and logits of the tokens that are wanted.
 *
 * @param residual - behind the last block, `[B, T, D]`.
 * @returns `[n, V]` in the order of the rows.
 */
export async function outputLogits(
  { architecture, parts }: DecoderParts,
  residual: tf.Tensor3D,
  { rows, areWanted }: WantedLogits,
  hooks: HookRunner,
): Promise<tf.Tensor2D | null> {
  const { norm: rules, logitCap, width } = architecture;
  const wanted = tf.tidy(() => {
    const given = { rules, hooks, name: 'ln_final', block: null };
    const normed = hookedNorm(residual, parts.around.norm, given);
    const all = tf.reshape(normed, [-1, width]) as tf.Tensor2D;
    return rows === null ? all : gatherRows(all, tf.tensor1d(rows, 'int32'));
  });
  try {
    if (!areWanted) return null;
    const products = await parts.vocabulary.unembed(wanted);
    if (logitCap === null) return products;
    const capped = tf.tidy<tf.Tensor2D>(() =>
      tf.mul(tf.tanh(tf.div(products, logitCap)), logitCap),
    );
    products.dispose();
    return capped;
  } finally {
    wanted.dispose();
  }
}
