import { DataError, readBytes } from '@lab/core';
import type { FileSource } from './file-source.js';

/** Larger files are unpacked on the disk by the user, not in memory by us. */
const maxUnpackedBytes = 2 ** 31;

/** Whether a file begins like gzip; none of the formats read here does so unpacked. */
export function isGzip(source: FileSource): boolean {
  if (source.sizeBytes < 2) return false;
  const magic = new Uint8Array(2);
  source.read(magic, 0);
  return magic[0] === 0x1f && magic[1] === 0x8b;
}

/**
 * The content of a gzipped file, unpacked in memory, to be read at given places.
 *
 * @param path - the gzipped file, at most 2 GiB when unpacked.
 * @throws {DataError} when the gzip is damaged or cut off, or the content is larger.
 */
export async function unpackedSource(path: string): Promise<FileSource> {
  const content = await unpack(path);
  const read = (target: Uint8Array, position: number): void => {
    const end = position + target.length;
    if (end > content.length) {
      const what = `ends at byte ${content.length}, ${end - content.length} more bytes are needed`;
      const help = 'Copy the file again; it is cut off.';
      throw new DataError(`${path}: ${what}.`, { file: path, help });
    }
    target.set(content.subarray(position, end));
  };
  return {
    path,
    sizeBytes: content.length,
    read,
    async readLarge(target, position) {
      read(target, position);
    },
    close: () => undefined,
  };
}

async function unpack(path: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of readBytes(path)) {
    length += chunk.length;
    if (length > maxUnpackedBytes) {
      const help = 'Unpack it with gunzip, then name the unpacked file.';
      throw new DataError(`${path}: holds more than 2 GiB when unpacked.`, { file: path, help });
    }
    chunks.push(chunk);
  }
  const content = new Uint8Array(length);
  let start = 0;
  for (const chunk of chunks) {
    content.set(chunk, start);
    start += chunk.length;
  }
  return content;
}
