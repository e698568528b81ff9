/**
 * Where the weights of a model stay while none of them is needed.
 */
import {
  checkOptions,
  ConfigError,
  formatBytes,
  hasFields,
  type OptionFields,
  optionFields,
} from '@lab/core';
import { machineMemoryBytes, selectedBackend } from '@lab/tensor';
import { z } from 'zod';
import type { Checkpoint } from './checkpoint.js';
import { heldBytes, weightSizes } from './weight-sizes.js';

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
  /**
   * Bytes that weights may take, in the host's memory and on the backend together; default .7 of
   * what the backend or the machine has.
   */
  readonly budgetBytes?: number | undefined;
  /**
   * What is checked once it is loaded, as by `validateModel` or `validateT5`: `quick` is the first
   * block of a decoder on two tokens. Default `quick` for a decoder with resident weights, else
   * `off`.
   */
  readonly validate?: 'full' | 'off' | 'quick' | undefined;
}

/** What {@link LoadModelOptions} may be. */
export const loadFields = {
  residency: z.enum(['auto', 'resident', 'host', 'streamed']).optional(),
  budgetBytes: z.number().positive().optional(),
  validate: z.enum(['full', 'off', 'quick']).optional(),
} satisfies OptionFields<LoadModelOptions>;

const callSchema = z.strictObject({ ...loadFields, path: optionFields.path });

/**
 * Checks a call that loads a model.
 *
 * @throws {ConfigError} without a path, and for an option that is not known or of another kind.
 */
export function checkLoading(
  call: string,
  opened: Checkpoint | string,
  options: LoadModelOptions,
): void {
  const isPlain = typeof options === 'object' && options !== null;
  const path = hasFields(opened, 'folder', 'readStored') ? (opened as Checkpoint).folder : opened;
  checkOptions(call, isPlain ? { ...options, path } : options, callSchema);
}

/** The share of memory that weights may take, unless a budget says otherwise. */
const SHARE = 0.7;

/** Bytes that a budget leaves on the backend in use: no more than the machine or backend has. */
export function backendBudget({ budgetBytes = Infinity }: LoadModelOptions): number {
  const limit = Math.min(machineMemoryBytes(), selectedBackend()?.memoryLimitBytes ?? Infinity);
  return Math.min(budgetBytes, SHARE * limit);
}

/**
 * Where weights are to stay: the first place that has room for them.
 *
 * @throws {ConfigError} where a budget is given that cannot be kept, with what is needed.
 */
export function chosenResidency(
  checkpoint: Pick<Checkpoint, 'folder' | 'weights'>,
  { residency = 'auto', budgetBytes }: LoadModelOptions,
): Residency {
  const sizes = weightSizes(checkpoint);
  const machine = SHARE * machineMemoryBytes();
  const backend = backendBudget({});
  const fits = (place: Residency, most: number) =>
    heldBytes(place, sizes) <= Math.min(most, budgetBytes ?? most);
  const auto = fits('resident', backend) ? 'resident' : fits('host', machine) ? 'host' : 'streamed';
  const chosen = residency === 'auto' ? auto : residency;
  const needed = heldBytes(chosen, sizes);
  if (budgetBytes === undefined || needed <= budgetBytes) return chosen;
  const least = heldBytes('streamed', sizes);
  const [given, asked] = [formatBytes(budgetBytes), formatBytes(needed)];
  const other = chosen === 'streamed' ? '' : `, or let weights be streamed (${formatBytes(least)})`;
  throw new ConfigError(
    `${checkpoint.folder}: ${chosen} weights take ${asked} at once, the budget is ${given}` +
      `${chosen === 'streamed' ? `; one block takes ${formatBytes(sizes.block.placed)}` : ''}.`,
    { help: `Give a budget of ${asked} or more${other}.` },
  );
}
