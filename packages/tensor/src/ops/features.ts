import { ShapeError } from '@lab/core';
import { assertDtype } from '../shape.js';
import type { tf } from '../tfjs.js';

/**
 * The size D of the last axis of float32 values.
 *
 * @throws {ShapeError} when `x` has no axis or is not float32.
 */
export function assertFeatures(x: tf.TensorInfo, name = 'x'): { D: number } {
  assertDtype(x, 'float32', name);
  const width = x.shape.at(-1);
  if (width !== undefined) return { D: width };
  throw new ShapeError(`tensor: ${name} is a scalar, expected [..., D].`, {
    expected: '[..., D]',
    got: '[]',
    help: `Pass ${name} with at least one axis.`,
  });
}
