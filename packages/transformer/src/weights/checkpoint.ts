/**
 * The files of a checkpoint: one safetensors file, shards with an index, or a GGUF file.
 */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ModelError } from '@lab/core';
import { tf } from '@lab/tensor';
import { readJsonObject } from '../json-file.js';
import { openGgufCheckpoint } from '../gguf/gguf-checkpoint.js';
import { isGgufFile } from '../gguf/gguf-file.js';
import { readModelConfig } from '../model-config.js';
import { openSafetensors, type SafetensorsFile } from '@lab/tensor/io';
import { floatsOf, type RowRun, type StoredNumbers, storedNumbers } from './stored-numbers.js';

/** A weight as it lies in the files. */
export interface StoredWeight {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly sizeBytes: number;
}

/** Weights of a checkpoint, read one by one. */
export interface Checkpoint {
  readonly folder: string;
  /** Every weight, by its name in the files. */
  readonly weights: ReadonlyMap<string, StoredWeight>;
  /** Numbers in all weights. */
  readonly parameterCount: number;
  /** Bytes of all weights in the files. */
  readonly sizeBytes: number;
  /** Values as float32, row by row. */
  read(name: string): Promise<Float32Array>;
  /** Values as stored, row by row: all, or some rows. */
  readStored(name: string, rows?: RowRun): Promise<StoredNumbers>;
  /** Writes the stored bytes of a weight; null where they are held in the host's memory. */
  readonly readInto: ((name: string, target: Uint8Array) => Promise<void>) | null;
  /** The same with what was read kept in the host's memory as it is stored, where that is less. */
  readonly held?: () => Checkpoint;
  close(): void;
}

/** The one file of weights. */
export const WHOLE = 'model.safetensors';
/** The file that says which of several has a weight. */
export const INDEX = 'model.safetensors.index.json';

/**
 * Opens the weights of a folder, or of a GGUF file; only headers are read.
 *
 * @throws {ModelError} where there are none, or an index names files that are not there.
 */
export function openCheckpoint(folder: string): Checkpoint {
  if (isGgufFile(folder)) return openGgufCheckpoint(folder, readModelConfig(folder));
  const opened = new Map<string, SafetensorsFile>();
  try {
    const { paths, shards } = weightFiles(folder);
    for (const path of paths) opened.set(basename(path), openSafetensors(path));
    return checkpointOf(folder, opened, shards);
  } catch (error) {
    for (const file of opened.values()) file.close();
    throw error;
  }
}

/**
 * The weights of open files.
 *
 * @param folder - of their index, for errors.
 * @param opened - by their names; closing the checkpoint closes them.
 * @throws {ModelError} where the index names weights that are not there.
 */
export function checkpointOf(
  folder: string,
  opened: ReadonlyMap<string, SafetensorsFile>,
  shards: WeightFiles['shards'],
): Checkpoint {
  const places = placesOf(folder, opened, shards);
  const weights = new Map<string, StoredWeight>();
  let [parameterCount, sizeBytes] = [0, 0];
  for (const [own, file] of places) {
    const { shape, dtype, begin, end } = file.entries.get(own)!;
    weights.set(own, { shape, dtype, sizeBytes: end - begin });
    parameterCount += tf.util.sizeFromShape([...shape]);
    sizeBytes += end - begin;
  }
  const readStored = async (name: string, rows?: RowRun): Promise<StoredNumbers> => {
    const file = places.get(name);
    const entry = file?.entries.get(name);
    if (file === undefined || entry === undefined) {
      throw new ModelError(`${folder}: has no weight ${name}.`);
    }
    const { dtype, shape, begin, end } = entry;
    if (!isReal(dtype)) {
      throw new ModelError(`${folder}: ${name} is of type ${dtype}, no floating-point numbers.`, {
        help: 'Quantised checkpoints are not supported: take the one in float32 or 16 bits.',
      });
    }
    const rowBytes = (end - begin) / (shape[0] ?? 1);
    const { start, count } = rows ?? { start: 0, count: shape[0] ?? 1 };
    const range = { begin: start * rowBytes, end: (start + count) * rowBytes };
    return storedNumbers(dtype, await file.readBytes(name, rows && range));
  };
  return {
    ...{ folder, weights, parameterCount, sizeBytes, readStored },
    readInto: (name, target) => places.get(name)!.readInto(name, target),
    read: async (name) => floatsOf(await readStored(name)),
    close: () => {
      for (const file of opened.values()) file.close();
    },
  };
}

/** The file of every weight: that of the index, where it is in use. */
function placesOf(
  folder: string,
  opened: ReadonlyMap<string, SafetensorsFile>,
  shards: Readonly<Record<string, string>>,
): Map<string, SafetensorsFile> {
  const places = new Map<string, SafetensorsFile>();
  for (const file of opened.values()) {
    for (const name of file.entries.keys()) places.set(name, file);
  }
  for (const [name, shard] of Object.entries(shards)) {
    const file = opened.get(shard)!;
    if (!file.entries.has(name)) {
      throw new ModelError(`${join(folder, INDEX)}: ${name} is not in ${shard}.`, {
        help: 'Take the index and the files of the same checkpoint.',
      });
    }
    places.set(name, file);
  }
  return places;
}

