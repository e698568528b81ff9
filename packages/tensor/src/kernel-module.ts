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

/** The tensors that kernels work on and room beside them; addresses are numbers, 0 is none. */
export interface TensorMemory {
  /** A region of that many bytes; throws a `BackendError` when there is no room. */
  allocate(bytes: number): number;
  free(address: number): void;
  /** The integers of an allocated region or of a tensor, to be read at once. */
  ints(address: number, length: number): Int32Array;
  /** Address of the values of a tensor; so many bytes more is the address of another value. */
  addressOf(tensor: tf.TensorInfo): number;
  /** A new tensor with undefined values. */
  output(shape: readonly number[], dtype: tf.DataType): tf.TensorInfo;
  /** The values of a tensor once more, under another shape. */
  alias(tensor: tf.TensorInfo, shape: readonly number[]): tf.TensorInfo;
  dispose(tensor: tf.TensorInfo): void;
  /** How many tensors share the values. */
  refCount(tensor: tf.TensorInfo): number;
  /** Tells the backend, where it must know, that values which may have been read were changed. */
  tellChanged?(tensor: tf.TensorInfo): void;
}

/** The memory that kernels read and write where this process can; addresses are bytes in it. */
export interface KernelMemory extends TensorMemory {
  readonly addresses: AddressForm;
  /** Whether several threads of JavaScript can see it. */
  readonly isShared: boolean;
  /** The values of an allocated region or of a tensor; valid until something is allocated. */
  floats(address: number, length: number): Float32Array;
  ints(address: number, length: number): Int32Array;
}

/** Bits that products work on at a time. */
export type VectorBits = 128 | 256;

/** A product of two matrices, of inner size `k`: how they lie, and the shape of the result. */
export interface ProductForm {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly shape: readonly number[];
}

/** What runs our kernels on the tensors of a backend. */
export interface KernelRunner {
  readonly memory: TensorMemory;
  /** Threads that share the blocks of a kernel. */
  readonly threads: number;
  /** Most blocks of a kernel whose blocks have partial sums of their own. */
  readonly mostParts: number;
  /** Calls an exported kernel. */
  call(name: string, ...values: number[]): number;
  /** Calls `kernel(begin, end, scratch, ...values)` for all blocks of the work, on all threads. */
  callBlocks(work: BlockWork, ...values: number[]): void;
  /** The backend's own product of matrices, where ours does not run. */
  product?(a: tf.TensorInfo, b: tf.TensorInfo, form: ProductForm): tf.TensorInfo;
}

/** Our compiled kernels, bound to the memory of one backend. */
export interface KernelModule extends KernelRunner {
  readonly memory: KernelMemory;
  /** The build: wasm for relaxed or plain SIMD, or machine code. */
  readonly simd: 'relaxed' | 'plain' | 'native';
  /** Bits that wasm products work on at a time; null for machine code. */
  readonly vectorBits: VectorBits | null;
  /** Shares blocks among that many threads from now on; 1 where the memory cannot be shared. */
  useThreads(threads: number): void;
}

/** Most parts of a sum on a processor; few, as they are added by one thread. */
export const MOST_PARTS = 64;

/** Address of a tensor's values. */
export function addressOf(kernels: KernelRunner, tensor: tf.TensorInfo): number {
  return kernels.memory.addressOf(tensor);
}
