import { DataError } from '@lab/core';
import { tf } from '../tfjs.js';
import { knownExtremes } from '../webgpu-guard.js';

/** The half-open range that indices must lie in, and what the message calls them. */
export interface IndexRange {
  readonly name: string;
  readonly low: number;
  readonly high: number;
}

/** The error for the index at `position`. */
export function indexError(range: IndexRange, position: number, value: number): DataError {
  return new DataError(
    `tensor: ${range.name}[${position}] is ${value}, outside ${range.low} .. ${range.high - 1}.`,
    { help: 'Check the index array against the number of rows it points into.' },
  );
}

/**
 * Throws a {@link DataError} for an index outside the range.
 *
 * For composed ops: cpu reads the values; webgpu knows the extremes of what came from the host,
 * and cannot see values that were computed. The wasm kernels check by themselves.
 */
export function checkIndices(indices: tf.Tensor, range: IndexRange): void {
  const isOutside = (value: number) => value < range.low || value >= range.high;
  const known = knownExtremes(indices.dataId);
  if (known !== undefined && isOutside(known.low)) throw indexError(range, known.lowAt, known.low);
  if (known !== undefined && isOutside(known.high)) {
    throw indexError(range, known.highAt, known.high);
  }
  if (tf.getBackend() !== 'cpu') return;
  const values = indices.dataSync();
  const position = values.findIndex(isOutside);
  if (position >= 0) throw indexError(range, position, values[position] as number);
}
