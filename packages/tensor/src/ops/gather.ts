import { hasKernel, runSingle } from '../engine.js';
import { assertDtype, assertShape } from '../shape.js';
import { tf } from '../tfjs.js';
import { checkIndices } from './index-range.js';

/**
 * Rows of a matrix by index: `y_b = x_(indices_b)`; the gradient sums the rows back.
 *
 * @param x - `[N, D]`.
 * @param indices - int32 `[B]`, each in `0 .. N-1`; an index may occur many times.
 * @returns `[B, D]`.
 * @throws {ShapeError} for other ranks or types.
 * @throws {DataError} for an index out of range (on cpu and wasm).
 */
export function gatherRows(x: tf.Tensor2D, indices: tf.Tensor1D): tf.Tensor2D {
  const { N } = assertShape(x, 'N D') as { N: number };
  assertShape(indices, 'B', 'indices');
  assertDtype(x, 'float32', 'x');
  assertDtype(indices, 'int32', 'indices');
  if (hasKernel('LabGatherRows')) return runSingle('LabGatherRows', { x, indices });
  checkIndices(indices, { name: 'indices', low: 0, high: N });
  return tf.gather(x, indices);
}
