/**
 * How well it can be read from each head whether a prompt is of a class.
 */
import { createRandom, DataError, ShapeError } from '@lab/core';
import { fitLogistic } from '@lab/metrics';
import type { Model } from '@lab/transformer';
import type { TokenPrompt } from '../head-outputs.js';
import { batchedPrompts } from './batched-prompts.js';

/** How heads are probed. */
export interface ProbeHeadsOptions {
  /** Parts, each of which is predicted from the others; default 5. */
  readonly folds?: number | undefined;
  /** Weight of the squared coefficients; default 1. */
  readonly l2?: number | undefined;
  /** Of the parts. Default 1. */
  readonly seed?: number | undefined;
  readonly batchTokens?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Accuracy of a linear probe on the output of each head at the last token, on prompts that it was
 * not fitted on, `[L][H]`.
 *
 * A logistic regression on `z_i`, of d_h features; parts have both classes in equal shares.
 * Source: the baseline of Wei et al., Assessing the Brittleness of Safety Alignment, that ablates
 * the heads with the best probes. What can be read from a head is not what the model uses: beside
 * Ships it shows the difference.
 *
 * @param labels - 0 or 1 of each prompt, such as refused or not.
 * @throws {ShapeError} where labels are not one for each prompt.
 * @throws {DataError} where a class has fewer prompts than there are parts.
 */
export async function probeHeads(
  model: Model,
  prompts: readonly TokenPrompt[],
  labels: readonly (0 | 1)[],
  options: ProbeHeadsOptions = {},
): Promise<number[][]> {
  const { folds = 5, l2 = 1, seed = 1, signal, onProgress } = options;
  if (labels.length !== prompts.length) {
    throw new ShapeError(
      `sahara/probe-heads: ${labels.length} labels of ${prompts.length} prompts.`,
      {
        ...{ expected: prompts.length, got: labels.length },
      },
    );
  }
  const parts = foldsOf(labels, folds, seed);
  const outputs = await headOutputs(model, prompts, options);
  const { layerCount, headCount, headWidth } = model.architecture;
  const accuracies: number[][] = [];
  for (let layer = 0; layer < layerCount; layer += 1) {
    signal?.throwIfAborted();
    const rows = outputs[layer]!;
    accuracies.push(
      Array.from({ length: headCount }, (_, head) => {
        const own = rows.map((row) => row.subarray(head * headWidth, (head + 1) * headWidth));
        return crossAccuracy(own, labels, { parts, folds, l2 });
      }),
    );
    onProgress?.(layer + 1, layerCount);
  }
  return accuracies;
}

/** Part of each prompt: classes one after the other, in an order of their own. */
function foldsOf(labels: readonly (0 | 1)[], folds: number, seed: number): number[] {
  const random = createRandom(seed).fork('probe-heads');
  const parts = labels.map(() => 0);
  for (const label of [0, 1] as const) {
    const own = labels.flatMap((one, place) => (one === label ? [place] : []));
    if (own.length < folds || folds < 2) {
      throw new DataError(
        `sahara/probe-heads: ${own.length} prompts have the label ${label}, in ${folds} parts.`,
        { help: 'Give more prompts of each class, or fewer parts, at least 2.' },
      );
    }
    random
      .fork(`label-${label}`)
      .shuffle(own)
      .forEach((place, at) => {
        parts[place] = at % folds;
      });
  }
  return parts;
}

/** Outputs of all heads at the last token: by layer, then by prompt, `[H d_h]`. */
async function headOutputs(
  model: Model,
  prompts: readonly TokenPrompt[],
  { batchTokens, signal }: ProbeHeadsOptions,
): Promise<Float32Array[][]> {
  const { layerCount, headCount, headWidth } = model.architecture;
  const width = headCount * headWidth;
  const found = Array.from({ length: layerCount }, () => new Array<Float32Array>(prompts.length));
  for (const { ids, mask, places } of batchedPrompts(model, prompts, batchTokens)) {
    const result = await model.forward({
      ...{ ids, mask, signal, logits: 'none' },
      ...{ capture: /\.attn\.hook_z$/, capturePositions: 'last' },
    });
    result.dispose();
    for (let layer = 0; layer < layerCount; layer += 1) {
      const { data } = result.captured.get(`blocks.${layer}.attn.hook_z`)!;
      places.forEach((place, at) => {
        found[layer]![place] = data.slice(at * width, (at + 1) * width);
      });
    }
  }
  return found;
}

interface CrossOptions {
  readonly parts: readonly number[];
  readonly folds: number;
  readonly l2: number;
}

function crossAccuracy(
  rows: readonly Float32Array[],
  labels: readonly (0 | 1)[],
  { parts, folds, l2 }: CrossOptions,
): number {
  let right = 0;
  for (let fold = 0; fold < folds; fold += 1) {
    const isTrained = (_: unknown, at: number) => parts[at] !== fold;
    const model = fitLogistic(rows.filter(isTrained), labels.filter(isTrained), { l2 });
    rows.forEach((row, at) => {
      if (parts[at] !== fold) return;
      const isOne = model.probability(row) > 0.5;
      right += isOne === (labels[at] === 1) ? 1 : 0;
    });
  }
  return right / rows.length;
}
