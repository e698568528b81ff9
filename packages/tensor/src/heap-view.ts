import { activeKernels } from './active-kernels.js';
import type { tf } from './tfjs.js';

/**
 * The numbers of a float tensor where they stand in the memory of our kernels; null where they are
 * elsewhere. Valid until the next allocation.
 */
export function heapView(tensor: tf.Tensor): Float32Array | null {
  const kernels = activeKernels();
  if (kernels === null) return null;
  const { memory } = kernels;
  return memory.floats(memory.addressOf(tensor), tensor.size);
}
