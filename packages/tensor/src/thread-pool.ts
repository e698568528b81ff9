/**
 * Threads that share the blocks of a kernel, on one wasm memory.
 *
 * A kernel of the pool is `name(begin, end, scratch, ...values)`: it computes the items from
 * `begin` to `end`, and what it computes does not depend on how the items are cut, so that any
 * number of threads gives the same bits.
 */
import { Worker } from 'node:worker_threads';
import { BackendError } from '@lab/core';
import {
  BLOCK,
  BUSY,
  CONTROL_LENGTH,
  COUNT,
  FAILED,
  GENERATION,
  KERNEL,
  MOST_VALUES,
  NEXT,
  READY,
  runBlocks,
  SCRATCH,
  SCRATCH_BYTES,
  SPINS,
  START,
  VALUES,
} from './kernels/job.mjs';
import type { WasmExports, WasmMemory } from './webassembly.js';

/** Items that a kernel computes, and how they are cut. */
export interface BlockWork {
  /** Name of the exported C function. */
  readonly kernel: string;
  /** How many items there are. */
  readonly count: number;
  /** Most items of a block: a matter of their size alone, never of the number of threads. */
  readonly block: number;
  /** Address of scratch for all threads, and bytes of it per thread, when 1.7 MB are too few. */
  readonly scratch?: { readonly address: number; readonly bytesPerThread: number };
}

/** A thread's own parts of the heap. */
export interface ThreadRegion {
  /** Upper end of its stack. */
  readonly stack: number;
  /** Start of its scratch, as large as a product needs. */
  readonly scratch: number;
}

/** The kernels of the main thread, and what a worker needs to have the same. */
export interface PoolParts {
  readonly module: object;
  readonly memory: WasmMemory;
  readonly exports: WasmExports;
  /** Scratch of the main thread. */
  readonly scratch: number;
  /** Reserves the regions of one worker. */
  allocateThread(): ThreadRegion;
  /** Threads in all. */
  readonly threads: number;
}

/** Threads that run the blocks of one job at a time. */
export interface ThreadPool {
  readonly threads: number;
  /** Runs all blocks of a job, and returns when every one is finished. */
  run(work: BlockWork, values: readonly number[]): void;
  /** Ends the workers; jobs that follow run on the main thread alone. */
  close(): void;
}

interface Shared {
  readonly control: Int32Array;
  readonly values: Float64Array;
}

function createShared(): Shared {
  return {
    control: new Int32Array(new SharedArrayBuffer(4 * CONTROL_LENGTH)),
    values: new Float64Array(new SharedArrayBuffer(8 * MOST_VALUES)),
  };
}

function startWorkers(parts: PoolParts, { control, values }: Shared): Worker[] {
  const { module, memory } = parts;
  return Array.from({ length: parts.threads - 1 }, (_, index) => {
    const { stack, scratch } = parts.allocateThread();
    const worker = new Worker(new URL('./kernels/worker.mjs', import.meta.url), {
      workerData: { module, memory, control, values, id: index + 1, stack, scratch },
      execArgv: [],
      stdin: false,
    });
    worker.unref();
    return worker;
  });
}

/** Waits until all workers of the job have finished. */
function awaitWorkers(control: Int32Array): void {
  for (let spin = 0; spin < SPINS && Atomics.load(control, BUSY) > 0; spin += 1);
  for (let busy = Atomics.load(control, BUSY); busy > 0; busy = Atomics.load(control, BUSY)) {
    Atomics.wait(control, BUSY, busy);
  }
}

/** A pool whose workers start with the first job that has more than one block. */
export function createThreadPool(parts: PoolParts): ThreadPool {
  const shared = createShared();
  const { control, values: shelf } = shared;
  const names = Object.keys(parts.exports).filter(
    (name) => typeof parts.exports[name] === 'function',
  );
  const kernels = names.map((name) => parts.exports[name] as (...values: number[]) => number);
  const own = { control, values: shelf, kernels, id: 0, scratch: parts.scratch };
  const places = new Map(names.map((name, place) => [name, place]));
  let workers: Worker[] | null = null;
  let joined = 0;

  /** Takes in, in their order, the workers that have come up since the last job. */
  function admitWorkers(): number {
    workers ??= startWorkers(parts, shared);
    while (joined < workers.length && Atomics.load(control, READY + joined + 1) === 1) {
      joined += 1;
      Atomics.store(control, START + joined, Atomics.load(control, GENERATION) + 1);
      Atomics.notify(control, START + joined);
    }
    return joined;
  }

  function announce(place: number, work: BlockWork, values: readonly number[]): void {
    shelf.set(values);
    control[KERNEL] = place;
    control[COUNT] = work.count;
    control[BLOCK] = work.block;
    control[VALUES] = values.length;
    control[SCRATCH] = work.scratch?.address ?? 0;
    control[SCRATCH_BYTES] = work.scratch?.bytesPerThread ?? 0;
    control[FAILED] = 0;
    Atomics.store(control, NEXT, 0);
  }

  function run(work: BlockWork, values: readonly number[]): void {
    const place = places.get(work.kernel);
    if (place === undefined) throw new BackendError(`tensor: no kernel "${work.kernel}".`);
    if (work.count <= 0) return;
    const helpers = parts.threads > 1 && work.count > work.block ? admitWorkers() : 0;
    announce(place, work, values);
    if (helpers > 0) {
      Atomics.store(control, BUSY, helpers);
      Atomics.add(control, GENERATION, 1);
      Atomics.notify(control, GENERATION);
    }
    let cause: unknown;
    try {
      runBlocks(own);
    } catch (error) {
      cause = error;
    }
    awaitWorkers(control);
    if (cause === undefined && control[FAILED] === 0) return;
    throw new BackendError(`tensor: the kernel "${work.kernel}" stopped amid its work.`, { cause });
  }

  return {
    threads: parts.threads,
    run,
    close() {
      for (const worker of workers ?? []) void worker.terminate();
      workers = [];
      joined = 0;
    },
  };
}
