import { type IndexRange, indexError } from '../ops/index-range.js';
import type { tf } from '../tfjs.js';
import { type KernelCall, sizeOf } from './call.js';

/** Throws a `DataError` for the first index of a tensor outside the range. */
export function checkIndexTensor(
  call: KernelCall,
  indices: tf.TensorInfo,
  range: IndexRange,
): void {
  const count = sizeOf(indices.shape);
  const address = call.address(indices);
  const position = call.run('find_outside', count, address, range.low, range.high);
  if (position < 0) return;
  const value = call.kernels.memory.ints(address, count)[position] as number;
  throw indexError(range, position, value);
}
