/**
 * Checkpoints of random weights: to try a program, a machine or a family without a download.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom, makeFolder } from '@lab/core';
import { tf } from '@lab/tensor';
import { type WritableArray, writeSafetensors } from '@lab/tensor/io';
import { readModelConfig } from '../model-config.js';
import { weightList } from './expected-weights.js';

/** How {@link writeRandomCheckpoint} writes. */
export interface RandomCheckpointOptions {
  /** Default 1. */
  readonly seed?: number | undefined;
  /** Type in the file; default float32. */
  readonly dtype?: 'bfloat16' | 'float16' | 'float32' | undefined;
}

/**
 * Writes config.json and model.safetensors of a decoder with random weights: matrices with a
 * deviation of 1 / sqrt(inputs), gains 1, biases 0.
 *
 * @param folder - made where it is not there.
 * @param config - content of config.json.
 * @throws {ModelError} for a config that cannot be run.
 */
export async function writeRandomCheckpoint(
  folder: string,
  config: Readonly<Record<string, unknown>>,
  { seed = 1, dtype = 'float32' }: RandomCheckpointOptions = {},
): Promise<void> {
  makeFolder(folder);
  writeFileSync(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  const { expected } = weightList(readModelConfig(folder));
  const random = createRandom(seed).fork('weights');
  const tensors: Record<string, WritableArray> = {};
  for (const [name, shape] of expected) {
    const data = new Float32Array(tf.util.sizeFromShape([...shape]));
    if (shape.length === 2) {
      const scale = 1 / Math.sqrt(shape[1]!);
      random.fork(name).fillNormal(data);
      for (let at = 0; at < data.length; at += 1) data[at] = scale * data[at]!;
    } else if (name.endsWith('.weight')) data.fill(1);
    tensors[name] = { shape, data, dtype };
  }
  await writeSafetensors(join(folder, 'model.safetensors'), tensors, { format: 'pt' });
}
