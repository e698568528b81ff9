import { DataError, readBytes } from '@lab/core';

/** Larger files are unpacked on the disk by the user, not in memory by us. */
const maxUnpackedBytes = 2 ** 31;

/** Whether bytes begin like gzip; no format read here does so unpacked. */
export function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

/**
 * The content of a gzipped file.
 *
 * @param path - the file, at most 2 GiB when unpacked.
 * @throws {DataError} when the gzip is damaged or cut off, or the content is larger.
 */
export async function unpackGzip(path: string): Promise<Uint8Array> {
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
