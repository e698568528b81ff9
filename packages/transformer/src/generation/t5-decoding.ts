/**
 * The decoder of a T5 over texts that were encoded, a token of each row at a time.
 */
import {
  appendKeyValues,
  cachedAttention,
  type CacheSpan,
  scaledDotProductAttention,
  tf,
} from '@lab/tensor';
import { capturedOf } from '../captures.js';
import { HookRunner } from '../hooks.js';
import { type T5Mixing, t5KeysValues } from '../t5/t5-block.js';
import type { T5Model } from '../t5/t5-model.js';
import { distanceBiases, runT5Stack, t5Logits } from '../t5/t5-stack.js';
import { tokenBatch } from '../token-batch.js';
import type { RowCache } from './row-cache.js';

/** The decoder over some texts, token by token. */
export interface T5Steps {
  /** Logits `[V]` of the next token of each row; all rows have read the same number of tokens. */
  step(rows: readonly DecoderRow[]): Promise<Float32Array[]>;
  dispose(): void;
}

/** A row that goes on: rows of one text stand together. */
export interface DecoderRow {
  /** Which of the encoded texts it is of. */
  readonly text: number;
  /** Its tokens so far, those at least that its cache does not hold. */
  readonly ids: ArrayLike<number>;
  readonly cache: RowCache;
}

/** Keys and values of an encoded text, `[1, H, S, F]`. */
interface Crossed {
  readonly key: tf.Tensor4D;
  readonly value: tf.Tensor4D;
}

/** Encoded texts and what the decoder keeps of them; freed by its maker. */
export class T5Decoding implements T5Steps {
  private readonly hooks = new HookRunner([]);
  private readonly crossed = new Map<number, readonly Crossed[]>();

  /** @param encoded - rows of the encoder, `[1, S, D]` each; this decoding's from now on. */
  constructor(
    private readonly model: T5Model,
    private readonly encoded: readonly tf.Tensor3D[],
  ) {}

  async step(rows: readonly DecoderRow[]): Promise<Float32Array[]> {
    const { model, hooks } = this;
    const count = rows.length;
    const keys = rows[0]!.cache.length + 1;
    const bias = tf.tidy(() => {
      const distances = distanceBiases(model, 'decoder', [1, keys]);
      return tf.reshape(distances, [distances.shape[1], keys]) as tf.Tensor2D;
    });
    try {
      const decoded = await runT5Stack(model, {
        ...{ side: 'decoder', batchSize: 1, length: count, hooks },
        ids: Int32Array.from(rows, ({ ids }) => ids[ids.length - 1]!),
        mixing: (block) => ({ own: ownMixing(rows, block, bias), cross: this.cross(rows, block) }),
      });
      for (const { cache } of rows) cache.length = keys;
      const logits = await t5Logits(model, decoded, hooks);
      const { data } = await capturedOf(logits);
      logits.dispose();
      const size = data.length / count;
      return rows.map((_, at) => data.subarray(at * size, (at + 1) * size));
    } finally {
      bias.dispose();
    }
  }

  private cross(rows: readonly DecoderRow[], block: number): T5Mixing {
    const groups = new Map<number, number>();
    for (const { text } of rows) groups.set(text, (groups.get(text) ?? 0) + 1);
    return (query, _, place) => {
      const known =
        this.crossed.get(block) ??
        this.encoded.map((text) => {
          const { key, value } = t5KeysValues(text, place);
          return { key: tf.keep(key), value: tf.keep(value) };
        });
      this.crossed.set(block, known);
      const queries = tf.split(query, [...groups.values()], 2) as tf.Tensor4D[];
      const parts = [...groups.keys()].map((text, at) => {
        const { key, value } = known[text]!;
        return scaledDotProductAttention(queries[at]!, key, value, { scale: 1 });
      });
      return tf.concat4d(parts, 2);
    };
  }

  dispose(): void {
    for (const texts of this.crossed.values()) {
      for (const { key, value } of texts) tf.dispose([key, value]);
    }
    tf.dispose([...this.encoded]);
  }
}

/** Rows of the encoder over texts of any lengths, `[1, S, D]` each; all in one pass. */
export async function encodedTexts(
  model: T5Model,
  texts: readonly (readonly number[])[],
): Promise<tf.Tensor3D[]> {
  const length = texts.reduce((most, text) => Math.max(most, text.length), 0);
  const filled = (text: readonly number[], own: (id: number) => number) =>
    Array.from({ length }, (_, at) => (at < text.length ? own(text[at]!) : 0));
  const ids = texts.map((text) => filled(text, (id) => id));
  const mask = texts.map((text) => filled(text, () => 1));
  const { vocabularySize, width } = model.architecture;
  const all = await model.encode(tokenBatch({ ids, mask }, vocabularySize), new HookRunner([]));
  const rows = texts.map((text, at) => tf.slice3d(all, [at, 0, 0], [1, text.length, width]));
  all.dispose();
  return rows;
}

function ownMixing(rows: readonly DecoderRow[], block: number, bias: tf.Tensor2D): T5Mixing {
  return (query, x, place) => {
    const { key, value } = t5KeysValues(x, place);
    const [, headCount, , width] = key.shape;
    const spans: CacheSpan[] = rows.map(({ cache }, at) => ({
      ...{ cache: cache.block(block, { headCount, width }), start: at, end: at + 1 },
    }));
    appendKeyValues(key, value, spans);
    return cachedAttention(query, spans, { scale: 1, bias });
  };
}
