/**
 * Where arrays are written: one safetensors file, or a folder.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { assertWritableFolder, ConfigError, formatBytes, writeFileAtomic } from '@lab/core';
import { type WritableArray, writeNpy, writeSafetensors } from '@lab/tensor/io';
import { assertOutputFile } from './output-file.js';

/** Forms of files. */
export const ARRAY_FORMATS = ['safetensors', 'npy'] as const;

/** A form of files. */
export type ArrayFormat = (typeof ARRAY_FORMATS)[number];

const FILE = 'cache.safetensors';

/** Ends of names that somebody gives to files, and nobody to folders. */
const OTHER_FILES = /\.(?:npz|npy|pt|pth|bin|h5|json|jsonl|csv|tsv|parquet|pkl|zip|gguf)$/i;

/** Takes all arrays; gives what was written. */
export interface ArrayOutput {
  write(arrays: Readonly<Record<string, WritableArray>>): Promise<WrittenArrays>;
}

/** What was written. */
export interface WrittenArrays {
  /** The one file, or the index of several. */
  readonly file: string;
  readonly sizeBytes: number;
}

/**
 * An output that has been tried: so that a long pass does not end in an error.
 *
 * @param out - `*.safetensors` is a file; everything else a folder, which gets
 *   `cache.safetensors`, or `NAME.npy` of each array with `index.json`: by the name of an array its
 *   `file`, `shape` and `dtype`.
 * @throws {ConfigError} where a file is to hold npy, and for a file of another kind.
 * @throws {DataError} where a folder cannot be made or written.
 */
export function arrayOutput(out: string, format: ArrayFormat): ArrayOutput {
  const isFile = out.endsWith('.safetensors');
  if (isFile && format === 'npy') {
    throw new ConfigError(`transformer/cache: ${out} is one file, npy has one for each array.`, {
      help: 'Name a folder: --format npy --out FOLDER.',
    });
  }
  const other = OTHER_FILES.exec(out)?.[0];
  if (other !== undefined && statSync(out, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new ConfigError(`transformer/cache: ${out} names a file *${other}, which none is.`, {
      help: `Name a file *.safetensors, or a folder: --out ${out.slice(0, -other.length)}/.`,
    });
  }
  if (isFile || out === '-') assertOutputFile('cache', out, FILE);
  else assertWritableFolder(out);
  if (isFile) return { write: (arrays) => writeFile(out, arrays) };
  return {
    write: (arrays) =>
      format === 'npy' ? writeFolder(out, arrays) : writeFile(join(out, FILE), arrays),
  };
}

type Arrays = Readonly<Record<string, WritableArray>>;

const bytesOf = (arrays: Arrays): number =>
  Object.values(arrays).reduce((sum, { data }) => sum + data.byteLength, 0);

async function writeFile(file: string, arrays: Arrays): Promise<WrittenArrays> {
  await writeSafetensors(file, arrays);
  return { file, sizeBytes: bytesOf(arrays) };
}

async function writeFolder(folder: string, arrays: Arrays): Promise<WrittenArrays> {
  const index: Record<string, { file: string; shape: readonly number[]; dtype: string }> = {};
  for (const [name, array] of Object.entries(arrays)) {
    const file = `${name}.npy`;
    await writeNpy(join(folder, file), array);
    index[name] = { file, shape: array.shape, dtype: dtypeOf(array) };
  }
  // Last: who finds the index finds all that it names.
  const file = join(folder, 'index.json');
  writeFileAtomic(file, `${JSON.stringify(index, null, 2)}\n`);
  return { file, sizeBytes: bytesOf(arrays) };
}

const dtypeOf = ({ data }: WritableArray): string => {
  if (data instanceof Float32Array) return 'float32';
  return data instanceof Int32Array ? 'int32' : 'uint8';
};

/** `12 MB in states.safetensors`. */
export const describeWritten = ({ file, sizeBytes }: WrittenArrays): string =>
  `${file}: ${formatBytes(sizeBytes)}`;
