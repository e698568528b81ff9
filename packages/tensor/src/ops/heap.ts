import type { AddressForm, KernelModule } from '../kernel-module.js';

/** An array in the memory of the kernels. Take the view anew after anything that may allocate. */
export interface HeapArray<T> {
  /** Byte address of element `index`, 0 by default. */
  at(index?: number): number;
  view(): T;
}

/** Arrays in the memory of the kernels that live until {@link Heap.free}. */
export interface Heap {
  readonly addresses: AddressForm;
  floats(length: number, fill?: number): HeapArray<Float32Array>;
  ints(length: number, fill?: number): HeapArray<Int32Array>;
  free(): void;
}

/** Arrays in the memory of the kernels, freed together; no room is a `BackendError`. */
export function createHeap({ memory }: KernelModule): Heap {
  const addresses: number[] = [];
  const allocate = (length: number): number => {
    const address = memory.allocate(Math.max(length, 1) * 4);
    addresses.push(address);
    return address;
  };
  return {
    addresses: memory.addresses,
    floats(length, fill) {
      const address = allocate(length);
      const view = () => memory.floats(address, length);
      if (fill !== undefined) view().fill(fill);
      return { at: (index = 0) => address + 4 * index, view };
    },
    ints(length, fill) {
      const address = allocate(length);
      const view = () => memory.ints(address, length);
      if (fill !== undefined) view().fill(fill);
      return { at: (index = 0) => address + 4 * index, view };
    },
    free() {
      for (const address of addresses.splice(0)) memory.free(address);
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
