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
  const { memory } = call.kernels.backend.wasm.asm;
  const value = new Int32Array(memory.buffer, address, count)[position] as number;
  throw indexError(range, position, value);
}
