import { DataError } from '@lab/core';
import type { ArrayDtype } from './array-record.js';
import { elementCount, itemBytes } from './dtype.js';
import { assertNoLfsPointer } from './git-lfs.js';
import type { ByteSource, FileSource } from './file-source.js';
import { repeatedName } from './repeated-name.js';

/** Place and form of one tensor; `begin` and `end` count from the start of the data. */
export interface TensorEntry {
  dtype: ArrayDtype;
  shape: readonly number[];
  begin: number;
  end: number;
}

/** What the header of a safetensors file says. */
export interface SafetensorsHeader {
  /** Tensors by name, in the order of their bytes. */
  entries: ReadonlyMap<string, TensorEntry>;
  metadata: Record<string, string>;
  /** Where the data begins, from the start of the file. */
  dataOffset: number;
}

/** The format's names of the dtypes. */
export const dtypeNames: Readonly<Record<string, ArrayDtype>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  I64: 'int64',
  I32: 'int32',
  I16: 'int16',
  I8: 'int8',
  U64: 'uint64',
  U32: 'uint32',
  U16: 'uint16',
  U8: 'uint8',
  BOOL: 'bool',
};

const maxHeaderBytes = 100_000_000;

/** First bytes of a file, which say how long its header is. */
export const safetensorsPrefixBytes = 9;

type Opened = Pick<ByteSource, 'path' | 'sizeBytes'>;

/**
 * Reads and checks the header of an open safetensors file.
 *
 * @param source - the file.
 * @returns its entries, metadata and the place of its data.
 * @throws {DataError} when it is no such file, is cut off, or its entries do not tile the data.
 */
export function parseSafetensorsHeader(source: FileSource): SafetensorsHeader {
  const prefix = Buffer.alloc(prefixBytesOf(source));
  source.read(prefix, 0);
  const bytes = Buffer.alloc(headerBytesOf(prefix, source));
  source.read(bytes, 8);
  return headerOf(bytes, source);
}

/** As {@link parseSafetensorsHeader}, of bytes that have to be waited for: two reads. */
export async function readSafetensorsHeader(source: ByteSource): Promise<SafetensorsHeader> {
  const prefix = Buffer.alloc(prefixBytesOf(source));
  await source.readLarge(prefix, 0);
  const bytes = Buffer.alloc(headerBytesOf(prefix, source));
  await source.readLarge(bytes, 8);
  return headerOf(bytes, source);
}

function prefixBytesOf({ path, sizeBytes }: Opened): number {
  if (sizeBytes > safetensorsPrefixBytes) return safetensorsPrefixBytes;
  throw failure(path)(`has ${sizeBytes} bytes, too few`);
}

function headerBytesOf(prefix: Buffer, { path, sizeBytes }: Opened): number {
  assertNoLfsPointer(path, prefix);
  const length = Number(prefix.readBigUInt64LE(0));
  if (prefix[8] === 0x7b && length <= maxHeaderBytes && 8 + length <= sizeBytes) return length;
  throw failure(path)(
    `is not a safetensors file or is cut off (its header would have ${length} bytes)`,
  );
}

function headerOf(bytes: Buffer, { path, sizeBytes }: Opened): SafetensorsHeader {
  const fail = failure(path);
  const { __metadata__: metadata, ...listed } = parseJson(bytes, path, fail);
  const dataBytes = sizeBytes - 8 - bytes.length;
  const entries = Object.entries(listed).map(
    ([name, value]) => [name, parseEntry(name, value, fail)] as const,
  );
  entries.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  assertTiles(entries, dataBytes, fail);
  return {
    entries: new Map(entries),
    metadata: parseMetadata(metadata, fail),
    dataOffset: 8 + bytes.length,
  };
}

type Fail = (what: string, name?: string) => DataError;

function failure(path: string): Fail {
  return (what, name) =>
    new DataError(`${path}: ${what}.`, {
      file: path,
      field: name,
      help: 'Copy the file again, or write it again with a safetensors library.',
    });
}

