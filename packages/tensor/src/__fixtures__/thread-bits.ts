import { expect } from 'vitest';
import { tf } from '../index.js';
import { activeKernels } from '../active-kernels.js';

/** The bytes of the tensors of `f`, which are freed. */
export function bytesOf(f: () => tf.Tensor[]): Buffer[] {
  const tensors = f();
  const bytes = tensors.map((x) => {
    const values = x.dataSync();
    return Buffer.from(values.slice().buffer);
  });
  tf.dispose(tensors);
  return bytes;
}

/** Expects the tensors of `f` to have the same bits with one thread and with three; on wasm. */
export async function expectSameBits(f: () => tf.Tensor[]): Promise<void> {
  const kernels = activeKernels();
  if (kernels === null) throw new Error('The bits are compared on wasm.');
  try {
    kernels.useThreads(1);
    const alone = bytesOf(f);
    kernels.useThreads(3);
    // The workers come up while the main thread works on: ask again until they take part.
    for (let round = 0; round < 5; round += 1) {
      const shared = bytesOf(f);
      shared.forEach((bytes, i) => expect(bytes.equals(alone[i] as Buffer)).toBe(true));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  } finally {
    kernels.useThreads(1);
  }
}
