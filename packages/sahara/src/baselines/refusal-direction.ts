/**
 * Heads by what they write along the direction of refusals, or into the first token of one.
 */
import { ConfigError, DataError } from '@lab/core';
import { logitAttribution, type Model, residualComponents } from '@lab/transformer';
import type { TokenPrompt } from '../head-outputs.js';
import { batchedPrompts } from './batched-prompts.js';

/** How means are computed. */
export interface DirectionOptions {
  readonly batchTokens?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A direction and what heads write along it. */
export interface RefusalDirection {
  /** Unit vector of the residual behind the last block at the last token, `[D]`. */
  readonly direction: Float64Array;
  /** Distance of the two means. */
  readonly distance: number;
  /**
   * Along it, how much more each head writes on harmful prompts than on harmless ones,
   * `[L][H]`; over all heads, MLPs and embeddings the sum is `distance`.
   */
  readonly heads: readonly (readonly number[])[];
}

/**
 * The direction of refusals, and the share of each head in it.
 *
 * `d = mean_harmful(r) - mean_harmless(r)`, r the residual behind the last block at the last token;
 * of head i: `(mean_harmful(z_i W_o^i) - mean_harmless(z_i W_o^i)) . d / |d|`.
 * Source: Arditi et al., Refusal in Language Models Is Mediated by a Single Direction (difference
 * of means).
 * Deviation: theirs is taken at the layer and token that work best, this one at the end, where all
 * heads have written.
 *
 * @throws {DataError} without prompts on a side, and for means that do not differ.
 */
export async function refusalDirection(
  model: Model,
  harmful: readonly TokenPrompt[],
  harmless: readonly TokenPrompt[],
  options: DirectionOptions = {},
): Promise<RefusalDirection> {
  const means = [
    await componentMeans(model, harmful, options),
    await componentMeans(model, harmless, options),
  ] as const;
  const { width, layerCount, headCount } = model.architecture;
  const difference = new Float64Array(width);
  const differences = new Map<string, Float64Array>();
  for (const [name, mean] of means[0]) {
    const other = means[1].get(name)!;
    const own = mean.map((value, at) => value - other[at]!);
    differences.set(name, own);
    own.forEach((value, at) => {
      difference[at]! += value;
    });
  }
  const distance = Math.sqrt(difference.reduce((sum, value) => sum + value ** 2, 0));
  if (!(distance > 0)) {
    throw new DataError('sahara/refusal-direction: the two means are the same.', {
      help: 'Give harmful and harmless prompts that differ.',
    });
  }
  const direction = difference.map((value) => value / distance);
  const along = (row: Float64Array) =>
    row.reduce((sum, value, at) => sum + value * direction[at]!, 0);
  const heads = Array.from({ length: layerCount }, (_, layer) =>
    Array.from({ length: headCount }, (__, head) => along(differences.get(`${layer}-${head}`)!)),
  );
  return { direction, distance, heads };
}

/** Mean over prompts of what each part writes: heads under `layer-head`, the rest together. */
async function componentMeans(
  model: Model,
  prompts: readonly TokenPrompt[],
  { batchTokens = 256, signal }: DirectionOptions,
): Promise<Map<string, Float64Array>> {
  if (prompts.length === 0) {
    throw new DataError('sahara/refusal-direction: a side has no prompts.', {
      help: 'Give harmful and harmless prompts.',
    });
  }
  const { width } = model.architecture;
  const means = new Map<string, Float64Array>();
  for (const { ids, mask } of batchedPrompts(model, prompts, batchTokens)) {
    signal?.throwIfAborted();
    const { components, data } = await residualComponents(model, { ids, mask });
    components.forEach(({ layer, head }, component) => {
      const name = head === null ? 'rest' : `${layer}-${head}`;
      const mean = means.get(name) ?? new Float64Array(width);
      means.set(name, mean);
      for (let text = 0; text < ids.length; text += 1) {
        const start = (component * ids.length + text) * width;
        for (let at = 0; at < width; at += 1) mean[at]! += data[start + at]! / prompts.length;
      }
    });
  }
  return means;
}

/** First tokens of a refusal and of an answer that complies. */
export interface OpeningTokens {
  readonly refusal: number;
  readonly compliance: number;
}

/**
 * What each head adds, by itself, to the logit of the first token of a refusal over that of one
 * that complies, mean over prompts, `[L][H]`.
 *
 * Source: Elhage et al., A Mathematical Framework for Transformer Circuits (direct attribution of
 * logits). What a head does by way of later layers is not in it.
 *
 * @throws {ConfigError} where both tokens are one.
 */
export async function refusalLogits(
  model: Model,
  prompts: readonly TokenPrompt[],
  { refusal, compliance, batchTokens = 256, signal }: DirectionOptions & OpeningTokens,
): Promise<number[][]> {
  if (refusal === compliance) {
    throw new ConfigError(`sahara/refusal-logits: both tokens are ${refusal}.`, {
      help: 'Give the first token of a refusal, and that of an answer.',
    });
  }
  const { layerCount, headCount } = model.architecture;
  const sums = Array.from({ length: layerCount }, () => new Array<number>(headCount).fill(0));
  for (const { ids, mask } of batchedPrompts(model, prompts, batchTokens)) {
    signal?.throwIfAborted();
    const { components, values } = await logitAttribution(model, {
      ...{ ids, mask },
      tokens: ids.map(() => refusal),
      against: ids.map(() => compliance),
    });
    components.forEach(({ layer, head }, component) => {
      if (layer === null || head === null) return;
      for (let text = 0; text < ids.length; text += 1) {
        sums[layer]![head]! += values[text * components.length + component]! / prompts.length;
      }
    });
  }
  return sums;
}
