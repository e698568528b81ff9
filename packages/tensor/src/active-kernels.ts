import type { KernelModule, KernelRunner } from './kernel-module.js';
import { operationRunner } from './native/operation-kernels.js';
import { tf } from './tfjs.js';
import { type TensorflowBackend, tensorflowKernels } from './native/tensorflow-backend.js';
import { kernelsOf, type WasmBackend } from './wasm-backend.js';

/**
 * Our kernels where the present backend's tensors are in the memory of this process, else null: ops
 * compose stock operations.
 */
export function activeKernels(): KernelModule | null {
  const name = tf.getBackend();
  if (name === 'wasm') return kernelsOf(tf.backend() as unknown as WasmBackend);
  if (name !== 'tensorflow') return null;
  return tensorflowKernels(tf.backend() as unknown as TensorflowBackend);
}

/**
 * What runs our registered kernels on the present backend, on a GPU too; null where there are none.
 * It serves one call: its addresses mean nothing to another.
 */
export function kernelRunner(): KernelRunner | null {
  const kernels = activeKernels();
  if (kernels !== null || tf.getBackend() !== 'tensorflow') return kernels;
  return operationRunner(tf.backend() as unknown as TensorflowBackend);
}
