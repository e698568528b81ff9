/**
 * Prompts as batches of like length, filled up on the left.
 */
import { type LengthBatch, lengthBatches, type Model, passRules } from '@lab/transformer';
import type { TokenPrompt } from '../head-outputs.js';

/**
 * Batches of at most so many tokens, padding counted, each for a pass through the whole model;
 * longer prompts stand alone.
 *
 * @param batchTokens - default 1024.
 */
export function batchedPrompts(
  model: Pick<Model, 'architecture' | 'residency'>,
  prompts: readonly TokenPrompt[],
  batchTokens = 1024,
): LengthBatch[] {
  const texts = prompts.map(({ ids }) => ids);
  return lengthBatches(texts, passRules(model, batchTokens));
}
