/**
 * Weights that no file holds, as a checkpoint.
 */
import { tf } from '@lab/tensor';
import type { Checkpoint } from '../weights/checkpoint.js';
import type { RowRun, StoredNumbers } from '../weights/stored-numbers.js';

/** A weight in float32; its numbers are asked for when they are read. */
export interface MemoryWeight {
  readonly shape: readonly number[];
  readonly numbers: () => Float32Array;
}

/**
 * A checkpoint of weights in memory.
 *
 * @param name - for messages, in the place of a folder.
 */
export function memoryCheckpoint(
  name: string,
  weights: ReadonlyMap<string, MemoryWeight>,
): Checkpoint {
  const stored = new Map(
    [...weights].map(([own, { shape }]) => {
      const sizeBytes = 4 * tf.util.sizeFromShape([...shape]);
      return [own, { shape, dtype: 'float32', sizeBytes }];
    }),
  );
  const sizeBytes = [...stored.values()].reduce((sum, weight) => sum + weight.sizeBytes, 0);
  const readStored = async (own: string, rows?: RowRun): Promise<StoredNumbers> => {
    const { shape, numbers } = weights.get(own)!;
    const values = numbers();
    if (rows === undefined) return { dtype: 'float32', values };
    const width = values.length / (shape[0] ?? 1);
    const end = rows.start + rows.count;
    return { dtype: 'float32', values: values.subarray(rows.start * width, end * width) };
  };
  return {
    ...{ folder: name, weights: stored, parameterCount: sizeBytes / 4, sizeBytes, readStored },
    read: async (own) => weights.get(own)!.numbers(),
    readInto: null,
    close: () => undefined,
  };
}