function parseJson(bytes: Buffer, path: string, fail: Fail): Record<string, unknown> {
  const [text, parsed] = jsonOf(bytes, path);
  const name = repeatedName(text);
  if (name !== null) throw fail(`its header has "${name.slice(0, 80)}" twice`, name);
  return parsed;
}

function jsonOf(bytes: Buffer, path: string): [text: string, parsed: Record<string, unknown>] {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return [text, JSON.parse(text) as Record<string, unknown>];
  } catch (cause) {
    throw new DataError(`${path}: its header is not JSON.`, {
      file: path,
      help: 'Copy the file again; it is damaged or not a safetensors file.',
      cause,
    });
  }
}

function parseEntry(name: string, value: unknown, fail: Fail): TensorEntry {
  const { dtype: format, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
  const dtype = typeof format === 'string' ? dtypeNames[format] : undefined;
  if (dtype === undefined || !Object.hasOwn(dtypeNames, format as string)) {
    const shown = typeof format === 'string' ? format.slice(0, 40) : typeof format;
    throw fail(`tensor "${name}" is of type ${shown}, which is not known`, name);
  }
  const count = Array.isArray(shape) ? elementCount(shape as number[]) : undefined;
  const [begin, end] = Array.isArray(offsets) ? (offsets as unknown[]) : [];
  if (count === undefined || !isOffset(begin) || !isOffset(end) || end < begin) {
    throw fail(`tensor "${name}" has no valid shape or offsets`, name);
  }
  if (end - begin !== count * itemBytes(dtype)) {
    throw fail(
      `tensor "${name}" of shape [${(shape as number[]).join(', ')}], type ${format as string}, ` +
        `needs ${count * itemBytes(dtype)} bytes, its offsets give ${end - begin}`,
      name,
    );
  }
  return { dtype, shape: shape as number[], begin, end };
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function assertTiles(
  entries: readonly (readonly [string, TensorEntry])[],
  dataBytes: number,
  fail: Fail,
): void {
  let reached = 0;
  for (const [name, { begin, end }] of entries) {
    if (end > dataBytes) {
      throw fail(`tensor "${name}" ends at byte ${end} of ${dataBytes}; the file is cut off`, name);
    }
    if (begin < reached) throw fail(`tensor "${name}" overlaps the tensor before it`, name);
    if (begin > reached) {
      throw fail(`${begin - reached} bytes before tensor "${name}" belong to none`, name);
    }
    reached = end;
  }
  if (reached !== dataBytes)
    throw fail(`its last ${dataBytes - reached} bytes belong to no tensor`);
}

function parseMetadata(metadata: unknown, fail: Fail): Record<string, string> {
  if (metadata === undefined) return {};
  const isTexts =
    typeof metadata === 'object' &&
    metadata !== null &&
    Object.values(metadata).every((text) => typeof text === 'string');
  if (!isTexts) throw fail('its __metadata__ is not a table of texts');
  return metadata as Record<string, string>;
}

/**
 * The header of a file with these tensors, in their order, as bytes; its length is a multiple of
 * eight, so that the data behind it is aligned.
 *
 * @throws {DataError} for a tensor called as the metadata.
 */
export function encodeSafetensorsHeader(
  tensors: ReadonlyMap<string, TensorEntry>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const entries: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) entries.push(['__metadata__', metadata]);
  for (const [name, { dtype, shape, begin, end }] of tensors) {
    if (name === '__metadata__') {
      throw new DataError('tensor/safetensors: "__metadata__" cannot be the name of a tensor.', {
        field: name,
        help: 'Give the tensor another name.',
      });
    }
    entries.push([name, { dtype: formatName(dtype), shape, data_offsets: [begin, end] }]);
  }
  const text = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Math.ceil(text.length / 8) * 8;
  const header = Buffer.alloc(8 + length, ' ');
  header.writeBigUInt64LE(BigInt(length), 0);
  text.copy(header, 8);
  return header;
}

function formatName(dtype: ArrayDtype): string {
  return Object.keys(dtypeNames).find((name) => dtypeNames[name] === dtype)!;
}
