import { type KernelModule, kernelsOf, type WasmBackend } from '../wasm-backend.js';
import { tf } from '../tfjs.js';

/** Our kernels when the present backend is wasm, else null: the op composes stock operations. */
export function activeKernels(): KernelModule | null {
  if (tf.getBackend() !== 'wasm') return null;
  return kernelsOf(tf.backend() as unknown as WasmBackend);
}

/** An array in the wasm heap. Take the view anew after anything that may allocate. */
export interface HeapArray<T> {
  /** Byte address of element `index`, 0 by default. */
  at(index?: number): number;
  view(): T;
}

/** Arrays in the wasm heap that live until {@link Heap.free}. */
export interface Heap {
  floats(length: number, fill?: number): HeapArray<Float32Array>;
  ints(length: number, fill?: number): HeapArray<Int32Array>;
  free(): void;
}

/** A set of arrays in the wasm heap, freed together; allocation failures are BackendErrors. */
export function createHeap({ backend }: KernelModule): Heap {
  const addresses: number[] = [];
  const allocate = (length: number): number => {
    const address = backend.wasm._malloc(Math.max(length, 1) * 4) >>> 0;
    addresses.push(address);
    return address;
  };
  const buffer = () => backend.wasm.asm.memory.buffer;
  return {
    floats(length, fill) {
      const address = allocate(length);
      const view = () => new Float32Array(buffer(), address, length);
      if (fill !== undefined) view().fill(fill);
      return { at: (index = 0) => address + 4 * index, view };
    },
    ints(length, fill) {
      const address = allocate(length);
      const view = () => new Int32Array(buffer(), address, length);
      if (fill !== undefined) view().fill(fill);
      return { at: (index = 0) => address + 4 * index, view };
    },
    free() {
      for (const address of addresses.splice(0)) backend.wasm._free(address);
    },
  };
}

/** What `body` returns; its heap arrays are freed also when it throws. */
export function withHeap<T>(kernels: KernelModule, body: (heap: Heap) => T): T {
  const heap = createHeap(kernels);
  try {
    return body(heap);
  } finally {
    heap.free();
  }
}
