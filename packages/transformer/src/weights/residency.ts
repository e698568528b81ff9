/**
 * Where the weights of a model stay while none of them is needed.
 */
import { keepsHalf, machineMemoryBytes, selectedBackend } from '@lab/tensor';
import type { Checkpoint } from './checkpoint.js';

/**
 * `resident`: on the backend, those of 16 bits as they are on wasm; `host`: in the host's memory as
 * they are stored, a block at a time on the backend; `streamed`: in the files, a block at a time on
 * the backend while the next one is read.
 */
export type Residency = 'host' | 'resident' | 'streamed';

/** How a model is loaded. */
export interface LoadModelOptions {
  /** Default `auto`: the first of {@link Residency} that fits into `budgetBytes`. */
  readonly residency?: Residency | 'auto' | undefined;
  /** Bytes that weights may take; default .7 of what the backend or the machine has. */
  readonly budgetBytes?: number | undefined;
  /** Whether a decoder is checked once it is loaded, as by `validateModel`; default false. */
  readonly validate?: boolean | undefined;
}

/** Bytes of all weights on the present backend. */
export function backendBytes({ weights }: Pick<Checkpoint, 'weights'>): number {
  let bytes = 0;
  for (const { shape, dtype } of weights.values()) {
    const isHalf = keepsHalf() && /^b?float16$/.test(dtype) && shape.length === 2;
    bytes += shape.reduce((product, size) => product * size, isHalf ? 2 : 4);
  }
  return bytes;
}

/** The share of memory that weights may take, unless a budget says otherwise. */
const SHARE = 0.7;

/** Where weights are to stay: the first place that has room for them. */
export function chosenResidency(
  checkpoint: Pick<Checkpoint, 'sizeBytes' | 'weights'>,
  { residency = 'auto', budgetBytes }: LoadModelOptions,
): Residency {
  if (residency !== 'auto') return residency;
  const machine = SHARE * machineMemoryBytes();
  const backend = Math.min(machine, SHARE * (selectedBackend()?.memoryLimitBytes ?? Infinity));
  if (backendBytes(checkpoint) <= Math.min(backend, budgetBytes ?? backend)) return 'resident';
  return checkpoint.sizeBytes <= Math.min(machine, budgetBytes ?? machine) ? 'host' : 'streamed';
}
