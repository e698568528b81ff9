/**
 * A checkpoint with some of its weights changed, as a new folder.
 */
import { copyFileSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { ConfigError, makeFolder, ModelError } from '@lab/core';
import { copySafetensors, type HeaderTexts, type TensorChange } from '@lab/tensor/io';
import { assertNotThere } from '../gguf/gguf-import.js';
import { isGgufFile } from '../gguf/gguf-file.js';
import { checkpointFolder } from './checkpoint-folder.js';
import { type StoredWeight, weightFiles } from './checkpoint.js';
import { removeWhole } from './write-shards.js';

/** A weight as it lies in the files. */
export type ChangedWeight = Pick<StoredWeight, 'dtype' | 'shape'>;

/** How {@link editCheckpoint} changes a checkpoint. */
export interface EditCheckpointOptions {
  /** Of a weight, how its numbers are changed; null leaves it as it is, byte by byte. */
  readonly change: (name: string, weight: ChangedWeight) => TensorChange | null;
  /** Texts for the header of each file of weights, from those that it has: what was done. */
  readonly metadata: (before: HeaderTexts) => HeaderTexts;
  /** Whether a checkpoint that is there already is replaced; default false. */
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined;
}

/** What was written. */
export interface EditedCheckpoint {
  readonly folder: string;
  /** Weights that were changed, by their names in the files. */
  readonly changedWeights: readonly string[];
  readonly sizeBytes: number;
}

/** Files that hold weights in some form: an edited checkpoint has them from nowhere else. */
const WEIGHTS = /\.(safetensors|bin|pt|pth|gguf|h5|msgpack|onnx|onnx_data)$/;
/** Bytes of a file beside the weights, at most. */
const LARGEST = 1 << 28;

/**
 * Writes a checkpoint with some weights changed: names, types, shapes and files stay, and so do the
 * config and the tokenizer. `transformers` and `loadModel` take it as the one it was made of.
 *
 * @param from - folder of safetensors files, as for `loadModel`.
 * @param to - made where it is not there.
 * @throws {ModelError} for a GGUF file, and where there is no checkpoint.
 * @throws {ConfigError} where `to` is the checkpoint itself; {@link DataError} where there is one.
 */
export async function editCheckpoint(
  from: string,
  to: string,
  { change, metadata, force = false, signal, onProgress }: EditCheckpointOptions,
): Promise<EditedCheckpoint> {
  const folder = checkpointFolder(from);
  if (isGgufFile(folder)) {
    throw new ModelError(`${folder}: weights of a GGUF file cannot be changed.`, {
      help: 'Write it as safetensors first: transformer convert FILE --to safetensors.',
    });
  }
  if (resolve(folder) === resolve(to)) {
    throw new ConfigError(`${to}: is the checkpoint that is read.`, { help: 'Name a new folder.' });
  }
  const { paths } = weightFiles(folder);
  if (!force) assertNotThere(to);
  makeFolder(to);
  const sizeBytes = paths.reduce((sum, path) => sum + statSync(path).size, 0);
  const changedWeights: string[] = [];
  let before = 0;
  for (const path of paths) {
    const done = before;
    const changed = await copySafetensors(path, join(to, basename(path)), {
      ...{ change, metadata, signal },
      onProgress: (bytes) => onProgress?.(done + bytes, sizeBytes),
    });
    changedWeights.push(...changed);
    before += statSync(path).size;
  }
  if (paths.length > 1) removeWhole(to);
  // Last: a folder without config.json is no checkpoint yet.
  for (const name of otherFiles(folder)) copyFileSync(join(folder, name), join(to, name));
  return { folder: to, changedWeights, sizeBytes };
}

/** Files beside the weights, config.json last. */
function otherFiles(folder: string): string[] {
  const isOther = (name: string) => {
    const { size } = statSync(join(folder, name));
    return !WEIGHTS.test(name) && size <= LARGEST && statSync(join(folder, name)).isFile();
  };
  const isConfig = (name: string) => (name === 'config.json' ? 1 : 0);
  return readdirSync(folder)
    .filter(isOther)
    .toSorted((a, b) => isConfig(a) - isConfig(b) || (a < b ? -1 : 1));
}
