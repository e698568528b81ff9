/**
 * What our kernels need from a backend: the memory of its tensors, and a way to call C.
 */
import type { BlockWork } from './thread-pool.js';
import type { tf } from './tfjs.js';

/** How C structs hold addresses: their size, and what is added to those of this memory. */
export interface AddressForm {
  readonly bytes: 4 | 8;
  readonly base: number;
}

/** The memory that kernels read and write; addresses are numbers of bytes in it, 0 is none. */
export interface KernelMemory {
  readonly addresses: AddressForm;
  /** Whether several threads of JavaScript can see it. */
  readonly isShared: boolean;
  /** A region of that many bytes; throws a `BackendError` when there is no room. */
  allocate(bytes: number): number;
  free(address: number): void;
  /** The values of an allocated region or of a tensor; valid until something is allocated. */
  floats(address: number, length: number): Float32Array;
  ints(address: number, length: number): Int32Array;
  /** Address of the values of a tensor. */
  addressOf(tensor: tf.TensorInfo): number;
  /** A new tensor with undefined values. */
  output(shape: readonly number[], dtype: tf.DataType): tf.TensorInfo;
  /** The values of a tensor once more, under another shape. */
  alias(tensor: tf.TensorInfo, shape: readonly number[]): tf.TensorInfo;
  dispose(tensor: tf.TensorInfo): void;
  /** How many tensors share the values. */
  refCount(tensor: tf.TensorInfo): number;
}

/** Bits that products work on at a time. */
export type VectorBits = 128 | 256;

/** Our compiled kernels, bound to the memory of one backend. */
export interface KernelModule {
  readonly memory: KernelMemory;
  /** The build: wasm for relaxed or plain SIMD, or machine code. */
  readonly simd: 'relaxed' | 'plain' | 'native';
  /** Bits that wasm products work on at a time; null for machine code. */
  readonly vectorBits: VectorBits | null;
  /** Threads that share the blocks of a kernel. */
  readonly threads: number;
  /** Calls an exported kernel on this thread. */
  call(name: string, ...values: number[]): number;
  /** Calls `kernel(begin, end, scratch, ...values)` for all blocks of the work, on all threads. */
  callBlocks(work: BlockWork, ...values: number[]): void;
  /** Shares blocks among that many threads from now on; 1 where the memory cannot be shared. */
  useThreads(threads: number): void;
}

/** Address of a tensor's values. */
export function addressOf(kernels: KernelModule, tensor: tf.TensorInfo): number {
  return kernels.memory.addressOf(tensor);
}
