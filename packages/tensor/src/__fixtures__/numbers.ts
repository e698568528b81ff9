import { createRandom } from '@lab/core';
import { type CsrArrays, tf } from '../index.js';

/** A float32 tensor of reproducible normal values. */
export function normals(name: string, shape: number[]): tf.Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  return tf.tensor(createRandom(7).fork(name).fillNormal(new Float32Array(size)), shape);
}

/** {@link normals} as a matrix. */
export const matrix = (name: string, rows: number, columns: number): tf.Tensor2D =>
  normals(name, [rows, columns]) as tf.Tensor2D;

/** {@link normals} as a vector. */
export const vector = (name: string, size: number): tf.Tensor1D =>
  normals(name, [size]) as tf.Tensor1D;

/** An int32 vector. */
export const ids = (values: readonly number[]): tf.Tensor1D => tf.tensor1d([...values], 'int32');

/** A sparse pattern with rows of 0, 1 and many entries, one of them twice. */
export function raggedPattern(rowCount: number, columnCount: number): CsrArrays {
  const random = createRandom(11);
  const pointers = [0];
  const columns: number[] = [];
  for (let i = 0; i < rowCount; i++) {
    const count = i % 3 === 1 ? 0 : 1 + ((i * 5) % 7);
    for (let e = 0; e < count; e++) columns.push(random.integer(columnCount));
    pointers.push(columns.length);
  }
  return {
    rowCount,
    columnCount,
    rowPointers: Int32Array.from(pointers),
    columns: Int32Array.from(columns),
  };
}
