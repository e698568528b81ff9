/**
 * Writes GGUF files, version 3.
 *
 * Source: ggml, `docs/gguf.md`.
 */
import { ALIGNMENT, MAGIC } from './gguf-header.js';
import {
  type MetadataValue,
  textBytes,
  u32Bytes,
  u64Bytes,
  valueBytes,
} from './metadata-values.js';
import { bytesOfNumbers, type TensorType } from './tensor-types.js';

/** A tensor to be written. */
export interface WritableTensor {
  readonly name: string;
  readonly type: TensorType;
  /** Rows first. */
  readonly shape: readonly number[];
  /** Its bytes, one part after the other. */
  readonly parts: () => AsyncIterable<Uint8Array>;
}

const VERSION = 3;

const padded = (count: number): number => Math.ceil(count / ALIGNMENT) * ALIGNMENT;

/** Bytes of a tensor. */
export const tensorBytes = ({ type, shape }: Pick<WritableTensor, 'shape' | 'type'>): number =>
  bytesOfNumbers(
    type,
    shape.reduce((count, length) => count * length, 1),
  );

/**
 * The bytes of a file, part by part; tensors are asked for theirs one after the other.
 *
 * @throws {Error} where a tensor gives more or fewer bytes than its shape says.
 */
export async function* ggufParts(
  metadata: ReadonlyMap<string, MetadataValue>,
  tensors: readonly WritableTensor[],
): AsyncGenerator<Uint8Array> {
  const header = headerBytes(metadata, tensors);
  yield header;
  yield new Uint8Array(padded(header.length) - header.length);
  for (const tensor of tensors) {
    const sizeBytes = tensorBytes(tensor);
    let done = 0;
    for await (const part of tensor.parts()) {
      done += part.length;
      yield part;
    }
    if (done !== sizeBytes) throw new Error(`${tensor.name} has ${done} bytes, not ${sizeBytes}`);
    yield new Uint8Array(padded(sizeBytes) - sizeBytes);
  }
}

function headerBytes(
  metadata: ReadonlyMap<string, MetadataValue>,
  tensors: readonly WritableTensor[],
): Uint8Array {
  const parts = [u32Bytes(MAGIC), u32Bytes(VERSION)];
  parts.push(u64Bytes(tensors.length), u64Bytes(metadata.size));
  for (const [key, value] of metadata) parts.push(textBytes(key), valueBytes(value));
  let offset = 0;
  for (const tensor of tensors) {
    const { name, type, shape } = tensor;
    parts.push(textBytes(name), u32Bytes(shape.length));
    for (const length of shape.toReversed()) parts.push(u64Bytes(length));
    parts.push(u32Bytes(type.id), u64Bytes(offset));
    offset += padded(tensorBytes(tensor));
  }
  return Buffer.concat(parts);
}
