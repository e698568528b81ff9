/**
 * An open GGUF file.
 */
import { statSync } from 'node:fs';
import { ModelError } from '@lab/core';
import { type FileSource, numbersOfBytes, openFileSource } from '@lab/tensor/io';
import type { RowRun } from '../weights/stored-numbers.js';
import { type GgufHeader, type GgufTensor, readGgufHeader } from './gguf-header.js';
import type { MetadataValue } from './metadata-values.js';
import { bytesOfNumbers } from './tensor-types.js';

/** What a file says of a model, without the numbers of its large tensors. */
export interface GgufContent {
  readonly path: string;
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly tensors: ReadonlyMap<string, Pick<GgufTensor, 'shape' | 'type'>>;
  /** Numbers of a short tensor of one axis, in F32; null where there is none of the name. */
  readonly row: (name: string) => readonly number[] | null;
}

/** A file whose header is read. */
export interface GgufFile extends GgufContent, GgufHeader {
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  /** Stored bytes of a tensor: all, or those of some rows. */
  readBytes(name: string, rows?: RowRun): Promise<Uint8Array>;
  /** Writes all stored bytes of a tensor. */
  readInto(name: string, target: Uint8Array): Promise<void>;
  close(): void;
}

/** Numbers of a short tensor, at most. */
const MOST_ROW = 65_536;

/**
 * Opens a GGUF file; only its header is read.
 *
 * @throws {DataError} for a file that is damaged, saying where.
 * @throws {ModelError} for a version or type that is not read.
 */
export function openGguf(path: string): GgufFile {
  const source = openFileSource(path);
  try {
    const header = readGgufHeader(source);
    return openedFile(source, header);
  } catch (error) {
    source.close();
    throw error;
  }
}

function openedFile(source: FileSource, header: GgufHeader): GgufFile {
  const { path } = source;
  const own = (name: string): GgufTensor => {
    const tensor = header.tensors.get(name);
    if (tensor !== undefined) return tensor;
    throw new ModelError(`${path}: has no tensor ${name}.`, { help: 'Take a whole file.' });
  };
  return {
    ...header,
    path,
    row: (name) => {
      const tensor = header.tensors.get(name);
      return tensor === undefined ? null : shortRow(source, tensor);
    },
    readBytes: async (name, rows) => {
      const { begin, sizeBytes, type, shape } = own(name);
      const rowBytes = bytesOfNumbers(type, shape.at(-1) ?? 1);
      const from = rows === undefined ? begin : begin + rows.start * rowBytes;
      const bytes = new Uint8Array(rows === undefined ? sizeBytes : rows.count * rowBytes);
      await source.readLarge(bytes, from);
      return bytes;
    },
    readInto: (name, target) => source.readLarge(target, own(name).begin),
    close: () => source.close(),
  };
}

function shortRow(source: FileSource, { name, type, shape, begin, sizeBytes }: GgufTensor) {
  if (shape.length !== 1 || shape[0]! > MOST_ROW || type.name !== 'F32') {
    throw new ModelError(
      `${source.path}: tensor ${name} is ${type.name} of shape [${shape.join(', ')}], ` +
        'not a short row in F32.',
      { help: 'Convert the model again with a present llama.cpp.' },
    );
  }
  const bytes = new Uint8Array(sizeBytes);
  source.read(bytes, begin);
  return Array.from(numbersOfBytes('float32', bytes) as Float32Array);
}

/** Whether a path is that of a file: a checkpoint that is no folder is a GGUF file. */
export const isGgufFile = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

/** What `use` makes of a file, which is closed then. */
export function withGguf<T>(path: string, use: (gguf: GgufFile) => T): T {
  const gguf = openGguf(path);
  try {
    return use(gguf);
  } finally {
    gguf.close();
  }
}
