import { DataError, writeFileAtomic } from '@lab/core';
import type { ArrayRecord } from './array-record.js';
import { checkedRecord, type WritableArray } from './checked-record.js';
import { encodeNumbers, itemBytes, numbersOfBytes } from './dtype.js';
import { type ByteSource, openFileSource, withFileSource } from './file-source.js';
import {
  encodeSafetensorsHeader,
  parseSafetensorsHeader,
  readSafetensorsHeader,
  type SafetensorsHeader,
  type TensorEntry,
} from './safetensors-header.js';

/** The whole content of a safetensors file. */
export interface SafetensorsContent {
  tensors: Record<string, ArrayRecord>;
  /** The texts of the header's `__metadata__`. */
  metadata: Record<string, string>;
}

/** An open safetensors file: its header is read, its tensors are read one by one. */
export interface SafetensorsFile extends SafetensorsHeader {
  /** Reads one tensor. */
  read(name: string): Promise<ArrayRecord>;
  /** Reads a tensor's bytes as they are stored, or those from `begin` to `end` of them. */
  readBytes(name: string, range?: ByteRange): Promise<Uint8Array>;
  /** As `readBytes` of a whole tensor, into memory of its size. */
  readInto(name: string, target: Uint8Array): Promise<void>;
  close(): void;
}

