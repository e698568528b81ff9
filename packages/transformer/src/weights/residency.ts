/**
 * Where the weights of a model stay while none of them is needed.
 */
import { ConfigError, formatBytes } from '@lab/core';
import { machineMemoryBytes, selectedBackend } from '@lab/tensor';
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

/** The share of memory that weights may take, unless a budget says otherwise. */
const SHARE = 0.7;

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
  const backend = Math.min(machine, SHARE * (selectedBackend()?.memoryLimitBytes ?? Infinity));
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
