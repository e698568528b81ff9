/**
 * Hidden states of many texts, block by block: the weights of a block are read once for all.
 */
import { checkOptions, type OptionFields, optionFields } from '@lab/core';
import { tf } from '@lab/tensor';
import { z } from 'zod';
import { type Captured, capturedOf } from './captures.js';
import { logitsInParts, NORMED } from './logits-in-parts.js';
import type { Model } from './model.js';
import { lastTokens, tokenBatch, type TokenInput } from './token-batch.js';

/** What {@link hiddenStates} gives of each text. */
export interface HiddenStatesOptions {
  /** All tokens, or the last that counts of each text; default `all`. */
  readonly positions?: 'all' | 'last' | undefined;
  /** Whether the last layer's states come with their logits; default false. */
  readonly logits?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

const callSchema = z.strictObject({
  positions: z.enum(['all', 'last']).optional(),
  logits: z.boolean().optional(),
  signal: optionFields.signal,
  batches: z.custom(Array.isArray, 'must be a list of batches { ids, mask }'),
} satisfies OptionFields<HiddenStatesOptions & { batches: unknown }>);

/** States of one batch at one layer. */
export interface LayerStates extends Captured {
  /** 0: the embedding; k: behind block k - 1; the last one after the final norm. */
  readonly layer: number;
  /** Position of the batch among those given. */
  readonly batch: number;
  /** With the last layer, where they are asked for: `[B, T, V]`, or `[B, V]` of the last tokens. */
  readonly logits?: Captured | undefined;
}

/**
 * Hidden states of all batches, as `output_hidden_states` of `transformers` has them: layer by
 * layer, `[B, T, D]`, or `[B, D]` of the last tokens.
 *
 * Between blocks residuals are in the host's memory; the backend holds one block (all, where they
 * are resident) and one batch.
 *
 * @param batches - texts of about the same length together.
 * @throws as {@link Model.forward}, once the first states are asked for.
 */
export async function* hiddenStates(
  model: Model,
  batches: readonly TokenInput[],
  options: HiddenStatesOptions = {},
): AsyncGenerator<LayerStates> {
  checkOptions('transformer/hiddenStates', { ...options, batches }, callSchema);
  const { positions = 'all', logits = false, signal } = options;
  const { layerCount, vocabularySize } = model.architecture;
  const lasts = batches.map((batch) => lastTokens(tokenBatch(batch, vocabularySize)));
  const residuals = new Map<number, Captured>();
  const wanted = !logits ? 'none' : positions;
  for (let layer = 0; layer <= layerCount; layer += 1) {
    for (const [at, batch] of batches.entries()) {
      signal?.throwIfAborted();
      const before = residuals.get(at);
      const found = await advanced(model, batch, { before, layer, logits: wanted, signal });
      if (layer < layerCount) residuals.set(at, found.residual);
      else residuals.delete(at);
      const states = found.normed ?? found.residual;
      yield {
        ...{ layer, batch: at },
        ...(positions === 'last' ? picked(states, lasts[at]!) : states),
        ...(found.logits && { logits: found.logits }),
      };
    }
  }
}

interface Step {
  readonly before: Captured | undefined;
  readonly layer: number;
  readonly logits: 'all' | 'last' | 'none';
  readonly signal: AbortSignal | undefined;
}

/** The residual behind one more block, and after the final norm behind the last. */
async function advanced(model: Model, batch: TokenInput, { before, layer, logits, signal }: Step) {
  const shape = before?.shape as [number, number, number];
  const residual = before === undefined ? undefined : tf.tensor3d(before.data, shape);
  const isEnd = layer === model.architecture.layerCount;
  const isApart = isEnd && logits === 'all';
  try {
    const result = await model.forward({
      ...{ ids: batch.ids, mask: batch.mask, residual, signal },
      ...{ startBlock: Math.max(layer - 1, 0), stopBlock: layer },
      ...(isApart ? { logits: 'none' } : { logits, capture: NORMED }),
    });
    const residualAfter = await capturedOf(result.residual);
    const normed = result.captured.get(NORMED);
    const ends = result.logits === null ? undefined : await capturedOf(result.logits);
    result.dispose();
    if (isApart) return { residual: residualAfter, ...(await logitsInParts(model, residualAfter)) };
    if (ends === undefined) return { residual: residualAfter, normed, logits: undefined };
    const [texts, , vocabulary] = ends.shape as [number, number, number];
    return {
      ...{ residual: residualAfter, normed },
      logits: { shape: [texts, vocabulary], data: ends.data },
    };
  } finally {
    residual?.dispose();
  }
}

/** Some rows of all texts and tokens. */
function picked({ shape, data }: Captured, places: Int32Array): Captured {
  const width = shape.at(-1)!;
  const rows = new Float32Array(places.length * width);
  for (const [text, place] of places.entries()) {
    rows.set(data.subarray(place * width, (place + 1) * width), text * width);
  }
  return { shape: [places.length, width], data: rows };
}
