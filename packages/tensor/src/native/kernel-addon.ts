import { createRequire } from 'node:module';
import { BackendError } from '@lab/core';
import { type KernelMemory, type KernelModule, MOST_PARTS } from '../kernel-module.js';
import { availableThreads } from '../thread-count.js';
import type { BlockWork } from '../thread-pool.js';

/** Our kernels as machine code: a Node addon. */
export interface KernelAddon {
  /** Names of the kernels, in the order of their numbers. */
  names(): string[];
  /** Sets the threads of the jobs that follow; how many there are. */
  threads(wanted: number): number;
  /** Runs a job on a heap, or on absolute addresses without one; see kernels/native/addon.c. */
  run(heap: Uint8Array | null, values: Float64Array): number;
  /** Where the values of a typed array lie. */
  addressOf(values: ArrayBufferView): number;
  /** Address of that many bytes of the machine's memory; 0 without room. */
  allocate(bytes: number): number;
  release(address: number): void;
  /** Has standard error lead nowhere; a number for {@link unmute}. */
  mute(): number;
  unmute(restore: number): void;
  /** The bytes at an address, where they lie. */
  view(address: number, bytes: number): ArrayBuffer;
  /** Gives back pages that a file has too, see {@link releaseIdlePages}; whether it did. */
  releasePages(address: number, bytes: number): boolean;
}

/** Values of a job before the kernel's own: kernel, items, items of a block, scratch. */
export const FIRST_VALUE = 5;
/** Most values of a kernel's own. */
export const MOST_VALUES = 32;

/** Calls of an addon's kernels on a memory; `heap` is asked for at every call. */
export function nativeKernels(
  addon: KernelAddon,
  memory: KernelMemory,
  heap: () => Uint8Array | null,
): KernelModule {
  const places = new Map(addon.names().map((name, place) => [name, place]));
  const job = new Float64Array(FIRST_VALUE + MOST_VALUES);
  let threads = addon.threads(availableThreads());
  const run = (name: string, values: readonly number[], work?: BlockWork): number => {
    const place = places.get(name);
    if (place === undefined) throw new BackendError(`tensor: there is no kernel "${name}".`);
    job[0] = place;
    job[1] = work?.count ?? 0;
    job[2] = work?.block ?? 1;
    job[3] = work?.scratch?.address ?? 0;
    job[4] = work?.scratch?.bytesPerThread ?? 0;
    // Not by set(): from an array it costs more than a small kernel.
    for (let i = 0; i < values.length; i += 1) job[FIRST_VALUE + i] = values[i] as number;
    return addon.run(heap(), job);
  };
  return {
    ...{ memory, simd: 'native', vectorBits: null, mostParts: MOST_PARTS },
    get threads() {
      return threads;
    },
    call: (name, ...values) => run(name, values),
    callBlocks(work, ...values) {
      if (work.count > 0) run(work.kernel, values, work);
    },
    useThreads(wanted) {
      threads = addon.threads(wanted);
    },
  };
}

let wanted: KernelAddon | null = null;

/** The addon at a path, loaded. */
export function loadAddon(path: string): KernelAddon {
  return createRequire(import.meta.url)(path) as KernelAddon;
}

/** Has kernels run as machine code from the next binding on, or, with null, as wasm. */
export function wantAddon(addon: KernelAddon | null): void {
  wanted = addon;
}

/** The addon that kernels are to run in, or null. */
export function wantedAddon(): KernelAddon | null {
  return wanted;
}
