/**
 * The stack of blocks of either side of a T5, and its output.
 */
import { tf } from '@lab/tensor';
import type { HookRunner } from '../hooks.js';
import { hookedNorm } from '../normalised.js';
import type { PlacedParts } from '../weights/placed-parts.js';
import { matrixRows } from '../weights/weight-matrix.js';
import { type BucketRules, relativeBucket } from './relative-positions.js';
import { runT5Block, type T5BlockContext } from './t5-block.js';
import type { T5Architecture } from './t5-config.js';
import type { StoredT5Block, StoredT5Side, T5Side } from './t5-weights.js';

/** A T5 taken apart; blocks: those of the encoder, then those of the decoder. */
export interface T5Parts {
  readonly architecture: T5Architecture;
  readonly parts: PlacedParts<StoredT5Block, Readonly<Record<T5Side, StoredT5Side>>>;
}

/** Tokens of a side and how they attend. */
export interface T5StackInput {
  readonly side: T5Side;
  /** `[B, T]`. */
  readonly ids: Int32Array;
  readonly batchSize: number;
  readonly length: number;
  readonly hooks: HookRunner;
  /** Of a block of the side. */
  readonly mixing: (block: number) => Pick<T5BlockContext, 'cross' | 'own'>;
}

/** Rows of tokens behind all blocks and the norm of a side, `[B, T, D]`. */
export async function runT5Stack(
  { architecture, parts }: T5Parts,
  { side, ids, batchSize, length, hooks, mixing }: T5StackInput,
): Promise<tf.Tensor3D> {
  const { encoderLayerCount, decoderLayerCount, width } = architecture;
  const isEncoder = side === 'encoder';
  const first = isEncoder ? 0 : encoderLayerCount;
  const count = isEncoder ? encoderLayerCount : decoderLayerCount;
  const rows = await parts.vocabulary.embed(ids);
  let x = tf.tidy(() => {
    const own = tf.reshape(rows, [batchSize, length, width]) as tf.Tensor3D;
    return tf.clone(hooks.run(`${side}.hook_embed`, own));
  });
  rows.dispose();
  try {
    for (let block = 0; block < count; block += 1) {
      const before = x;
      const context = { architecture, hooks, side, block, ...mixing(block) };
      x = await parts.blocks.use(first + block, (weights) => runT5Block(before, weights, context));
      before.dispose();
    }
    return normedT5({ architecture, parts }, side, { x, hooks });
  } finally {
    x.dispose();
  }
}

/** Rows behind the norm of a side, `[B, T, D]`. */
export function normedT5(
  { architecture, parts }: T5Parts,
  side: T5Side,
  { x, hooks }: { readonly x: tf.Tensor3D; readonly hooks: HookRunner },
): tf.Tensor3D {
  const rules = architecture.norm;
  const name = `${side}.final_ln`;
  return tf.tidy(() => hookedNorm(x, parts.around[side].norm, { rules, hooks, name, block: null }));
}

/**
 * Bias of every distance, `[1, H, T, S]`; the last query stands where the last key does.
 *
 * @param queries - T.
 * @param keys - S.
 */
export function distanceBiases(
  { architecture, parts }: T5Parts,
  side: T5Side,
  [queries, keys]: readonly [number, number],
): tf.Tensor4D {
  const { bucketCount, maxDistance, headCount } = architecture;
  const rules: BucketRules = { bucketCount, maxDistance, isBidirectional: side === 'encoder' };
  const buckets = Int32Array.from({ length: queries * keys }, (_, at) =>
    relativeBucket((at % keys) - (Math.floor(at / keys) + keys - queries), rules),
  );
  return tf.tidy(() => {
    const rows = matrixRows(parts.around[side].distances, buckets);
    const table = tf.transpose(tf.reshape(rows, [queries, keys, headCount]), [2, 0, 1]);
    return tf.expandDims(table, 0) as tf.Tensor4D;
  });
}

/** Logits of rows `[B, T, D]` of the decoder, which are freed; `[B, T, V]`. */
export async function t5Logits(
  { architecture, parts }: T5Parts,
  rows: tf.Tensor3D,
  hooks: HookRunner,
): Promise<tf.Tensor3D> {
  const { outputScale, width, vocabularySize } = architecture;
  const [batch, length] = rows.shape;
  const scaled = tf.tidy(() => {
    const flat = tf.reshape(rows, [batch * length, width]) as tf.Tensor2D;
    return outputScale === 1 ? tf.clone(flat) : (tf.mul(flat, outputScale) as tf.Tensor2D);
  });
  rows.dispose();
  const products = await parts.vocabulary.unembed(scaled).finally(() => scaled.dispose());
  try {
    return tf.tidy(() =>
      tf.clone(hooks.run('hook_logits', tf.reshape(products, [batch, length, vocabularySize]))),
    );
  } finally {
    products.dispose();
  }
}
