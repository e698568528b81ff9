import type { KernelModule } from './kernel-module.js';
import { tf } from './tfjs.js';
import { kernelsOf, type WasmBackend } from './wasm-backend.js';

/** Our kernels where the present backend has them, else null: ops compose stock operations. */
export function activeKernels(): KernelModule | null {
  if (tf.getBackend() !== 'wasm') return null;
  return kernelsOf(tf.backend() as unknown as WasmBackend);
}
