// @ts-check
// What the threads of the kernel pool share: the places of `control` and the taking of blocks.

/** Number of the present job. */
export const GENERATION = 0;
/** The first block that nobody has taken. */
export const NEXT = 1;
/** Workers that have not finished the present job. */
export const BUSY = 2;
/** 1 when a worker could not finish its blocks. */
export const FAILED = 3;
/** Place of the kernel among the exported functions. */
export const KERNEL = 4;
/** Items of the job, and most of them in a block. */
export const COUNT = 5;
export const BLOCK = 6;
/** How many of `values` the job has. */
export const VALUES = 7;
/** Address of the job's own scratch and bytes of it per thread; 0 when the threads' own serves. */
export const SCRATCH = 8;
export const SCRATCH_BYTES = 9;
/** From here on, per worker: 1 when it is up; and the job it begins after, plus 1. */
export const READY = 16;
export const START = 16 + 256;
/** Length of `control`, and the most workers. */
export const CONTROL_LENGTH = 16 + 512;
export const MOST_WORKERS = 255;
/** Most values of a job. */
export const MOST_VALUES = 32;
/** Looks at a counter before sleeping: some 100 microseconds, more than lies between two kernels. */
export const SPINS = 5000;

/**
 * Takes blocks of the present job and runs them until none is left.
 *
 * @param {{ control: Int32Array, values: Float64Array, kernels: Function[], id: number,
 *   scratch: number }} thread - `id` 0 is the main thread; `scratch` the thread's own region.
 */
export function runBlocks({ control, values, kernels, id, scratch }) {
  const kernel = /** @type {Function} */ (kernels[control[KERNEL]]);
  const count = control[COUNT];
  const block = control[BLOCK];
  // An array: to spread numbers of another kind takes longer than a small block.
  const given = Array.from(values.subarray(0, control[VALUES]));
  const own = control[SCRATCH] >>> 0;
  const region = own === 0 ? scratch : own + id * control[SCRATCH_BYTES];
  for (;;) {
    const begin = Atomics.add(control, NEXT, 1) * block;
    if (begin >= count) return;
    kernel(begin, Math.min(begin + block, count), region, ...given);
  }
}
