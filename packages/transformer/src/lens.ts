/**
 * What the output would say if the pass ended at a block.
 */
import { checkOptions, type OptionFields } from '@lab/core';
import { tf } from '@lab/tensor';
import { z } from 'zod';
import type { Intervention } from './interventions.js';
import type { Model } from './model.js';
import { passFields, tokenFields } from './pass-fields.js';
import type { TokenInput } from './token-batch.js';

/** What {@link logitLens} reads. */
export interface LensInput extends TokenInput {
  /** Tokens listed at each layer; default 5. */
  readonly top?: number | undefined;
  /** Those at the final norm change the reading of every layer. */
  readonly interventions?: readonly Intervention[] | undefined;
}

const { top, interventions } = passFields;
const inputSchema = z.strictObject({
  ...{ ...tokenFields, top, interventions },
} satisfies OptionFields<LensInput>);

/** The most probable next tokens, read off one layer. */
export interface LensLayer {
  /** 0: the embedding; k: behind block k - 1. */
  readonly layer: number;
  /** Of each text, most probable first, `[B][top]`. */
  readonly tokens: readonly (readonly { readonly id: number; readonly logProbability: number }[])[];
}

/**
 * The logit lens: final norm and output on the residual of every layer, at the last token of each
 * text.
 *
 * Source: nostalgebraist, Interpreting GPT: the logit lens.
 *
 * @throws as {@link Model.forward}.
 */
export async function logitLens(model: Model, input: LensInput): Promise<LensLayer[]> {
  checkOptions('transformer/logitLens', input, inputSchema);
  const { ids, mask, top = 5, interventions } = input;
  const { layerCount } = model.architecture;
  const layers: LensLayer[] = [];
  const shared = { ids, mask, interventions };
  let residual = (await model.forward({ ...shared, stopBlock: 0 })).residual;
  try {
    for (let layer = 0; layer <= layerCount; layer += 1) {
      if (layer > 0) {
        const next = await model.forward({
          ...{ ...shared, residual, startBlock: layer - 1, stopBlock: layer, logits: 'none' },
        });
        residual.dispose();
        residual = next.residual;
      }
      const end = await model.forward({
        ...{ ...shared, residual, startBlock: layerCount, logits: 'last' },
      });
      layers.push({ layer, tokens: await mostProbable(end.logits!, top) });
      end.dispose();
    }
    return layers;
  } finally {
    residual.dispose();
  }
}

/** The most probable tokens of logits `[B, 1, V]`. */
export async function mostProbable(logits: tf.Tensor3D, top: number): Promise<LensLayer['tokens']> {
  const found = tf.tidy(() => {
    const rows = tf.logSoftmax(tf.squeeze(logits, [1]));
    const { values, indices } = tf.topk(rows, Math.min(top, rows.shape.at(-1)!));
    return { values, indices };
  });
  const [values, indices] = await Promise.all([found.values.array(), found.indices.array()]);
  tf.dispose([found.values, found.indices]);
  return (indices as number[][]).map((row, text) =>
    row.map((id, rank) => ({ id, logProbability: (values as number[][])[text]![rank]! })),
  );
}
