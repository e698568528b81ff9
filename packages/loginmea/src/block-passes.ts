/**
 * Forward and backward pass of a stage, block by block; between blocks the event loop turns.
 */
import { ConfigError } from '@lab/core';
import { type Parameters, pullBack, tf } from '@lab/tensor';
import type { BlockWork, Stage } from './block-stages.js';

/** What has been done of a pass over all blocks. */
export interface BlockProgress {
  readonly done: number;
  readonly total: number;
}

/** Options of everything that runs in blocks. */
export interface BlockOptions {
  /**
   * Bytes that the tensors of a block may take, about; default 256 MiB. The parameters come on top,
   * with gradients and moments in training, and so does an entity whose own neighbours take more.
   * The loss of a seed batch takes about 6 rows of the final width for each pair, whatever the
   * budget. Nothing grows with the number of entities.
   */
  readonly budgetBytes?: number;
  /** Ends the call between two blocks; parameters and table are then as before. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each block. */
  readonly onProgress?: ((progress: BlockProgress) => void) | undefined;
}

/**
 * The budget of a call.
 *
 * @throws {ConfigError} when it is not above 0.
 */
export function budgetOf({ budgetBytes = 2 ** 28 }: BlockOptions): number {
  if (budgetBytes > 0) return budgetBytes;
  throw new ConfigError(`loginmea/block-passes: budgetBytes is ${budgetBytes}.`, {
    help: 'Give the bytes that the tensors of a block may take, or leave it out for 256 MiB.',
  });
}

/** Counts blocks, tells the caller, and lets the event loop turn. */
export interface BlockClock {
  tick(): Promise<void>;
}

/** A clock for `total` blocks. */
export function createClock({ signal, onProgress }: BlockOptions, total: number): BlockClock {
  let done = 0;
  signal?.throwIfAborted();
  return {
    async tick() {
      done += 1;
      onProgress?.({ done, total });
      await tf.nextFrame();
      signal?.throwIfAborted();
    },
  };
}

/** The result of some work on the backend: rows of the state, `[rowCount, *]`. */
export function computeWork({ reads, run }: BlockWork): tf.Tensor2D {
  if (reads === null) return run(null);
  const input = reads.from.gather(reads.rows);
  try {
    return run(input);
  } finally {
    input.dispose();
  }
}

/** Computes all blocks of a stage and writes their results into the states. */
export async function forwardStage(stage: Stage, clock: BlockClock): Promise<void> {
  for (let index = 0; index < stage.count; index += 1) {
    const block = stage.at(index);
    try {
      for (const work of block.works) {
        if (readsNothing(work)) continue; // the states are zeros from their start
        const rows = computeWork(work);
        work.writes!.write(block.rows, rows);
        rows.dispose();
      }
    } finally {
      block.dispose();
    }
    await clock.tick();
  }
}

/**
 * Computes all blocks of a stage again and hands the gradient of their results on: to the rows that
 * they read, and to the parameters.
 */
export async function backwardStage(
  stage: Stage,
  sums: GradientSums,
  clock: BlockClock,
): Promise<void> {
  for (let index = 0; index < stage.count; index += 1) {
    const block = stage.at(index);
    try {
      for (const work of block.works) {
        if (!readsNothing(work) && work.writes!.gradient !== null)
          backwardWork(work, block.rows, sums);
      }
    } finally {
      block.dispose();
    }
    await clock.tick();
  }
}

function backwardWork(work: BlockWork, rows: Int32Array, sums: GradientSums): void {
  const { reads, variables } = work;
  tf.tidy(() => {
    const dy = work.writes!.gatherGradient(rows);
    const input = reads === null ? null : reads.from.gather(reads.rows);
    const inputs = input === null ? variables : [input, ...variables];
    if (inputs.length === 0) return;
    const { value, gradients } = pullBack(() => work.run(input), inputs, dy);
    value.dispose();
    if (reads !== null) reads.from.addGradient(reads.rows, gradients[0] as tf.Tensor2D);
    sums.add(variables, input === null ? gradients : gradients.slice(1));
  });
}

/** Whether nobody sends anything to the rows of a block: they are 0. */
export function readsNothing({ reads }: BlockWork): boolean {
  return reads !== null && reads.rows.length === 0;
}

/** Sums of the gradients of parameters over blocks. */
export class GradientSums {
  readonly #sums = new Map<tf.Tensor, tf.Tensor>();

  /** Adds gradients, one for each variable; they stay the caller's. */
  add(variables: readonly tf.Tensor[], gradients: readonly tf.Tensor[]): void {
    for (const [index, variable] of variables.entries()) {
      const known = this.#sums.get(variable);
      const gradient = gradients[index]!;
      const sum = known === undefined ? tf.clone(gradient) : tf.add(known, gradient);
      this.#sums.set(variable, tf.keep(sum));
      known?.dispose();
    }
  }

  /** The sums by name of the parameter, now the caller's; a parameter not reached has none. */
  take(parameters: Parameters): Record<string, tf.Tensor> {
    const gradients: Record<string, tf.Tensor> = {};
    for (const name of parameters.names()) {
      const sum = this.#sums.get(parameters.get(name));
      if (sum !== undefined) gradients[name] = sum;
    }
    this.#sums.clear();
    return gradients;
  }

  dispose(): void {
    for (const sum of this.#sums.values()) sum.dispose();
    this.#sums.clear();
  }
}