const isReal = (dtype: string) =>
  dtype === 'float32' || dtype === 'float16' || dtype === 'bfloat16' || dtype === 'float64';

/** A checkpoint whose weights, once read, stay in the host's memory as they are stored. */
export function heldCheckpoint(checkpoint: Checkpoint): Checkpoint {
  if (checkpoint.held !== undefined) return checkpoint.held();
  const held = new Map<string, Promise<StoredNumbers>>();
  const all = (name: string) => {
    const known = held.get(name);
    if (known !== undefined) return known;
    const own = checkpoint.readStored(name);
    held.set(name, own);
    // A read that failed may succeed another time.
    own.catch(() => held.delete(name));
    return own;
  };
  const readStored = async (name: string, rows?: RowRun): Promise<StoredNumbers> => {
    const { dtype, values } = await all(name);
    if (rows === undefined) return { dtype, values };
    const width = values.length / (checkpoint.weights.get(name)?.shape[0] ?? 1);
    const end = rows.start + rows.count;
    return { dtype, values: values.subarray(rows.start * width, end * width) };
  };
  const read = async (name: string) => floatsOf(await readStored(name));
  return { ...checkpoint, readStored, read, readInto: null };
}

/** Files of weights. */
export interface WeightFiles {
  readonly paths: readonly string[];
  /** What the index says: the file of each weight. */
  readonly shards: Readonly<Record<string, string>>;
}

/**
 * The files that hold the weights of a folder.
 *
 * @throws {ModelError} where there are none, or an index names files that are not there.
 */
export function weightFiles(folder: string): WeightFiles {
  // As in transformers: an index beside the one file is of another conversion.
  if (existsSync(join(folder, WHOLE))) return { paths: [join(folder, WHOLE)], shards: {} };
  const index = join(folder, INDEX);
  if (existsSync(index)) return shardsOf(index, folder);
  const names = readdirSync(folder);
  const own = names.filter((name) => name.endsWith('.safetensors'));
  if (own.length === 1) return { paths: [join(folder, own[0]!)], shards: {} };
  if (own.length > 1) {
    throw new ModelError(`${folder}: has ${own.length} safetensors files and no ${INDEX}.`, {
      help: 'Copy the index, too; it says which file holds which weight.',
    });
  }
  const pickled = names.find((name) => /\.(bin|pt|pth)$/.test(name));
  throw new ModelError(
    `${folder}: has no *.safetensors${pickled === undefined ? '' : `, only ${pickled}`}.`,
    {
      help:
        pickled === undefined
          ? 'Name the folder of a Hugging Face checkpoint, with config.json and *.safetensors.'
          : `Write it as safetensors: ${conversion(folder)}`,
    },
  );
}

/** A line of Python that writes a checkpoint as safetensors. */
const conversion = (folder: string) =>
  'python3 -c "from transformers import AutoModelForCausalLM as M; ' +
  `M.from_pretrained('${folder}').save_pretrained('OUT')"`;

/**
 * What an index says: the file of each weight, and the files.
 *
 * @throws {ModelError} where it is no index, or names files outside of its folder.
 */
export function readIndex(index: string): {
  readonly names: readonly string[];
  readonly shards: WeightFiles['shards'];
} {
  const shards = weightMap(index);
  const names = [...new Set(Object.values(shards))].toSorted();
  for (const name of names) {
    if (/[\\/]|^\.\.?$/.test(name)) {
      throw new ModelError(`${index}: names a file outside of the folder, ${name}.`, {
        help: 'Do not use this index; file names in it have no folder.',
      });
    }
  }
  return { names, shards };
}

function shardsOf(index: string, folder: string): WeightFiles {
  const { names, shards } = readIndex(index);
  const absent = names.filter((name) => !existsSync(join(folder, name)));
  if (absent.length > 0) {
    throw new ModelError(
      `${folder}: ${absent.length} of ${names.length} files of its index are not there: ` +
        `${absent.slice(0, 5).join(', ')}.`,
      { help: 'Copy or download them, too.' },
    );
  }
  return { paths: names.map((name) => join(folder, name)), shards };
}

function weightMap(index: string): Record<string, string> {
  const map = readJsonObject(index)['weight_map'];
  const isMap =
    typeof map === 'object' &&
    map !== null &&
    Object.keys(map).length > 0 &&
    Object.values(map).every((name) => typeof name === 'string');
  if (isMap) return map as Record<string, string>;
  throw new ModelError(`${index}: has no weight_map of file names.`, {
    help: 'Copy the file again from the folder that the weights came from.',
  });
}
