/**
 * The files of a checkpoint: one safetensors file, shards with an index, or a GGUF file.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ModelError } from '@lab/core';
import { tf } from '@lab/tensor';
import { exampleModel } from '../example-models.js';
import { readJsonObject } from '../json-file.js';
import { openGgufCheckpoint } from '../gguf/gguf-checkpoint.js';
import { isGgufFile } from '../gguf/gguf-file.js';
import { isLaterPart } from '../gguf/split-files.js';
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

const WHOLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

/** Begin of the name of a shipped model, in the place of a folder. */
const EXAMPLE = 'example:';

/**
 * The folder of a checkpoint, or its GGUF file: as it is, the one GGUF file that a folder without
 * config.json has, what the local Hugging Face cache has under a name, its `refs/main`, else its
 * newest snapshot, or a shipped model under `example:NAME`.
 *
 * @throws {ModelError} where there is none.
 */
export function checkpointFolder(path: string): string {
  if (!existsSync(path)) {
    if (path.startsWith(EXAMPLE)) return exampleModel(path.slice(EXAMPLE.length));
    throw new ModelError(`${path}: there is no such folder or file.`, {
      help: 'Name a folder with config.json and *.safetensors, or a file *.gguf.',
    });
  }
  if (isGgufFile(path)) return path;
  const snapshots = join(path, 'snapshots');
  if (existsSync(join(path, 'config.json'))) return path;
  if (!existsSync(snapshots)) return ggufFileIn(path) ?? path;
  const main = join(path, 'refs', 'main');
  const named = existsSync(main) ? join(snapshots, readFileSync(main, 'utf8').trim()) : null;
  if (named !== null && existsSync(named)) return checkpointFolder(named);
  const newest = readdirSync(snapshots)
    .map((name) => join(snapshots, name))
    .toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
  if (newest !== undefined) return checkpointFolder(newest);
  throw new ModelError(`${path}: its snapshots are empty.`, {
    help: 'Download the model again; the cache holds nothing of it.',
  });
}

/** The one GGUF file of a folder, or the first of several of one model; null for none. */
function ggufFileIn(folder: string): string | null {
  const names = readdirSync(folder).filter((name) => name.endsWith('.gguf') && !isLaterPart(name));
  if (names.length <= 1) return names[0] === undefined ? null : join(folder, names[0]);
  throw new ModelError(
    `${folder}: has ${names.length} GGUF files: ${names.slice(0, 5).join(', ')}.`,
    {
      help: `Name one of them, such as ${join(folder, names[0]!)}.`,
    },
  );
}

/**
 * Opens the weights of a folder, or of a GGUF file; only headers are read.
 *
 * @throws {ModelError} where there are none, or an index names files that are not there.
 */
export function openCheckpoint(folder: string): Checkpoint {
  if (isGgufFile(folder)) return openGgufCheckpoint(folder, readModelConfig(folder));
  const opened = new Map<string, SafetensorsFile>();
  const weights = new Map<string, StoredWeight>();
  const closeAll = () => {
    for (const file of opened.values()) file.close();
  };
  let [parameterCount, sizeBytes] = [0, 0];
  let places: ReadonlyMap<string, SafetensorsFile>;
  try {
    const { paths, shards } = weightFiles(folder);
    for (const path of paths) opened.set(path, openSafetensors(path));
    places = placesOf(folder, opened, shards);
    for (const [own, file] of places) {
      const { shape, dtype, begin, end } = file.entries.get(own)!;
      weights.set(own, { shape, dtype, sizeBytes: end - begin });
      parameterCount += tf.util.sizeFromShape([...shape]);
      sizeBytes += end - begin;
    }
  } catch (error) {
    closeAll();
    throw error;
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
    close: closeAll,
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
    const file = opened.get(join(folder, shard))!;
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

function shardsOf(index: string, folder: string): WeightFiles {
  const shards = weightMap(index);
  const names = [...new Set(Object.values(shards))].toSorted();
  for (const name of names) {
    if (/[\\/]|^\.\.?$/.test(name)) {
      throw new ModelError(`${index}: names a file outside of the folder, ${name}.`, {
        help: 'Do not use this index; file names in it have no folder.',
      });
    }
  }
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
