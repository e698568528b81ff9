/**
 * What is to be run, and what of a model that takes.
 */
import { type OptionFields, optionFields } from '@lab/core';
import { z } from 'zod';
import type { Architecture } from './architecture.js';
import type { Checkpoint } from './weights/checkpoint.js';
import { chosenResidency, loadFields, type LoadModelOptions } from './weights/residency.js';
import { weightSizes } from './weights/weight-sizes.js';

/** A batch of texts by its size. */
export interface BatchShape {
  readonly batchSize: number;
  /** Tokens of each text. */
  readonly length: number;
}

/** What is to be run. */
export interface RunOutline extends LoadModelOptions {
  readonly batches: readonly BatchShape[];
  /**
   * Whether all batches go through a block before the next one is read, as {@link hiddenStates}
   * does it, or each through the whole model; default `blocks`.
   */
  readonly order?: 'batches' | 'blocks' | undefined;
  /** Block before which passes end; default all run. */
  readonly stopBlock?: number | undefined;
  /** Logits of all tokens, of the last of each text, or none. Default `all`. */
  readonly logits?: 'all' | 'last' | 'none' | undefined;
  /** How often logits are made of a batch: once (default), or behind every block for a lens. */
  readonly outputs?: number | undefined;
  /** Bytes of what the caller keeps of a pass, logits of its batches apart; default 0. */
  readonly keptBytes?: number | undefined;
  /** Ends an estimate between two of its measurements. */
  readonly signal?: AbortSignal | undefined;
}

const { count, signal } = optionFields;

/** What a {@link RunOutline} may be. */
export const outlineSchema = z.strictObject({
  ...loadFields,
  batches: z.array(z.strictObject({ batchSize: z.int().min(1), length: z.int().min(1) })).min(1),
  order: z.enum(['batches', 'blocks']).optional(),
  stopBlock: count.optional(),
  logits: z.enum(['all', 'last', 'none']).optional(),
  outputs: count.optional(),
  keptBytes: count.optional(),
  signal,
} satisfies OptionFields<RunOutline>);

/** Tokens of a batch that logits are made of at once. */
export function outputRows(
  { batchSize, length }: BatchShape,
  { logits = 'all' }: Pick<RunOutline, 'logits'>,
): number {
  return logits === 'none' ? 0 : logits === 'last' ? batchSize : batchSize * length;
}

/** Operations of one block on a batch: products with weights, then scores and their sums. */
export function blockOperations(
  architecture: Architecture,
  { batchSize, length }: BatchShape,
): number {
  const { width, headCount, keyValueHeadCount, headWidth, mlpWidth, isGated } = architecture;
  const heads = (2 * headCount + 2 * keyValueHeadCount) * headWidth;
  const weights = width * heads + (isGated ? 3 : 2) * width * mlpWidth;
  const shape = { batchSize, length };
  return 2 * batchSize * length * weights + mixingOperations(architecture, shape);
}

/** Of those of a block the scores and their sums. */
export const mixingOperations = (
  { headCount, headWidth }: Pick<Architecture, 'headCount' | 'headWidth'>,
  { batchSize, length }: BatchShape,
): number => 4 * batchSize * length * length * headCount * headWidth;

/** Multiplications and additions of a pass over a batch. */
export function operationsOf(
  architecture: Architecture,
  shape: BatchShape,
  logits: RunOutline['logits'] = 'all',
): number {
  return outlineOperations(architecture, { batches: [shape], logits });
}

/** As {@link operationsOf}, of all that is to be run. */
export function outlineOperations(architecture: Architecture, outline: RunOutline): number {
  const { width, vocabularySize, layerCount } = architecture;
  const { batches, stopBlock = layerCount, outputs = 1 } = outline;
  return batches.reduce((sum, shape) => {
    const output = 2 * outputs * outputRows(shape, outline) * width * vocabularySize;
    return sum + stopBlock * blockOperations(architecture, shape) + output;
  }, 0);
}

/** How often all blocks are gone through. */
export const passCount = ({ order, batches }: RunOutline): number =>
  order === 'batches' ? batches.length : 1;

/**
 * Bytes that are read from the files, all in all.
 *
 * @throws {ConfigError} where weights do not fit the budget.
 */
export function outlineReadBytes(files: Checkpoint, outline: RunOutline): number {
  if (chosenResidency(files, outline) !== 'streamed') return files.sizeBytes;
  const { blocks } = weightSizes(files);
  const { batches, outputs = 1, logits } = outline;
  const made = logits === 'none' ? 0 : outputs * batches.length;
  return passCount(outline) * blocks.stored + made * (files.sizeBytes - blocks.stored);
}
