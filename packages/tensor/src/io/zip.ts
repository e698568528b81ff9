import { crc32 } from 'node:zlib';
import { DataError } from '@lab/core';
import { Inflate } from 'fflate';
import type { FileSource } from './file-source.js';

/** One file inside a zip archive. */
export interface ZipEntry {
  name: string;
  isDeflated: boolean;
  packedBytes: number;
  sizeBytes: number;
  crc: number;
  /** Where its local header begins. */
  offset: number;
}

const endMagic = 0x06054b50;
const end64Magic = 0x06064b50;
const locator64Magic = 0x07064b50;
const centralMagic = 0x02014b50;
const localMagic = 0x04034b50;
const endBytes = 22;
const maxEntries = 100_000;
/** Deflate cannot pack more than about 1032 to 1. */
const maxRatio = 1040;

/**
 * The entries of a zip archive from its central directory; zip64 included, stored or deflated.
 *
 * @param source - the open archive.
 * @returns the entries in the order of the directory.
 * @throws {DataError} when it is no zip archive, is cut off or encrypted.
 */
export function readZipEntries(source: FileSource): ZipEntry[] {
  const { offset, length, count } = findDirectory(source);
  if (offset + length > source.sizeBytes || count > maxEntries) {
    throw damaged(source, `its directory of ${count} entries does not fit the file`);
  }
  const directory = Buffer.alloc(length);
  source.read(directory, offset);
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    if (at + 46 > length || directory.readUInt32LE(at) !== centralMagic) {
      throw damaged(source, `entry ${index + 1} of its directory is damaged`);
    }
    const nameBytes = directory.readUInt16LE(at + 28);
    const extraBytes = directory.readUInt16LE(at + 30);
    const next = at + 46 + nameBytes + extraBytes + directory.readUInt16LE(at + 32);
    if (next > length) throw damaged(source, `entry ${index + 1} of its directory is cut off`);
    entries.push(parseEntry(source, directory.subarray(at, next), { nameBytes, extraBytes }));
    at = next;
  }
  return entries;
}

/**
 * The unpacked bytes of an entry, with their checksum verified.
 *
 * @param source - the open archive.
 * @param entry - from {@link readZipEntries}.
 * @throws {DataError} when the entry is damaged.
 */
export async function readZipEntry(source: FileSource, entry: ZipEntry): Promise<Uint8Array> {
  const local = Buffer.alloc(30);
  if (entry.offset + 30 > source.sizeBytes) throw damaged(source, `"${entry.name}" is cut off`);
  source.read(local, entry.offset);
  if (local.readUInt32LE(0) !== localMagic) {
    throw damaged(source, `"${entry.name}" does not begin where the directory says`);
  }
  const start = entry.offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
  if (start + entry.packedBytes > source.sizeBytes) {
    throw damaged(source, `"${entry.name}" is cut off`);
  }
  const limit = entry.isDeflated ? entry.packedBytes * maxRatio + 64 : entry.packedBytes;
  if (entry.sizeBytes > limit) {
    throw damaged(source, `"${entry.name}" claims ${entry.sizeBytes} bytes`);
  }
  const bytes = new Uint8Array(entry.sizeBytes);
  if (entry.isDeflated) await inflateEntry(source, entry, { start, bytes });
  else await source.readLarge(bytes, start);
  if (crc32(bytes) !== entry.crc) throw damaged(source, `"${entry.name}" has a wrong checksum`);
  return bytes;
}

