/**
 * Checkpoints of random weights: to try a program, a machine or a family without a download.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom, makeFolder, type Random } from '@lab/core';
import { tf } from '@lab/tensor';
import { readModelConfig } from '../model-config.js';
import { weightList } from './expected-weights.js';
import { writeShards } from './write-shards.js';

/** How {@link writeRandomCheckpoint} writes. */
export interface RandomCheckpointOptions {
  /** Default 1. */
  readonly seed?: number | undefined;
  /** Type in the file; default float32. */
  readonly dtype?: 'bfloat16' | 'float16' | 'float32' | undefined;
  /** Bytes of a file, about, above which there are several with an index; default 2 GB. */
  readonly shardBytes?: number | undefined;
}

/** Random numbers that large matrices repeat, each from another place on. */
const DISTINCT = 1 << 22;

/**
 * Writes config.json and the weights of a decoder, random: matrices with a deviation of
 * 1 / sqrt(inputs), gains 1, biases 0. One file, or shards with an index.
 *
 * @param folder - made where it is not there.
 * @param config - content of config.json.
 * @throws {ModelError} for a config that cannot be run.
 */
export async function writeRandomCheckpoint(
  folder: string,
  config: Readonly<Record<string, unknown>>,
  { seed = 1, dtype = 'float32', shardBytes = 2e9 }: RandomCheckpointOptions = {},
): Promise<void> {
  makeFolder(folder);
  writeFileSync(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  const { expected } = weightList(readModelConfig(folder));
  const random = createRandom(seed).fork('weights');
  const arrayOf = async (name: string, shape: readonly number[]) => {
    return { shape, data: randomWeight(name, shape, random), dtype };
  };
  const numbers = shardBytes / (dtype === 'float32' ? 4 : 2);
  await writeShards(folder, { shapes: expected, numbers, arrayOf });
}

function randomWeight(name: string, shape: readonly number[], random: Random): Float32Array {
  const data = new Float32Array(tf.util.sizeFromShape([...shape]));
  if (shape.length === 2) {
    const scale = 1 / Math.sqrt(shape[1]!);
    const own = random.fork(name);
    const drawn = own.fillNormal(data.subarray(0, Math.min(DISTINCT, data.length)));
    for (let at = 0; at < drawn.length; at += 1) drawn[at] = scale * drawn[at]!;
    // Drawing billions of numbers takes minutes: rows of large matrices are those before them.
    for (let at = drawn.length; at < data.length; at += at) data.copyWithin(at, 0, at);
  } else if (name.endsWith('.weight')) data.fill(1);
  return data;
}
