import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
} from './half.js';
import type { ArrayDtype, ArrayRecord, TypedArray } from './array-record.js';

type ArrayConstructor =
  | Float32ArrayConstructor
  | Float64ArrayConstructor
  | Int8ArrayConstructor
  | Uint8ArrayConstructor
  | Int16ArrayConstructor
  | Uint16ArrayConstructor
  | Int32ArrayConstructor
  | Uint32ArrayConstructor
  | BigInt64ArrayConstructor
  | BigUint64ArrayConstructor;

/** The array that holds the stored bits; for the two half formats their 16-bit patterns. */
const storage: Record<ArrayDtype, ArrayConstructor> = {
  float16: Uint16Array,
  bfloat16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
};

const numpyTypes: Readonly<Record<string, ArrayDtype>> = {
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  i1: 'int8',
  u1: 'uint8',
  i2: 'int16',
  u2: 'uint16',
  i4: 'int32',
  u4: 'uint32',
  i8: 'int64',
  u8: 'uint64',
  b1: 'bool',
};

/** A NumPy type string taken apart. */
export interface NumpyType {
  dtype: ArrayDtype;
  isBigEndian: boolean;
}

/**
 * The meaning of a NumPy type string such as `<f4` or `|b1`, or undefined when it is none of
 * float 16 to 64, integer 8 to 64 and bool.
 *
 * @param text - byte order (`<`, `>`, `|`, `=` or nothing), kind and bytes.
 */
export function parseNumpyType(text: string): NumpyType | undefined {
  const match = /^([<>|=]?)([a-z]\d)$/.exec(text);
  const dtype = match === null ? undefined : numpyTypes[match[2]!];
  return dtype === undefined ? undefined : { dtype, isBigEndian: match![1] === '>' };
}

/** The NumPy type string of a dtype, little endian, or undefined for bfloat16. */
export function numpyTypeOf(dtype: ArrayDtype): string | undefined {
  const found = Object.entries(numpyTypes).find(([, value]) => value === dtype);
  if (found === undefined) return undefined;
  return (itemBytes(dtype) === 1 ? '|' : '<') + found[0];
}

/** Bytes of one stored number. */
export function itemBytes(dtype: ArrayDtype): number {
  return storage[dtype].BYTES_PER_ELEMENT;
}

/** Number of elements of a shape, or undefined when it is no shape or not countable exactly. */
export function elementCount(shape: readonly number[]): number | undefined {
  let count = 1;
  let isEmpty = false;
  for (const length of shape) {
    if (!Number.isSafeInteger(length) || length < 0) return undefined;
    if (length === 0) isEmpty = true;
    else count *= length;
  }
  if (isEmpty) return 0;
  return Number.isSafeInteger(count) ? count : undefined;
}

/**
 * The numbers that `bytes` hold. Shares their memory where alignment and byte order allow.
 *
 * @param type - how they are stored.
 * @param bytes - a whole number of elements.
 */
export function decodeNumbers(type: NumpyType, bytes: Uint8Array): TypedArray {
  const size = itemBytes(type.dtype);
  const isShared = bytes.byteOffset % size === 0 && !(type.isBigEndian && size > 1);
  const raw = isShared ? bytes : bytes.slice();
  if (type.isBigEndian) swapBytes(raw, size);
  const Storage = storage[type.dtype];
  const numbers = new Storage(raw.buffer as ArrayBuffer, raw.byteOffset, raw.length / size);
  if (type.dtype === 'float16') return float16ToFloat32(numbers as Uint16Array);
  if (type.dtype === 'bfloat16') return bfloat16ToFloat32(numbers as Uint16Array);
  return numbers;
}

/** The numbers that little-endian bytes hold, as every format but NumPy's has them. */
export function numbersOfBytes(dtype: ArrayDtype, bytes: Uint8Array): TypedArray {
  return decodeNumbers({ dtype, isBigEndian: false }, bytes);
}

/** The stored bytes of a record, little endian, in blocks; no copy where none is needed. */
export function* encodeNumbers(record: ArrayRecord): Generator<Uint8Array> {
  const { dtype, data } = record;
  if (dtype !== 'float16' && dtype !== 'bfloat16') {
    yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return;
  }
  const toHalf = dtype === 'float16' ? float32ToFloat16 : float32ToBfloat16;
  const blockLength = 1 << 20;
  for (let start = 0; start < data.length; start += blockLength) {
    const half = toHalf((data as Float32Array).subarray(start, start + blockLength));
    yield new Uint8Array(half.buffer);
  }
}

/** Whether `data` is the kind of array that holds numbers of `dtype` in memory. */
export function isArrayOf(dtype: ArrayDtype, data: unknown): data is TypedArray {
  const isHalf = dtype === 'float16' || dtype === 'bfloat16';
  return data instanceof (isHalf ? Float32Array : storage[dtype]);
}

/** The dtype that a typed array has by itself, or undefined for other arrays. */
export function dtypeOf(data: unknown): ArrayDtype | undefined {
  const plain = Object.keys(storage).filter(
    (name) => !['float16', 'bfloat16', 'bool'].includes(name),
  );
  return (plain as ArrayDtype[]).find((dtype) => data instanceof storage[dtype]);
}

/** Row-major copy of numbers stored column-major (Fortran order). */
export function toRowMajor(data: TypedArray, shape: readonly number[]): TypedArray {
  if (shape.length < 2) return data;
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((a, b) => a * b, 1));
  return stridedCopy(data, shape, strides);
}

/**
 * Row-major copy of an array whose neighbours along an axis lie `strides[axis]` elements apart.
 *
 * @param data - all elements.
 * @param shape - lengths of the axes, at least one.
 * @param strides - in elements.
 */
export function stridedCopy(
  data: TypedArray,
  shape: readonly number[],
  strides: readonly number[],
): TypedArray {
  const source = data as Float64Array;
  const out = new (data.constructor as Float64ArrayConstructor)(data.length);
  const lastLength = shape.at(-1)!;
  const lastStride = strides.at(-1)!;
  const index = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let row = 0; row < data.length; row += lastLength) {
    for (let i = 0; i < lastLength; i += 1) out[row + i] = source[from + i * lastStride]!;
    for (let axis = shape.length - 2; axis >= 0; axis -= 1) {
      index[axis] = index[axis]! + 1;
      from += strides[axis]!;
      if (index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

function swapBytes(bytes: Uint8Array, size: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (size === 2) buffer.swap16();
  else if (size === 4) buffer.swap32();
  else if (size === 8) buffer.swap64();
}
