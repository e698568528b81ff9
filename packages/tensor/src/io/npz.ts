import { DataError } from '@lab/core';
import type { ArrayRecord } from './array-record.js';
import { withFileSource } from './file-source.js';
import { npyRecord, parseNpyHeader } from './npy.js';
import { readZipEntries, readZipEntry } from './zip.js';

/**
 * Reads all arrays of an npz file (`np.savez` or `np.savez_compressed`).
 *
 * @param path - the file, plain or gzipped; its entries as {@link readNpy} reads them.
 * @returns the arrays by name, without the ending `.npy`.
 * @throws {DataError} when the file is cut off or foreign, when a checksum is wrong, or when an
 * entry is of a type that npy reading refuses.
 *
 * @example
 * ```python
 * np.savez('images.npz', images=x)  # const { images } = await readNpz('images.npz');
 * ```
 */
export async function readNpz(path: string): Promise<Record<string, ArrayRecord>> {
  return withFileSource(path, async (source) => {
    const records: [string, ArrayRecord][] = [];
    for (const entry of readZipEntries(source)) {
      if (!entry.name.endsWith('.npy')) {
        throw new DataError(`${path}: holds "${entry.name}", which is not an npy entry.`, {
          file: path,
          field: entry.name,
          help: 'Give a file of np.savez.',
        });
      }
      const bytes = await readZipEntry(source, entry);
      const name = `${path}/${entry.name}`;
      const header = parseNpyHeader(bytes, { name, sizeBytes: bytes.length });
      const record = npyRecord(header, bytes.subarray(header.dataOffset), name);
      records.push([entry.name.slice(0, -'.npy'.length), record]);
    }
    return Object.fromEntries(records);
  });
}
