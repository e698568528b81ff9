import { DataError } from '@lab/core';
import { tf } from '../tfjs.js';

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
 * Throws a {@link DataError} for the first index outside the range.
 *
 * For composed ops on the cpu backend; the wasm kernels check by themselves, other backends
 * answer by their own rules.
 */
export function checkIndices(indices: tf.Tensor, range: IndexRange): void {
  if (tf.getBackend() !== 'cpu') return;
  const values = indices.dataSync();
  const position = values.findIndex((value) => value < range.low || value >= range.high);
  if (position >= 0) throw indexError(range, position, values[position] as number);
}
