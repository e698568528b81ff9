/** The typed arrays that a file's numbers are read into. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/**
 * How an array's numbers are stored in a file. In memory `float16` and `bfloat16` are a
 * Float32Array, `bool` is a Uint8Array of 0 and 1, 64-bit integers are BigInt arrays.
 */
export type ArrayDtype =
  | 'float16'
  | 'bfloat16'
  | 'float32'
  | 'float64'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'bool';

/** An n-dimensional array, row-major. */
export interface ArrayRecord {
  shape: number[];
  dtype: ArrayDtype;
  data: TypedArray;
}
