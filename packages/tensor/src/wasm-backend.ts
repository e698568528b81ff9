import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { BackendError } from '@lab/core';
import { watchAllocations } from './memory.js';
import type { tf } from './tfjs.js';
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
  /** Start of the scratch region that `gemm` and the other kernels may use between calls. */
  readonly scratch: number;
  /** Calls an exported kernel. */
  call(name: string, ...values: number[]): number;
}

const STACK_BYTES = 65536;
const bound = new WeakMap<object, KernelModule>();
let compiled: { module: object; simd: 'relaxed' | 'plain' } | undefined;

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
 */
export function compileKernels(): NonNullable<typeof compiled> {
  if (compiled !== undefined) return compiled;
  const relaxed = readKernels('relaxed-simd.wasm');
  const isRelaxed = acceptsRelaxed(relaxed);
  const bytes = isRelaxed ? relaxed : readKernels('simd.wasm');
  setFlagsFromString('--no-liftoff');
  try {
    compiled = { module: new webAssembly.Module(bytes), simd: isRelaxed ? 'relaxed' : 'plain' };
  } finally {
    setFlagsFromString('--liftoff');
  }
  return compiled;
}

function bindKernels(backend: WasmBackend): KernelModule {
  watchAllocations(backend);
  const { module, simd } = compileKernels();
  const { memory } = backend.wasm.asm;
  const { exports } = new webAssembly.Instance(module, { env: { memory } });
  const call = (name: string, ...values: number[]): number => {
    const kernel = exports[name];
    if (typeof kernel === 'function') return kernel(...values);
    throw new BackendError(`tensor: there is no kernel "${name}".`);
  };
  const scratchBytes = call('gemm_scratch_bytes');
  const region = backend.wasm._malloc(STACK_BYTES + scratchBytes + 32) >>> 0;
  const start = (region + 15) & ~15;
  const stackPointer = exports['__stack_pointer'];
  if (typeof stackPointer === 'object') stackPointer.value = start + STACK_BYTES;
  const scratch = (start + STACK_BYTES) >>> 0;
  return { backend, simd, scratch, call };
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
