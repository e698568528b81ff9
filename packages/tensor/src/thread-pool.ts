/**
 * Threads that share the blocks of a kernel, on one wasm memory.
 *
 * A kernel of the pool is `name(begin, end, scratch, ...values)`: it computes the items from
 * `begin` to `end`, and what it computes does not depend on how the items are cut, so that any
 * number of threads gives the same bits.
 */
import { Worker } from 'node:worker_threads';
import { BackendError } from '@lab/core';
import type { KernelModules } from './kernels/instantiate.mjs';
import {
  BLOCK,
  BUSY,
  CONTROL_LENGTH,
  COUNT,
  FAILED,
  GENERATION,
  type JobThread,
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
  /** Where they were allocated. */
  readonly region: number;
  /** Upper end of its stack. */
  readonly stack: number;
  /** Start of its scratch, as large as a product needs. */
  readonly scratch: number;
}

/** The kernels of the main thread, and what a worker needs to have the same. */
export interface PoolParts {
  readonly modules: KernelModules;
  readonly memory: WasmMemory;
  readonly exports: WasmExports;
  /** Scratch of the main thread. */
  readonly scratch: number;
  /** Reserves the regions of one worker. */
  allocateThread(): ThreadRegion;
  /** Gives them back. */
  freeThread(region: ThreadRegion): void;
  /** Threads in all. */
  readonly threads: number;
}

type Kernel = (...values: number[]) => number;

interface PoolWorker {
  readonly worker: Worker;
  readonly region: ThreadRegion;
}

/** Threads that run the blocks of one job at a time; workers start when they can first help. */
export class ThreadPool {
  readonly threads: number;
  private readonly parts: PoolParts;
  private readonly control = new Int32Array(new SharedArrayBuffer(4 * CONTROL_LENGTH));
  private readonly values = new Float64Array(new SharedArrayBuffer(8 * MOST_VALUES));
  private readonly own: JobThread;
  private readonly places: ReadonlyMap<string, number>;
  private workers: PoolWorker[] | null = null;
  private joined = 0;

  constructor(parts: PoolParts) {
    this.parts = parts;
    this.threads = parts.threads;
    const { control, values } = this;
    const kernels = Object.entries(parts.exports).filter(
      (entry): entry is [string, Kernel] => typeof entry[1] === 'function',
    );
    this.places = new Map(kernels.map(([name], place) => [name, place]));
    const functions = kernels.map(([, kernel]) => kernel);
    this.own = { control, values, kernels: functions, id: 0, scratch: parts.scratch };
  }

  /**
   * Runs all blocks of a job, and returns when every one is finished.
   *
   * @throws {BackendError} when the kernel reached outside the heap, on any thread.
   */
  run(work: BlockWork, values: readonly number[]): void {
    const { control } = this;
    const place = this.places.get(work.kernel);
    if (place === undefined) throw new BackendError(`tensor: no kernel "${work.kernel}".`);
    if (work.count <= 0) return;
    const helpers = this.threads > 1 && work.count > work.block ? this.admitWorkers() : 0;
    this.announce(place, work, values);
    if (helpers > 0) {
      Atomics.store(control, BUSY, helpers);
      Atomics.add(control, GENERATION, 1);
      Atomics.notify(control, GENERATION);
    }
    let cause: unknown;
    try {
      runBlocks(this.own);
    } catch (error) {
      cause = error;
    }
    awaitWorkers(control);
    if (cause === undefined && control[FAILED] === 0) return;
    throw new BackendError(`tensor: the kernel "${work.kernel}" stopped amid its work.`, { cause });
  }

  /** Ends the workers; jobs that follow run on the main thread alone. */
  close(): void {
    for (const { worker, region } of this.workers ?? []) {
      void worker.terminate().then(() => this.parts.freeThread(region));
    }
    this.workers = [];
    this.joined = 0;
  }

  /** Takes in, in their order, the workers that have come up since the last job. */
  private admitWorkers(): number {
    const { control } = this;
    this.workers ??= this.startWorkers();
    while (
      this.joined < this.workers.length &&
      Atomics.load(control, READY + this.joined + 1) === 1
    ) {
      this.joined += 1;
      Atomics.store(control, START + this.joined, Atomics.load(control, GENERATION) + 1);
      Atomics.notify(control, START + this.joined);
    }
    return this.joined;
  }

  private startWorkers(): PoolWorker[] {
    const { control, values } = this;
    const { modules, memory } = this.parts;
    return Array.from({ length: this.threads - 1 }, (_, index) => {
      const region = this.parts.allocateThread();
      const { stack, scratch } = region;
      const worker = new Worker(new URL('./kernels/worker.mjs', import.meta.url), {
        workerData: { modules, memory, control, values, id: index + 1, stack, scratch },
        execArgv: [],
      });
      worker.unref();
      return { worker, region };
    });
  }

  private announce(place: number, work: BlockWork, values: readonly number[]): void {
    const { control } = this;
    this.values.set(values);
    control[KERNEL] = place;
    control[COUNT] = work.count;
    control[BLOCK] = work.block;
    control[VALUES] = values.length;
    control[SCRATCH] = work.scratch?.address ?? 0;
    control[SCRATCH_BYTES] = work.scratch?.bytesPerThread ?? 0;
    control[FAILED] = 0;
    Atomics.store(control, NEXT, 0);
  }
}

/** Waits until all workers of the job have finished. */
function awaitWorkers(control: Int32Array): void {
  for (let spin = 0; spin < SPINS && Atomics.load(control, BUSY) > 0; spin += 1);
  for (let busy = Atomics.load(control, BUSY); busy > 0; busy = Atomics.load(control, BUSY)) {
    Atomics.wait(control, BUSY, busy);
  }
}
