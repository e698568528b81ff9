/**
 * Whether what a pass is given fits its model.
 */
import { ConfigError, DataError, ShapeError } from '@lab/core';
import type { tf } from '@lab/tensor';
import type { Architecture } from './architecture.js';
import type { ForwardInput } from './model.js';
import type { TokenBatch } from './positions.js';

/**
 * Refuses positions, residuals and outputs of heads that a model cannot take.
 *
 * @throws {DataError} for positions behind the last that is learned.
 * @throws {ShapeError} for tensors of another shape.
 * @throws {ConfigError} for a start behind the embedding without a residual.
 */
export function assertFits(
  { width, positions: rules, headCount, headWidth }: Architecture,
  { batchSize, length, longest, arePositionsGiven }: TokenBatch,
  { residual, headOutputs, startBlock = 0 }: ForwardInput,
): void {
  if (headOutputs !== undefined) {
    assertShapeOf('headOutputs', headOutputs, [batchSize, length, headCount, headWidth]);
  }
  if (residual !== undefined) {
    // It has its positions.
    assertShapeOf('residual', residual, [batchSize, length, width]);
    return;
  }
  if (rules.kind === 'learned' && longest > rules.count) {
    const [what, help] = arePositionsGiven
      ? [`positions go to ${longest - 1}`, `Give positions from 0 to ${rules.count - 1}.`]
      : [`a text has ${longest} tokens`, 'Cut the text, or split it.'];
    throw new DataError(`transformer/forward: ${what}, this model has ${rules.count} places.`, {
      help,
    });
  }
  if (startBlock === 0) return;
  throw new ConfigError(`transformer/forward: startBlock ${startBlock} needs a residual.`, {
    help: 'Give what a pass with stopBlock gave.',
  });
}

function assertShapeOf(name: string, value: tf.Tensor, wanted: readonly number[]): void {
  const [shape, expected] = [value.shape.join(', '), wanted.join(', ')];
  if (shape === expected) return;
  throw new ShapeError(`transformer/forward: ${name} must be [${expected}], got [${shape}].`, {
    expected: `[${expected}]`,
    got: `[${shape}]`,
  });
}
