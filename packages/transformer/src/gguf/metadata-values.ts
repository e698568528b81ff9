/**
 * Values of metadata in GGUF files, read and written.
 *
 * Source: ggml, `docs/gguf.md`.
 */
import type { ByteReader } from './byte-reader.js';

/** Numbers of one type. */
export type NumberArray =
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array
  | Int16Array
  | Int32Array
  | Int8Array
  | Uint16Array
  | Uint32Array
  | Uint8Array;

/** Types of single numbers, by their id in the file. */
const numberTypes = {
  uint8: { id: 0, array: Uint8Array },
  int8: { id: 1, array: Int8Array },
  uint16: { id: 2, array: Uint16Array },
  int16: { id: 3, array: Int16Array },
  uint32: { id: 4, array: Uint32Array },
  int32: { id: 5, array: Int32Array },
  float32: { id: 6, array: Float32Array },
  uint64: { id: 10, array: BigUint64Array },
  int64: { id: 11, array: BigInt64Array },
  float64: { id: 12, array: Float64Array },
} as const;

const BOOL = 7;
const TEXT = 8;
const ARRAY = 9;

/** Arrays may lie in each other, so deep. */
const MOST_DEPTH = 4;

/** Type of a single number. */
export type NumberType = keyof typeof numberTypes;

const numberTypeOf: ReadonlyMap<number, NumberType> = new Map(
  Object.entries(numberTypes).map(([name, { id }]) => [id, name as NumberType]),
);

/** A value of metadata, with its type as the file has it. */
export type MetadataValue =
  | { readonly type: NumberType; readonly value: bigint | number }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'text'; readonly value: string }
  | MetadataArray;

/** A list of values of one type. */
export type MetadataArray =
  | { readonly type: 'numbers'; readonly of: NumberType; readonly values: NumberArray }
  | { readonly type: 'bools'; readonly values: readonly boolean[] }
  | { readonly type: 'texts'; readonly values: readonly string[] }
  | { readonly type: 'arrays'; readonly values: readonly MetadataArray[] };

/** The next value of a file: its type, then itself. */
export function readValue(reader: ByteReader): MetadataValue {
  const id = reader.u32();
  const type = numberTypeOf.get(id);
  if (type !== undefined) {
    const [value] = numbers(reader, type, 1);
    return { type, value: value! };
  }
  if (id === BOOL) return { type: 'bool', value: bool(reader) };
  if (id === TEXT) return { type: 'text', value: reader.text() };
  if (id === ARRAY) return readArray(reader, 1);
  throw reader.wrong(`has values of type ${id}, which GGUF does not know`);
}

function numbers(reader: ByteReader, type: NumberType, count: number): NumberArray {
  const { array: Numbers } = numberTypes[type];
  const size = Numbers.BYTES_PER_ELEMENT;
  reader.assertRoom(count, size, 'numbers');
  const bytes = reader.bytes(count * size);
  return new Numbers(bytes.buffer as ArrayBuffer, bytes.byteOffset, count);
}

function bool(reader: ByteReader): boolean {
  const [byte] = reader.bytes(1);
  if (byte! <= 1) return byte === 1;
  throw reader.wrong(`has ${byte} for true or false`);
}

function readArray(reader: ByteReader, depth: number): MetadataArray {
  const id = reader.u32();
  const count = reader.count();
  const type = numberTypeOf.get(id);
  if (type !== undefined) {
    return { type: 'numbers', of: type, values: numbers(reader, type, count) };
  }
  const listed = <T>(bytesEach: number, read: () => T): T[] => {
    reader.assertRoom(count, bytesEach, 'values');
    const all: T[] = [];
    for (let at = 0; at < count; at += 1) all.push(read());
    return all;
  };
  if (id === BOOL) return { type: 'bools', values: listed(1, () => bool(reader)) };
  if (id === TEXT) return { type: 'texts', values: listed(8, () => reader.text()) };
  if (id === ARRAY && depth < MOST_DEPTH) {
    return { type: 'arrays', values: listed(12, () => readArray(reader, depth + 1)) };
  }
  throw reader.wrong(
    id === ARRAY
      ? `has arrays ${depth + 1} deep, more than ${MOST_DEPTH}`
      : `has an array of type ${id}, which GGUF does not know`,
  );
}

/** Bytes of a number of 32 bits. */
export function u32Bytes(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** Bytes of a number of 64 bits. */
export function u64Bytes(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

/** Bytes of a text behind its length. */
export function textBytes(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  return Buffer.concat([u64Bytes(bytes.length), bytes]);
}

/** Bytes of a value behind its type. */
export function valueBytes(value: MetadataValue): Uint8Array {
  switch (value.type) {
    case 'bool':
      return Buffer.concat([u32Bytes(BOOL), Uint8Array.of(value.value ? 1 : 0)]);
    case 'text':
      return Buffer.concat([u32Bytes(TEXT), textBytes(value.value)]);
    case 'numbers':
    case 'bools':
    case 'texts':
    case 'arrays':
      return Buffer.concat([u32Bytes(ARRAY), ...arrayParts(value)]);
    default: {
      const { id, array: Numbers } = numberTypes[value.type];
      const one = new Numbers(1) as unknown as (bigint | number)[] & NumberArray;
      one[0] = value.value;
      return Buffer.concat([u32Bytes(id), bytesOf(one)]);
    }
  }
}

function arrayParts(array: MetadataArray): Uint8Array[] {
  const head = (id: number) => [u32Bytes(id), u64Bytes(array.values.length)];
  switch (array.type) {
    case 'numbers':
      return [...head(numberTypes[array.of].id), bytesOf(array.values)];
    case 'bools':
      return [...head(BOOL), Uint8Array.from(array.values, Number)];
    case 'texts':
      return [...head(TEXT), ...array.values.map(textBytes)];
    case 'arrays':
      return [...head(ARRAY), ...array.values.flatMap(arrayParts)];
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: NumberArray) =>
  new Uint8Array(buffer, byteOffset, byteLength);