/** A stretch of a tensor's bytes. */
export interface ByteRange {
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads all tensors of a safetensors file.
 *
 * @param path - the file, plain or gzipped; float 16, bfloat16, float 32 and 64, integers 8 to 64,
 *   bool.
 * @returns the tensors by name and the metadata.
 * @throws {DataError} when the file is cut off or foreign, when entries overlap, leave holes,
 * reach beyond the file or do not fit their shapes.
 */
export async function readSafetensors(path: string): Promise<SafetensorsContent> {
  return withFileSource(path, async (source) => {
    const header = parseSafetensorsHeader(source);
    const records: [string, ArrayRecord][] = [];
    for (const name of header.entries.keys()) {
      records.push([name, await readTensor(source, header, name)]);
    }
    return { tensors: Object.fromEntries(records), metadata: header.metadata };
  });
}

/**
 * Opens a safetensors file to read single tensors; only the header is read at once.
 *
 * @param path - the file.
 * @returns the open file; close it.
 * @throws {DataError} as {@link readSafetensors}.
 */
export function openSafetensors(path: string): SafetensorsFile {
  const source = openFileSource(path);
  try {
    return openedFile(source, parseSafetensorsHeader(source));
  } catch (error) {
    source.close();
    throw error;
  }
}

/**
 * As {@link openSafetensors}, of bytes from elsewhere, such as another machine.
 *
 * @param source - the bytes; they are the file's from now on, which closes them.
 * @throws {DataError} as {@link readSafetensors}; what `source` throws comes through.
 */
export async function openSafetensorsSource(source: ByteSource): Promise<SafetensorsFile> {
  try {
    return openedFile(source, await readSafetensorsHeader(source));
  } catch (error) {
    source.close();
    throw error;
  }
}

const openedFile = (source: ByteSource, header: SafetensorsHeader): SafetensorsFile => ({
  ...header,
  read: (name) => readTensor(source, header, name),
  readBytes: (name, range) => bytesOf(source, header, { name, range }),
  readInto: (name, target) => readInto(source, header, { name, target }),
  close: () => source.close(),
});

async function readTensor(source: ByteSource, header: SafetensorsHeader, name: string) {
  const bytes = await bytesOf(source, header, { name });
  return tensorRecord(header.entries.get(name)!, bytes, { path: source.path, name });
}

function entryOf(source: ByteSource, header: SafetensorsHeader, name: string): TensorEntry {
  const entry = header.entries.get(name);
  if (entry !== undefined) return entry;
  const names = [...header.entries.keys()];
  throw new DataError(
    `${source.path}: has no tensor "${name}" among its ${names.length} ` +
      `(${names.slice(0, 5).join(', ')} ...).`,
    { file: source.path, field: name, help: 'Ask for one of its tensors.' },
  );
}

async function bytesOf(
  source: ByteSource,
  header: SafetensorsHeader,
  { name, range }: { readonly name: string; readonly range?: ByteRange | undefined },
): Promise<Uint8Array> {
  const entry = entryOf(source, header, name);
  const length = entry.end - entry.begin;
  const { begin, end } = range ?? { begin: 0, end: length };
  if (!(begin >= 0 && begin <= end && end <= length)) {
    throw new DataError(
      `${source.path}: tensor "${name}" has ${length} bytes, not those from ${begin} to ${end}.`,
      { file: source.path, field: name, help: 'Ask for a stretch inside of the tensor.' },
    );
  }
  const bytes = new Uint8Array(end - begin);
  await source.readLarge(bytes, header.dataOffset + entry.begin + begin);
  return bytes;
}

async function readInto(
  source: ByteSource,
  header: SafetensorsHeader,
  { name, target }: { readonly name: string; readonly target: Uint8Array },
): Promise<void> {
  const { begin, end } = entryOf(source, header, name);
  if (target.length !== end - begin) {
    throw new DataError(
      `${source.path}: tensor "${name}" has ${end - begin} bytes, the target ${target.length}.`,
      { file: source.path, field: name, help: 'Give memory of the size of the tensor.' },
    );
  }
  await source.readLarge(target, header.dataOffset + begin);
}

/** The array of an entry from its bytes. */
export function tensorRecord(
  entry: TensorEntry,
  bytes: Uint8Array,
  from: { path: string; name: string },
): ArrayRecord {
  if (entry.dtype === 'bool' && bytes.some((byte) => byte > 1)) {
    throw new DataError(`${from.path}: "${from.name}" has bool values other than 0 and 1.`, {
      file: from.path,
      field: from.name,
      help: 'Copy the file again; it is damaged.',
    });
  }
  const data = numbersOfBytes(entry.dtype, bytes);
  return { shape: entry.shape.slice(), dtype: entry.dtype, data };
}

/**
 * Writes tensors as a safetensors file, streaming and atomically: after a crash or on a full disk
 * the old file, if any, is still whole.
 *
 * @param path - the file.
 * @param tensors - by name; `dtype` may be left out when it is that of the typed array.
 * @param metadata - texts for the header.
 * @throws {DataError} when shape, dtype and data of a tensor do not fit, or the disk is full.
 */
export async function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, WritableArray>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  writeFileAtomic(path, safetensorsChunks(tensors, metadata));
}

/** The bytes of a safetensors file, block by block, in a fixed order; nothing is copied whole. */
export function* safetensorsChunks(
  tensors: Readonly<Record<string, WritableArray>>,
  metadata: Readonly<Record<string, string>>,
): Generator<Uint8Array> {
  const records = Object.entries(tensors).map(
    ([name, array]) => [name, checkedRecord(name, array)] as const,
  );
  // Widest numbers first, then by name: every tensor is aligned and the order is fixed.
  records.sort(
    ([nameA, a], [nameB, b]) =>
      itemBytes(b.dtype) - itemBytes(a.dtype) || (nameA < nameB ? -1 : nameA > nameB ? 1 : 0),
  );
  yield headerBytes(records, metadata);
  for (const [, record] of records) yield* encodeNumbers(record);
}

function headerBytes(
  records: readonly (readonly [string, ArrayRecord])[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  let offset = 0;
  const entries = new Map<string, TensorEntry>();
  for (const [name, { shape, dtype, data }] of records) {
    const end = offset + data.length * itemBytes(dtype);
    entries.set(name, { dtype, shape, begin: offset, end });
    offset = end;
  }
  return encodeSafetensorsHeader(entries, metadata);
}
