import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { BackendError } from '@lab/core';
import { watchAllocations } from './memory.js';
import type { tf } from './tfjs.js';
import { withSharedMemory } from './shared-module.js';
import { availableThreads } from './thread-count.js';
import { type BlockWork, ThreadPool, type ThreadRegion } from './thread-pool.js';
import { type WasmMemory, webAssembly } from './webassembly.js';

/** The part of tfjs-backend-wasm that our kernels work with. */
export interface WasmBackend {
  readonly wasm: {
    asm: { memory: WasmMemory };
    _malloc(bytes: number): number;
    _free(pointer: number): void;
  };
  readonly dataIdMap: { get(dataId: object): { memoryOffset: number } };
  makeOutput(shape: readonly number[], dtype: tf.DataType): tf.TensorInfo;
  disposeData(dataId: object): boolean;
  /** How many tensors share the values, and one more that does. */
  refCount(dataId: object): number;
  incRef(dataId: object): void;
}

/** Our compiled kernels, bound to the memory of one wasm backend. */
export interface KernelModule {
  readonly backend: WasmBackend;
  readonly simd: 'relaxed' | 'plain';
  /** Threads that share the blocks of a kernel. */
  readonly threads: number;
  /** Calls an exported kernel on this thread. */
  call(name: string, ...values: number[]): number;
  /** Calls `kernel(begin, end, scratch, ...values)` for all blocks of the work, on all threads. */
  callBlocks(work: BlockWork, ...values: number[]): void;
  /** Shares blocks among that many threads from now on; 1 where the memory cannot be shared. */
  useThreads(threads: number): void;
}

const STACK_BYTES = 65536;
/** Most threads of one pool. */
const MOST_THREADS = 256;
let bound = new WeakMap<object, KernelModule>();
let isPlainForced = false;
let compiled: { module: object; simd: 'relaxed' | 'plain'; isShared: boolean } | undefined;

function readKernels(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`./kernels/${name}`, import.meta.url)));
}

/** Whether the engine takes relaxed SIMD; Node 20 does after a flag that Node 22 has no more. */
function acceptsRelaxed(bytes: Uint8Array): boolean {
  if (webAssembly.validate(bytes)) return true;
  if (Number.parseInt(process.versions.node, 10) >= 22) return false;
  setFlagsFromString('--experimental-wasm-relaxed-simd');
  return webAssembly.validate(bytes);
}

/**
 * The compiled kernels: the relaxed-SIMD build where the engine accepts it, else the plain one.
 *
 * Without its baseline compiler the engine optimises the module at once; otherwise a kernel that
 * is called a few times, with long loops inside, would stay in slow code.
 *
 * @param isShared - whether the memory that they will work on is shared among threads.
 */
export function compileKernels(isShared: boolean): NonNullable<typeof compiled> {
  if (compiled?.isShared === isShared) return compiled;
  const relaxed = readKernels('relaxed-simd.wasm');
  const isRelaxed = !isPlainForced && acceptsRelaxed(relaxed);
  const plain = isRelaxed ? relaxed : readKernels('simd.wasm');
  const bytes = (isShared ? withSharedMemory(plain) : null) ?? plain;
  setFlagsFromString('--no-liftoff');
  try {
    const module = new webAssembly.Module(bytes);
    compiled = { module, simd: isRelaxed ? 'relaxed' : 'plain', isShared };
  } finally {
    setFlagsFromString('--liftoff');
  }
  return compiled;
}

/** A stack and a scratch region in the heap of the backend. */
function allocateThread(backend: WasmBackend, scratchBytes: number): ThreadRegion {
  const region = backend.wasm._malloc(STACK_BYTES + scratchBytes + 32) >>> 0;
  const start = (region + 15) & ~15;
  const stack = (start + STACK_BYTES) >>> 0;
  return { region, stack, scratch: stack };
}

function bindKernels(backend: WasmBackend): KernelModule {
  watchAllocations(backend);
  const { memory } = backend.wasm.asm;
  const isShared = memory.buffer instanceof SharedArrayBuffer;
  const { module, simd } = compileKernels(isShared);
  const { exports } = new webAssembly.Instance(module, { env: { memory } });
  const call = (name: string, ...values: number[]): number => {
    const kernel = exports[name];
    if (typeof kernel === 'function') return kernel(...values);
    throw new BackendError(`tensor: there is no kernel "${name}".`);
  };
  const scratchBytes = call('gemm_scratch_bytes');
  const { stack, scratch } = allocateThread(backend, scratchBytes);
  const stackPointer = exports['__stack_pointer'];
  if (typeof stackPointer === 'object') stackPointer.value = stack;
  const most = isShared ? MOST_THREADS : 1;
  const parts = { module, memory, exports, scratch };
  const startPool = (threads: number): ThreadPool =>
    new ThreadPool({
      ...parts,
      threads: Math.max(1, Math.min(threads, most)),
      allocateThread: () => allocateThread(backend, scratchBytes),
      freeThread: ({ region }) => backend.wasm._free(region),
    });
  let pool = startPool(availableThreads());
  return {
    ...{ backend, simd, call },
    get threads() {
      return pool.threads;
    },
    callBlocks: (work, ...values) => pool.run(work, values),
    useThreads(threads) {
      if (threads === pool.threads) return;
      pool.close();
      pool = startPool(threads);
    },
  };
}

/**
 * Has the build for plain SIMD used from now on, or again the best one that the engine takes.
 *
 * An internal switch, for tests and comparisons; the kernels are bound anew to the same heap.
 */
export function forcePlainSimd(isForced: boolean): void {
  if (isForced === isPlainForced) return;
  isPlainForced = isForced;
  compiled = undefined;
  bound = new WeakMap();
}

/** Our kernels on the given wasm backend: bound at the first call, the same object afterwards. */
export function kernelsOf(backend: WasmBackend): KernelModule {
  let kernels = bound.get(backend);
  if (kernels === undefined) {
    kernels = bindKernels(backend);
    bound.set(backend, kernels);
  }
  return kernels;
}

/** Byte address of a tensor's values in the wasm heap. */
export function addressOf(kernels: KernelModule, tensor: tf.TensorInfo): number {
  return kernels.backend.dataIdMap.get(tensor.dataId).memoryOffset;
}