async function inflateEntry(
  source: FileSource,
  entry: ZipEntry,
  place: { start: number; bytes: Uint8Array },
): Promise<void> {
  const { start, bytes } = place;
  let done = 0;
  const inflate = new Inflate((chunk) => {
    if (done + chunk.length > bytes.length) throw damaged(source, `"${entry.name}" is too long`);
    bytes.set(chunk, done);
    done += chunk.length;
  });
  const blockBytes = 1 << 20;
  for (let read = 0; read < entry.packedBytes; read += blockBytes) {
    const block = new Uint8Array(Math.min(blockBytes, entry.packedBytes - read));
    await source.readLarge(block, start + read);
    try {
      inflate.push(block, read + block.length === entry.packedBytes);
    } catch (cause) {
      if (cause instanceof DataError) throw cause;
      throw damaged(source, `"${entry.name}" cannot be unpacked`, cause);
    }
  }
  if (done !== bytes.length) throw damaged(source, `"${entry.name}" is too short`);
}

function parseEntry(
  source: FileSource,
  bytes: Buffer,
  lengths: { nameBytes: number; extraBytes: number },
): ZipEntry {
  const name = bytes.toString('utf8', 46, 46 + lengths.nameBytes);
  const flags = bytes.readUInt16LE(8);
  const method = bytes.readUInt16LE(10);
  if ((flags & 1) !== 0 || (method !== 0 && method !== 8)) {
    throw damaged(source, `"${name}" is encrypted or packed by method ${method}`);
  }
  const sizes = {
    sizeBytes: bytes.readUInt32LE(24),
    packedBytes: bytes.readUInt32LE(20),
    offset: bytes.readUInt32LE(42),
  };
  const extraStart = 46 + lengths.nameBytes;
  widen(sizes, bytes.subarray(extraStart, extraStart + lengths.extraBytes));
  return { name, isDeflated: method === 8, crc: bytes.readUInt32LE(16), ...sizes };
}

/** Replaces the sizes that are all ones by those of the zip64 field, which lists only these. */
function widen(
  sizes: { sizeBytes: number; packedBytes: number; offset: number },
  extra: Buffer,
): void {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    let field = at + 4;
    for (const key of ['sizeBytes', 'packedBytes', 'offset'] as const) {
      if (sizes[key] !== 0xffffffff || field + 8 > extra.length) continue;
      sizes[key] = Number(extra.readBigUInt64LE(field));
      field += 8;
    }
    return;
  }
}

function findDirectory(source: FileSource): { offset: number; length: number; count: number } {
  const tailBytes = Math.min(source.sizeBytes, endBytes + 65_535);
  const tail = Buffer.alloc(tailBytes);
  source.read(tail, source.sizeBytes - tailBytes);
  for (let at = tailBytes - endBytes; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) !== endMagic) continue;
    const end = {
      count: tail.readUInt16LE(at + 10),
      length: tail.readUInt32LE(at + 12),
      offset: tail.readUInt32LE(at + 16),
    };
    const isSmall = end.count !== 0xffff && end.length !== 0xffffffff && end.offset !== 0xffffffff;
    return isSmall ? end : findDirectory64(source, tail, at);
  }
  throw damaged(source, 'is not a zip archive or is cut off (it has no directory)');
}

function findDirectory64(source: FileSource, tail: Buffer, endAt: number) {
  const locatorAt = endAt - 20;
  if (locatorAt < 0 || tail.readUInt32LE(locatorAt) !== locator64Magic) {
    throw damaged(source, 'its zip64 directory is missing');
  }
  const position = Number(tail.readBigUInt64LE(locatorAt + 8));
  const record = Buffer.alloc(56);
  if (position + 56 > source.sizeBytes) throw damaged(source, 'its zip64 directory is cut off');
  source.read(record, position);
  if (record.readUInt32LE(0) !== end64Magic)
    throw damaged(source, 'its zip64 directory is damaged');
  return {
    count: Number(record.readBigUInt64LE(32)),
    length: Number(record.readBigUInt64LE(40)),
    offset: Number(record.readBigUInt64LE(48)),
  };
}

function damaged(source: FileSource, what: string, cause?: unknown): DataError {
  return new DataError(`${source.path}: ${what}.`, {
    file: source.path,
    help: 'Copy the file again; it is damaged or not a zip archive.',
    cause,
  });
}
