import type { KernelModule } from './kernel-module.js';
import { tf } from './tfjs.js';
import { type TensorflowBackend, tensorflowKernels } from './native/tensorflow-backend.js';
import { kernelsOf, type WasmBackend } from './wasm-backend.js';

/** Our kernels where the present backend has them, else null: ops compose stock operations. */
export function activeKernels(): KernelModule | null {
  const name = tf.getBackend();
  if (name === 'wasm') return kernelsOf(tf.backend() as unknown as WasmBackend);
  if (name !== 'tensorflow') return null;
  return tensorflowKernels(tf.backend() as unknown as TensorflowBackend);
}
