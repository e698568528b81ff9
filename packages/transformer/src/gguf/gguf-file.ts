/**
 * An open GGUF file.
 */
import { statSync } from 'node:fs';
import { ModelError } from '@lab/core';
import { type FileSource, numbersOfBytes, openFileSource } from '@lab/tensor/io';
import type { RowRun } from '../weights/stored-numbers.js';
import { type GgufHeader, type GgufTensor, readGgufHeader } from './gguf-header.js';
import type { MetadataValue } from './metadata-values.js';
import { type GgufPart, partPaths, tensorsOfParts } from './split-files.js';
import { bytesOfNumbers } from './tensor-types.js';

/** What a file says of a model, without the numbers of its large tensors. */
export interface GgufContent {
  readonly path: string;
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly tensors: ReadonlyMap<string, Pick<GgufTensor, 'shape' | 'type'>>;
  /** Numbers of a short tensor of one axis, in F32; null where there is none of the name. */
  readonly row: (name: string) => readonly number[] | null;
}

/** A file, or all files of a model, whose headers are read. */
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
 * Opens a GGUF file, or all files of a model that it is one of; only headers are read.
 *
 * @throws {DataError} for a file that is damaged, saying where.
 * @throws {ModelError} for a version or type that is not read, and where files of the model are
 *   not there.
 */
export function openGguf(path: string): GgufFile {
  const parts: OpenPart[] = [];
  const opened = (own: string): OpenPart => {
    const source = openFileSource(own);
    try {
      const part = { source, path: own, ...readGgufHeader(source) };
      parts.push(part);
      return part;
    } catch (error) {
      source.close();
      throw error;
    }
  };
  try {
    const asked = opened(path);
    const paths = partPaths(path, asked);
    return openedFile(paths.map((own) => (own === path ? asked : opened(own))));
  } catch (error) {
    for (const { source } of parts) source.close();
    throw error;
  }
}

/** A file that is open. */
interface OpenPart extends GgufPart {
  readonly source: FileSource;
}

function openedFile(parts: readonly OpenPart[]): GgufFile {
  const { path, metadata } = parts[0]!;
  const all = tensorsOfParts(parts);
  const own = (name: string): { readonly tensor: GgufTensor; readonly source: FileSource } => {
    const found = all.get(name);
    if (found !== undefined) return { tensor: found.tensor, source: parts[found.at]!.source };
    throw new ModelError(`${path}: has no tensor ${name}.`, { help: 'Take a whole file.' });
  };
  return {
    ...{ path, metadata },
    tensors: new Map([...all].map(([name, { tensor }]) => [name, tensor])),
    row: (name) => {
      if (!all.has(name)) return null;
      const { source, tensor } = own(name);
      return shortRow(source, tensor);
    },
    readBytes: async (name, rows) => {
      const { source, tensor } = own(name);
      const { begin, sizeBytes, type, shape } = tensor;
      const rowBytes = bytesOfNumbers(type, shape.at(-1) ?? 1);
      const from = rows === undefined ? begin : begin + rows.start * rowBytes;
      const bytes = new Uint8Array(rows === undefined ? sizeBytes : rows.count * rowBytes);
      await source.readLarge(bytes, from);
      return bytes;
    },
    readInto: (name, target) => {
      const { source, tensor } = own(name);
      return source.readLarge(target, tensor.begin);
    },
    close: () => {
      for (const { source } of parts) source.close();
    },
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
