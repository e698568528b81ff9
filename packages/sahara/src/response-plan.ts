/**
 * What responses will take, before any is made.
 */
import { estimateRun, type LoadModelOptions, readModelConfig } from '@lab/transformer';
import { type ResponseOptions, sampleCount } from './generation.js';

/** What is to be generated. */
export interface ResponseOutline
  extends LoadModelOptions,
    Pick<ResponseOptions, 'decoding' | 'maxNewTokens' | 'maxRows' | 'samples'> {
  readonly armCount: number;
  /** Tokens of each prompt. */
  readonly promptTokens: readonly number[];
}

/** What it is expected to take. */
export interface ResponsePlan {
  readonly responseCount: number;
  /** New tokens, where no response ends by itself. */
  readonly mostTokens: number;
  /** Time for so many, loading counted. */
  readonly hours: number;
  /** Bytes at the peak, weights, keys and values. */
  readonly peakBytes: number;
  readonly residency: string;
}

/**
 * Expected time and memory of responses, on the backend in use: two blocks are run on a prompt of
 * mean length and on a step of all rows; the rest is counted. An upper bound, as most responses end
 * before their last token.
 *
 * @throws {ModelError} as `loadModel`.
 */
export async function planResponses(
  folder: string,
  outline: ResponseOutline,
): Promise<ResponsePlan> {
  const { armCount, promptTokens, maxNewTokens = 128, maxRows = 8 } = outline;
  const { residency, budgetBytes } = outline;
  const responseCount = armCount * promptTokens.length * sampleCount(outline);
  const sum = promptTokens.reduce((total, count) => total + count, 0);
  const length = Math.max(1, Math.round(sum / Math.max(promptTokens.length, 1)));
  const rows = Math.max(1, Math.min(maxRows, responseCount));
  const estimate = (batchSize: number, tokens: number) =>
    estimateRun(folder, {
      ...{ residency, budgetBytes, logits: 'last', batches: [{ batchSize, length: tokens }] },
    });
  const [prompt, step] = [await estimate(1, length), await estimate(rows, 1)];
  const steps = Math.ceil(responseCount / rows) * maxNewTokens;
  const { layerCount, keyValueHeadCount, headWidth } = readModelConfig(folder).architecture;
  const longest = promptTokens.reduce((most, count) => Math.max(most, count), 0) + maxNewTokens;
  const kept = rows * longest * 2 * 4 * layerCount * keyValueHeadCount * headWidth;
  const seconds = responseCount * prompt.runSeconds + steps * step.runSeconds;
  return {
    responseCount,
    mostTokens: responseCount * maxNewTokens,
    hours: (prompt.loadSeconds + seconds) / 3600,
    peakBytes: Math.max(prompt.peakBytes, step.peakBytes) + kept,
    residency: prompt.residency,
  };
}
