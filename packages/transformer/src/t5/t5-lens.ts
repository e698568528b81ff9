/**
 * What the output of a T5 would say if its decoder ended at a block.
 */
import { checkOptions, type OptionFields } from '@lab/core';
import { tf } from '@lab/tensor';
import { z } from 'zod';
import { type Captured, oneToken } from '../captures.js';
import { HookRunner } from '../hooks.js';
import type { Intervention } from '../interventions.js';
import { type LensLayer, mostProbable } from '../lens.js';
import { passFields, tokenFields } from '../pass-fields.js';
import { lastTokens, passPlace } from '../token-batch.js';
import { decoderBatch } from './t5-batches.js';
import { t5InterventionHook } from './t5-interventions.js';
import type { T5Input, T5Model } from './t5-model.js';
import { normedT5, t5Logits, type T5Parts } from './t5-stack.js';

/** What {@link t5LogitLens} reads. */
export interface T5LensInput extends Pick<T5Input, 'decoderIds' | 'decoderMask' | 'ids' | 'mask'> {
  /** Tokens listed at each layer; default 5. */
  readonly top?: number | undefined;
  /** Those at the decoder's final norm change the reading of every layer. */
  readonly interventions?: readonly Intervention[] | undefined;
}

const inputSchema = z.strictObject({
  ...tokenFields,
  decoderIds: passFields.rows,
  decoderMask: passFields.rows.optional(),
  top: passFields.top,
  interventions: passFields.interventions,
} satisfies OptionFields<T5LensInput>);

/**
 * The logit lens over the decoder: final norm and output on the residual of each of its layers, at
 * the last token of each text; 0 is the embedding.
 *
 * Source: nostalgebraist, Interpreting GPT: the logit lens.
 *
 * @throws as {@link T5Model.forward}.
 */
export async function t5LogitLens(model: T5Model, input: T5LensInput): Promise<LensLayer[]> {
  checkOptions('transformer/t5LogitLens', input, inputSchema);
  const { architecture } = model;
  const { interventions = [], top = 5, ...texts } = input;
  const places = residualPlaces(architecture.decoderLayerCount);
  const capture = (name: string) => places.includes(name);
  const result = await model.forward({ ...texts, interventions, capture });
  result.dispose();
  const batch = decoderBatch(texts, architecture.vocabularySize);
  const tokens = lastTokens(batch);
  const changes = interventions.map((one) => t5InterventionHook(one, architecture));
  const layers: LensLayer[] = [];
  for (const [layer, place] of places.entries()) {
    const given = { residual: result.captured.get(place)!, tokens };
    const logits = await lensLogits(model, given, new HookRunner(changes, passPlace(batch)));
    layers.push({ layer, tokens: await mostProbable(logits, top) });
    logits.dispose();
  }
  return layers;
}

/** Residuals before the first block of the decoder, and behind each. */
export const residualPlaces = (count: number): string[] => [
  'decoder.0.hook_resid_pre',
  ...Array.from({ length: count }, (_, block) => `decoder.${block}.hook_resid_post`),
];

/** Logits of one token of each text, read off a residual of the decoder, `[B, 1, V]`. */
async function lensLogits(
  model: T5Parts,
  { residual, tokens }: { readonly residual: Captured; readonly tokens: Int32Array },
  hooks: HookRunner,
): Promise<tf.Tensor3D> {
  const rows = tf.tidy(() => {
    const x = tf.tensor3d(residual.data, residual.shape as [number, number, number]);
    return oneToken(normedT5(model, 'decoder', { x, hooks }), tokens) as tf.Tensor3D;
  });
  return t5Logits(model, rows, hooks);
}
