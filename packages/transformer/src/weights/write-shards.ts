/**
 * Weights to safetensors files: one, or shards with an index.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tf } from '@lab/tensor';
import { type WritableArray, writeSafetensors } from '@lab/tensor/io';
import { INDEX, WHOLE } from './checkpoint.js';

/** Weights in their order, so many numbers together. */
export interface ShardedWeights {
  /** Shapes by name. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Numbers of a file, about, above which there are several. */
  readonly numbers: number;
  /** The numbers of a weight; asked for when its file is written. */
  readonly arrayOf: (name: string, shape: readonly number[]) => Promise<WritableArray>;
}

/** Writes the weights of a checkpoint; those of one file are in memory at a time. */
export async function writeShards(
  folder: string,
  { shapes, numbers, arrayOf }: ShardedWeights,
): Promise<void> {
  const shards = shardsOf(shapes, numbers);
  const map: Record<string, string> = {};
  for (const [at, shard] of shards.entries()) {
    const tensors: Record<string, WritableArray> = {};
    const file = fileName(at, shards.length);
    for (const [name, shape] of shard) {
      tensors[name] = await arrayOf(name, shape);
      map[name] = file;
    }
    await writeSafetensors(join(folder, file), tensors, { format: 'pt' });
  }
  if (shards.length === 1) return;
  removeWhole(folder);
  const index = { metadata: {}, weight_map: map };
  writeFileSync(join(folder, INDEX), `${JSON.stringify(index, null, 2)}\n`);
}

/** Removes the one file of an older checkpoint, which would be read in the place of shards. */
export const removeWhole = (folder: string): void => rmSync(join(folder, WHOLE), { force: true });

type Shape = readonly [name: string, shape: readonly number[]];

function shardsOf(shapes: ReadonlyMap<string, readonly number[]>, numbers: number): Shape[][] {
  const shards: Shape[][] = [[]];
  let held = 0;
  for (const [name, shape] of shapes) {
    const size = tf.util.sizeFromShape([...shape]);
    if (held > 0 && held + size > numbers) {
      shards.push([]);
      held = 0;
    }
    shards.at(-1)!.push([name, shape]);
    held += size;
  }
  return shards;
}

function fileName(at: number, count: number): string {
  if (count === 1) return 'model.safetensors';
  const number = (one: number) => String(one).padStart(5, '0');
  return `model-${number(at + 1)}-of-${number(count)}.safetensors`;
}
