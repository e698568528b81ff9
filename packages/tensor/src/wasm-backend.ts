import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { BackendError } from '@lab/core';
import { instantiateKernels, type KernelModules } from './kernels/instantiate.mjs';
import { named, optimiseTile } from './kernels/wide-tile.mjs';
import {
  type AddressForm,
  type KernelMemory,
  type KernelModule,
  MOST_PARTS,
  type VectorBits,
} from './kernel-module.js';
import { watchAllocations } from './memory.js';
import { type KernelAddon, nativeKernels, wantAddon, wantedAddon } from './native/kernel-addon.js';
import type { tf } from './tfjs.js';
import { withSharedMemory } from './shared-module.js';
import { availableThreads } from './thread-count.js';
import { ThreadPool, type ThreadRegion } from './thread-pool.js';
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

/** Both modules, how they were compiled, and for which memory. */
interface Compiled {
  readonly modules: KernelModules;
  readonly simd: 'relaxed' | 'plain';
  readonly vectorBits: VectorBits;
  readonly isShared: boolean;
}

const STACK_BYTES = 65536;
/** Most threads of one pool. */
const MOST_THREADS = 256;
let bound = new WeakMap<object, KernelModule>();
let latest: KernelModule | undefined;
let isPlainForced = false;
let wantedBits: VectorBits = 128;
let compiled: Compiled | undefined;

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

/** The bytes of a module that works on shared memory, or not. */
function moduleBytes(name: string, isShared: boolean): Uint8Array {
  const bytes = readKernels(name);
  return (isShared ? withSharedMemory(bytes) : null) ?? bytes;
}

/** The module of the tile that may be compiled for wider vectors. */
export const wideTileBytes = (): Uint8Array => moduleBytes('tile-relaxed-simd.wasm', true);

/**
 * The compiled kernels: the relaxed-SIMD build where the engine accepts it, else the plain one.
 *
 * @param isShared - whether the memory that they will work on is shared among threads.
 */
export function compileKernels(isShared: boolean): Compiled {
  if (compiled?.isShared === isShared) return compiled;
  const isRelaxed = !isPlainForced && acceptsRelaxed(readKernels('relaxed-simd.wasm'));
  const build = isRelaxed ? 'relaxed-simd.wasm' : 'simd.wasm';
  const vectorBits = isRelaxed && isShared ? wantedBits : 128;
  const tile = moduleBytes(`tile-${build}`, isShared);
  const modules = {
    kernels: new webAssembly.Module(moduleBytes(build, isShared)),
    tile: new webAssembly.Module(vectorBits === 256 ? named(tile) : tile),
  };
  compiled = { modules, simd: isRelaxed ? 'relaxed' : 'plain', vectorBits, isShared };
  return compiled;
}

/** The heap of the backend as kernels see it. */
function heapOf(backend: WasmBackend, addresses: AddressForm): KernelMemory {
  const { wasm } = backend;
  const buffer = () => wasm.asm.memory.buffer;
  return {
    ...{ addresses, isShared: buffer() instanceof SharedArrayBuffer },
    allocate: (bytes) => wasm._malloc(Math.max(bytes, 4)) >>> 0,
    free: (address) => wasm._free(address),
    floats: (address, length) => new Float32Array(buffer(), address, length),
    ints: (address, length) => new Int32Array(buffer(), address, length),
    addressOf: ({ dataId }) => backend.dataIdMap.get(dataId).memoryOffset,
    output: (shape, dtype) => backend.makeOutput([...shape], dtype),
    alias({ dataId, dtype }, shape) {
      backend.incRef(dataId);
      return { dataId, shape: [...shape], dtype };
    },
    dispose: ({ dataId }) => void backend.disposeData(dataId),
    refCount: ({ dataId }) => backend.refCount(dataId),
  };
}

/** A stack and a scratch region in the heap of the backend. */
function allocateThread(backend: WasmBackend, scratchBytes: number): ThreadRegion {
  const region = backend.wasm._malloc(STACK_BYTES + scratchBytes + 32) >>> 0;
  const start = (region + 15) & ~15;
  const stack = (start + STACK_BYTES) >>> 0;
  return { region, stack, scratch: stack };
}

/** Machine code of the same kernels on the heap: the same bits as the relaxed build, sooner. */
function bindNative(backend: WasmBackend, addon: KernelAddon): KernelModule {
  const { memory } = backend.wasm.asm;
  let heap = new Uint8Array(memory.buffer);
  const present = () => {
    if (heap.buffer !== memory.buffer) heap = new Uint8Array(memory.buffer);
    return heap;
  };
  const base = addon.addressOf(heap);
  return nativeKernels(addon, heapOf(backend, { bytes: 8, base }), present);
}

function bindKernels(backend: WasmBackend): KernelModule {
  watchAllocations(backend);
  const addon = wantedAddon();
  return addon === null ? bindWasm(backend) : bindNative(backend, addon);
}

function bindWasm(backend: WasmBackend): KernelModule {
  const { memory } = backend.wasm.asm;
  const isShared = memory.buffer instanceof SharedArrayBuffer;
  const { modules, simd, vectorBits } = compileKernels(isShared);
  const { exports, tile } = instantiateKernels(modules, memory);
  const call = (name: string, ...values: number[]): number => {
    const kernel = exports[name];
    if (typeof kernel === 'function') return kernel(...values);
    throw new BackendError(`tensor: there is no kernel "${name}".`);
  };
  const scratchBytes = call('gemm_scratch_bytes');
  const { stack, scratch } = allocateThread(backend, scratchBytes);
  const stackPointer = exports['__stack_pointer'];
  if (typeof stackPointer === 'object') stackPointer.value = stack;
  if (vectorBits === 256) optimiseTile(tile, scratch, true);
  const most = isShared ? MOST_THREADS : 1;
  const parts = { modules, memory, exports, scratch };
  const startPool = (threads: number): ThreadPool =>
    new ThreadPool({
      ...parts,
      threads: Math.max(1, Math.min(threads, most)),
      allocateThread: () => allocateThread(backend, scratchBytes),
      freeThread: ({ region }) => backend.wasm._free(region),
    });
  let pool = startPool(availableThreads());
  return {
    ...{
      memory: heapOf(backend, { bytes: 4, base: 0 }),
      simd,
      vectorBits,
      call,
      mostParts: MOST_PARTS,
    },
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
  unbindKernels();
}

/**
 * Has products work on that many bits at a time from now on, where the build allows it.
 *
 * For 256 the machine must have passed `checkVectors`; the kernels are bound anew.
 */
export function useVectors(bits: VectorBits): void {
  if (bits === wantedBits) return;
  wantedBits = bits;
  unbindKernels();
}

/** Has kernels run as that machine code from now on, or, with null, as wasm; bound anew. */
export function useAddon(addon: KernelAddon | null): void {
  if (addon === wantedAddon()) return;
  wantAddon(addon);
  unbindKernels();
}

/** Ends the threads of the kernels in use; the next call binds others. */
function unbindKernels(): void {
  latest?.useThreads(1);
  compiled = undefined;
  bound = new WeakMap();
}

/** Our kernels on the given wasm backend: bound at the first call, the same object afterwards. */
export function kernelsOf(backend: WasmBackend): KernelModule {
  let kernels = bound.get(backend);
  if (kernels === undefined) {
    kernels = bindKernels(backend);
    bound.set(backend, kernels);
    latest = kernels;
  }
  return kernels;
}
