export declare const GENERATION: number;
export declare const NEXT: number;
export declare const BUSY: number;
export declare const FAILED: number;
export declare const KERNEL: number;
export declare const COUNT: number;
export declare const BLOCK: number;
export declare const VALUES: number;
export declare const SCRATCH: number;
export declare const SCRATCH_BYTES: number;
export declare const READY: number;
export declare const START: number;
export declare const CONTROL_LENGTH: number;
export declare const MOST_WORKERS: number;
export declare const MOST_VALUES: number;
export declare const SPINS: number;

/** What a thread works with; `id` 0 is the main thread. */
export interface JobThread {
  readonly control: Int32Array;
  readonly values: Float64Array;
  readonly kernels: readonly ((...values: number[]) => number)[];
  readonly id: number;
  readonly scratch: number;
}

export declare function runBlocks(thread: JobThread): void;
