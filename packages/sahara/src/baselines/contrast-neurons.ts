/**
 * Single neurons instead of heads: those that an aligned and an unaligned model use otherwise.
 */
import { ConfigError, DataError, formatCount, ModelError } from '@lab/core';
import type { Captured, Model } from '@lab/transformer';
import type { CalibrationRow } from './linear-inputs.js';

/** A neuron of an MLP: an input of its last matrix; both numbers count from 0. */
export interface NeuronId {
  readonly layer: number;
  readonly neuron: number;
}

/** Place of the neurons of a layer. */
export const neuronPlace = (layer: number): string => `blocks.${layer}.mlp.hook_post`;

/**
 * How far each neuron differs between two models that read the same text, `[L][F]`.
 *
 * `S_i = sqrt(mean over passes of (a_i - b_i)^2)`, a and b the activations of both.
 * Source: Chen et al., Finding Safety Neurons in Large Language Models (generation-time activation
 * contrasting): the text is what a model generates, and the passes that give its tokens count, from
 * the one over the last token of the prompt on.
 *
 * @param rows - prompts with a response, which begins at `from`.
 * @throws {ModelError} for models of different sizes; {@link DataError} without rows.
 */
export async function contrastNeurons(
  model: Model,
  other: Model,
  rows: readonly CalibrationRow[],
  {
    signal,
    onProgress,
  }: {
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: ((done: number, total: number) => void) | undefined;
  } = {},
): Promise<Float64Array[]> {
  assertAlike(model, other);
  if (rows.length === 0) {
    throw new DataError('sahara/neurons: there is no text to compare the models on.', {
      help: 'Give at least one prompt.',
    });
  }
  const { layerCount } = model.architecture;
  const sums: Float64Array[] = [];
  let passCount = 0;
  for (const [at, { ids, from = 0 }] of rows.entries()) {
    signal?.throwIfAborted();
    const [own, others] = [await neuronsOf(model, ids), await neuronsOf(other, ids)];
    const first = Math.max(0, from - 1);
    // The last token of a response gives no further one.
    const end = Math.max(first + 1, ids.length - 1);
    passCount += end - first;
    for (let layer = 0; layer < layerCount; layer += 1) {
      const [a, b] = [own.get(neuronPlace(layer))!.data, others.get(neuronPlace(layer))!.data];
      const width = a.length / ids.length;
      const sum = (sums[layer] ??= new Float64Array(width));
      for (let place = first * width; place < end * width; place += 1) {
        sum[place % width]! += (a[place]! - b[place]!) ** 2;
      }
    }
    onProgress?.(at + 1, rows.length);
  }
  return sums.map((sum) => sum.map((value) => Math.sqrt(value / passCount)));
}

async function neuronsOf(
  model: Model,
  ids: readonly number[],
): Promise<ReadonlyMap<string, Captured>> {
  const result = await model.forward({
    ...{ ids: [ids], logits: 'none', capture: /\.mlp\.hook_post$/ },
  });
  result.dispose();
  return result.captured;
}

/**
 * Checks that neurons of one model have their places in another, and that both read the same ids.
 *
 * @throws {ModelError} where layers, widths, neurons of a layer or vocabularies differ.
 */
export function assertAlike(model: Model, other: Model): void {
  for (const sizeOf of sizes) {
    const [own, others] = [sizeOf(model.architecture), sizeOf(other.architecture)];
    if (own === others) continue;
    throw new ModelError(`sahara/neurons: the models have ${own} and ${others}.`, {
      help: 'Give a model and the one that it was tuned from.',
    });
  }
}

/** What must be the same, in words. */
const sizes: readonly ((of: Model['architecture']) => string)[] = [
  ({ layerCount, width }) => `${layerCount} layers of width ${width}`,
  ({ mlpWidth }) => `${formatCount(mlpWidth)} neurons in a layer`,
  ({ vocabularySize }) => `${formatCount(vocabularySize)} tokens in their vocabularies`,
];

/**
 * The share of all neurons that differ most; of equal ones the smaller layer, then the smaller
 * neuron, comes first.
 *
 * @throws {ConfigError} for a share outside of 0..1.
 */
export function topNeurons(scores: readonly Float64Array[], share: number): NeuronId[] {
  if (!(share >= 0 && share <= 1)) {
    throw new ConfigError(`sahara/neurons: share is ${share}, allowed is 0 to 1.`);
  }
  const all = scores.flatMap((row, layer) =>
    Array.from(row, (score, neuron) => ({ layer, neuron, score })),
  );
  return all
    .toSorted((a, b) => b.score - a.score)
    .slice(0, Math.round(share * all.length))
    .map(({ layer, neuron }) => ({ layer, neuron }));
}
