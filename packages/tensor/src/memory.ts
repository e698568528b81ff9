import { BackendError, formatBytes } from '@lab/core';
import { tf } from './tfjs.js';
import type { WasmMemory } from './webassembly.js';

/** What tensors and the wasm heap hold at this moment, and the largest seen so far. */
export interface MemoryReport {
  /** Tensors alive. */
  tensorCount: number;
  /** Bytes of their values. */
  tensorBytes: number;
  /** Size of the wasm heap, bytes (it never shrinks); 0 on other backends. */
  heapBytes: number;
  /** Largest number of bytes allocated at one time in the wasm heap. */
  peakHeapBytes?: number;
  /** Largest single buffer allocated in the wasm heap, bytes. */
  largestAllocationBytes: number;
}

/** Bytes that a wasm heap can hold at most. */
export const WASM_HEAP_LIMIT_BYTES = 2 ** 32;

/** Largest single buffer: addresses inside one are signed 32-bit offsets. */
const BUFFER_LIMIT_BYTES = 2 ** 31 - 65536;

/** Room that the stock kernels need for their own bookkeeping; they abort without it. */
const RESERVE_BYTES = 65536;

interface AllocatingBackend {
  wasm: {
    asm: { memory: WasmMemory };
    _malloc(bytes: number): number;
    _free(pointer: number): void;
  };
}

const record = { liveBytes: 0, peakBytes: 0, largestBytes: 0 };
let heap: WasmMemory | undefined;
const watched = new WeakSet<object>();

function heapError(bytes: number, memory: WasmMemory): BackendError {
  const heapBytes = memory.buffer.byteLength;
  return new BackendError(
    `tensor: the wasm heap cannot hold another ${formatBytes(bytes)}: ` +
      `${formatBytes(record.liveBytes)} are in use, it has grown to ${formatBytes(heapBytes)} ` +
      `of ${formatBytes(WASM_HEAP_LIMIT_BYTES)}, and one tensor takes at most 2.1 GB.`,
    {
      help: 'Use smaller batches, recompute or hostMatMul, or the backend tensorflow (no limit).',
      details: { bytes, liveBytes: record.liveBytes, heapBytes, limit: WASM_HEAP_LIMIT_BYTES },
    },
  );
}

/**
 * Makes every allocation of a wasm backend counted and checked: an allocation that does not fit
 * throws a {@link BackendError} with the sizes, where the stock backend would write to address 0.
 */
export function watchAllocations(backend: AllocatingBackend): void {
  const { wasm } = backend;
  if (watched.has(wasm)) return;
  watched.add(wasm);
  const { memory } = wasm.asm;
  heap = memory;
  wasm._free(wasm._malloc(16)); // at their first call the stock functions replace themselves
  const malloc = wasm._malloc.bind(wasm);
  const free = wasm._free.bind(wasm);
  const sizes = new Map<number, number>();
  wasm._malloc = (bytes) => {
    if (bytes > BUFFER_LIMIT_BYTES) throw heapError(bytes, memory);
    const pointer = malloc(bytes) >>> 0;
    const reserve = bytes > RESERVE_BYTES ? malloc(RESERVE_BYTES) : pointer;
    if (reserve !== pointer && reserve !== 0) free(reserve);
    if ((pointer === 0 || reserve === 0) && bytes > 0) {
      if (pointer !== 0) free(pointer);
      throw heapError(bytes, memory);
    }
    sizes.set(pointer, bytes);
    record.liveBytes += bytes;
    record.peakBytes = Math.max(record.peakBytes, record.liveBytes);
    record.largestBytes = Math.max(record.largestBytes, bytes);
    return pointer;
  };
  wasm._free = (pointer) => {
    record.liveBytes -= sizes.get(pointer >>> 0) ?? 0;
    sizes.delete(pointer >>> 0);
    free(pointer);
  };
}

/**
 * The present use of memory, with the peaks since the last {@link resetAllocationRecord}.
 *
 * On wasm every buffer that a kernel of tfjs or of ours asks for is counted, whether or not it
 * became a tensor; on other backends only `tensorCount` and `tensorBytes` are known.
 */
export function memoryReport(): MemoryReport {
  const { numTensors, numBytes } = tf.memory();
  const report = { tensorCount: numTensors, tensorBytes: numBytes };
  if (heap === undefined) return { ...report, heapBytes: 0, largestAllocationBytes: 0 };
  return {
    ...report,
    heapBytes: heap.buffer.byteLength,
    peakHeapBytes: record.peakBytes,
    largestAllocationBytes: record.largestBytes,
  };
}

/** Starts the peaks of {@link memoryReport} anew from what is allocated now. */
export function resetAllocationRecord(): void {
  record.peakBytes = record.liveBytes;
  record.largestBytes = 0;
}
