import { writeStreamAtomic } from '@lab/core';
import type { TypedArray } from './array-record.js';
import { checkedRecord } from './checked-record.js';
import { encodeNumbers } from './dtype.js';
import { openSafetensors, type SafetensorsFile } from './safetensors.js';
import { encodeSafetensorsHeader, type TensorEntry } from './safetensors-header.js';

/** Gives the numbers of a tensor that is changed, from those that it has; as many of the kind. */
export type TensorChange = (numbers: TypedArray) => Promise<TypedArray> | TypedArray;

/** Texts in the header of a file, by name. */
export type HeaderTexts = Readonly<Record<string, string>>;

/** How {@link copySafetensors} copies. */
export interface CopySafetensorsOptions {
  /** Of a tensor, how it is changed; null leaves it as it is, byte by byte. */
  readonly change: (name: string, entry: TensorEntry) => TensorChange | null;
  /** Texts for the header, from those of the file; default these. */
  readonly metadata?: ((before: HeaderTexts) => HeaderTexts) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called behind each tensor with the bytes that are written by then. */
  readonly onProgress?: ((doneBytes: number) => void) | undefined;
}

/** Bytes that are copied at once. */
const BLOCK = 1 << 26;

/**
 * Copies a safetensors file with some tensors changed, streaming and atomically: names, types,
 * shapes and order stay, and every tensor that is not changed keeps its bytes.
 *
 * @returns names of the tensors that were changed.
 * @throws {DataError} as `openSafetensors`, and when a change gives other numbers than the tensor
 *   has room for, or the disk is full.
 */
export async function copySafetensors(
  from: string,
  to: string,
  options: CopySafetensorsOptions,
): Promise<string[]> {
  const file = openSafetensors(from);
  try {
    const changes = new Map<string, TensorChange>();
    for (const [name, entry] of file.entries) {
      const change = options.change(name, entry);
      if (change !== null) changes.set(name, change);
    }
    await writeStreamAtomic(to, copiedParts(file, changes, options));
    return [...changes.keys()];
  } finally {
    file.close();
  }
}

async function* copiedParts(
  file: SafetensorsFile,
  changes: ReadonlyMap<string, TensorChange>,
  { metadata = (before) => before, signal, onProgress }: CopySafetensorsOptions,
): AsyncGenerator<Uint8Array> {
  yield encodeSafetensorsHeader(file.entries, metadata(file.metadata));
  for (const [name, { begin, end }] of file.entries) {
    const change = changes.get(name);
    if (change !== undefined) {
      const { shape, dtype, data } = await file.read(name);
      yield* encodeNumbers(checkedRecord(name, { shape, dtype, data: await change(data) }));
    } else {
      for (let at = 0; at < end - begin; at += BLOCK) {
        signal?.throwIfAborted();
        yield await file.readBytes(name, { begin: at, end: Math.min(at + BLOCK, end - begin) });
      }
    }
    signal?.throwIfAborted();
    onProgress?.(end);
  }
}
