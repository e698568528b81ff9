import { DataError, ModelError } from '@lab/core';
import type { AdamWStep } from '../kernels/adamw.js';
import { blockOf } from '../kernels/call.js';
import { activeKernels } from '../active-kernels.js';
import { type HeapArray, withHeap } from '../ops/heap.js';
import type { KernelModule } from '../kernel-module.js';
import type { AdamWOptions } from './adamw.js';
import type { HostRows } from './host-rows.js';

/** Optimiser of one table in the host's memory. */
export interface HostAdamW {
  /**
   * Changes every row of the table by its gradient, 0 where none arrived: such a row decays and
   * moves on by its momentum, as in a table on the backend. The gradient is left as it is.
   *
   * @param learningRate - rate of this step.
   */
  step(learningRate: number): void;
  /** Steps made so far. */
  readonly stepCount: number;
  /** The moments themselves, row-major `[N, D]`, no copies. */
  readonly moments: { readonly first: Float32Array; readonly second: Float32Array };
  /**
   * Takes moments and step count over; the arrays are copied.
   *
   * @throws {DataError} when their sizes are not those of the table.
   */
  loadState(
    moments: { readonly first: Float32Array; readonly second: Float32Array },
    stepCount: number,
  ): void;
}

/** Values of each array that are on the backend at one time: a multiple of every vector width. */
const BLOCK_VALUES = 2 ** 18;

/**
 * AdamW for a table in the host's memory: the step of `createAdamW` on a parameter of the same
 * values, bit for bit on wasm, where blocks of 1 MiB go through the same kernel on all threads.
 *
 * Source: PyTorch/torch/optim/adamw.py, `_single_tensor_adamw`; equation not verified.
 *
 * @param table - stays the caller's; its values change at each step.
 * @param options - as `createAdamW`, without `hostMomentsFrom`.
 * @throws {ModelError} when a setting is out of its range.
 */
export function createHostAdamW(
  table: HostRows,
  options: Omit<AdamWOptions, 'hostMomentsFrom'> = {},
): HostAdamW {
  const settings = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, ...options };
  assertSettings(settings);
  const size = table.values.length;
  const moments = { first: new Float32Array(size), second: new Float32Array(size) };
  let stepCount = 0;
  return {
    get stepCount() {
      return stepCount;
    },
    moments,
    step(learningRate) {
      stepCount += 1;
      stepTable(table, moments, stepOf(settings, { learningRate, stepCount }));
    },
    loadState(saved, count) {
      for (const part of ['first', 'second'] as const) assertLength(saved[part], size, part);
      moments.first.set(saved.first);
      moments.second.set(saved.second);
      stepCount = count;
    },
  };
}

type Settings = Required<Omit<AdamWOptions, 'hostMomentsFrom'>>;

interface Moments {
  readonly first: Float32Array;
  readonly second: Float32Array;
}

function stepOf(
  { beta1, beta2, epsilon, weightDecay }: Settings,
  { learningRate, stepCount }: { learningRate: number; stepCount: number },
): AdamWStep {
  return {
    beta1,
    beta2,
    epsilon,
    decay: 1 - learningRate * weightDecay,
    stepSize: learningRate / (1 - beta1 ** stepCount),
    secondCorrection: Math.sqrt(1 - beta2 ** stepCount),
  };
}

function stepTable(table: HostRows, { first, second }: Moments, step: AdamWStep): void {
  const { values, gradient } = table;
  const kernels = activeKernels();
  if (kernels !== null) {
    stepOnKernels(kernels, { changed: [values, first, second], gradient }, step);
    return;
  }
  for (let start = 0; start < values.length; start += BLOCK_VALUES) {
    const slice = (x: Float32Array) => x.subarray(start, start + BLOCK_VALUES);
    const g = gradient === null ? null : slice(gradient);
    stepOnHost({ p: slice(values), g, m: slice(first), v: slice(second) }, step);
  }
}

/** One block after the other through the heap: values and moments there and back. */
function stepOnKernels(
  kernels: KernelModule,
  { changed, gradient }: { changed: readonly Float32Array[]; gradient: Float32Array | null },
  { beta1, beta2, epsilon, decay, stepSize, secondCorrection }: AdamWStep,
): void {
  const numbers = [beta1, beta2, decay, stepSize, 1 / secondCorrection, epsilon];
  const size = changed[0]!.length;
  withHeap(kernels, (heap) => {
    const length = Math.min(BLOCK_VALUES, size);
    const blocks = changed.map((host) => ({ host, block: heap.floats(length) }));
    const slopes = heap.floats(length, 0);
    const [p, m, v] = blocks.map(({ block }) => block.at());
    for (let start = 0; start < size; start += BLOCK_VALUES) {
      const count = Math.min(BLOCK_VALUES, size - start);
      for (const { host, block } of blocks) fill(block, host, { start, count });
      if (gradient !== null) fill(slopes, gradient, { start, count });
      const work = { kernel: 'adamw', count, block: blockOf(4) };
      kernels.callBlocks(work, p!, slopes.at(), m!, v!, ...numbers);
      for (const { host, block } of blocks) host.set(block.view().subarray(0, count), start);
    }
  });
}

function fill(
  block: HeapArray<Float32Array>,
  host: Float32Array,
  { start, count }: { start: number; count: number },
): void {
  block.view().set(host.subarray(start, start + count));
}

interface Slice {
  readonly p: Float32Array;
  /** Null: zeros. */
  readonly g: Float32Array | null;
  readonly m: Float32Array;
  readonly v: Float32Array;
}

/** The same in plain code, for backends without our kernels. */
function stepOnHost({ p, g, m, v }: Slice, step: AdamWStep): void {
  const { beta1, beta2, epsilon, decay, stepSize, secondCorrection } = step;
  for (let i = 0; i < p.length; i += 1) {
    const slope = g === null ? 0 : (g[i] as number);
    const first = (m[i] as number) * beta1 + slope * (1 - beta1);
    const second = (v[i] as number) * beta2 + slope * slope * (1 - beta2);
    m[i] = first;
    v[i] = second;
    const root = Math.sqrt(second) / secondCorrection + epsilon;
    p[i] = (p[i] as number) * decay - (stepSize * first) / root;
  }
}

function assertSettings({ beta1, beta2, epsilon, weightDecay }: Settings): void {
  const isShare = (value: number) => value >= 0 && value < 1;
  if (isShare(beta1) && isShare(beta2) && epsilon >= 0 && weightDecay >= 0) return;
  throw new ModelError(
    `tensor/host-adamw: beta1 ${beta1}, beta2 ${beta2}, epsilon ${epsilon}, weight decay ` +
      `${weightDecay} are out of range.`,
    { help: 'Betas are in [0, 1), epsilon and weight decay >= 0.' },
  );
}

function assertLength(array: Float32Array, size: number, part: string): void {
  if (array.length === size) return;
  throw new DataError(
    `tensor/host-adamw: the saved ${part} moment has ${array.length} values, the table ${size}.`,
    { help: 'Load the state of a table with the same sizes.' },
  );
}
