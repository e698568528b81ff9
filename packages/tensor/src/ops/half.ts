import { BackendError, ShapeError } from '@lab/core';
import { activeKernels } from '../active-kernels.js';
import { hasKernel, runSingle } from '../engine.js';
import { bfloat16ToFloat32, float16ToFloat32 } from '../io/half.js';
import { WEIGHT_KINDS } from '../kernels/few-rows.js';
import type { HalfAttributes } from '../kernels/half.js';
import { assertDtype, assertShape } from '../shape.js';
import { tf } from '../tfjs.js';
import { checkIndices } from './index-range.js';

/** The two formats of 16-bit numbers: IEEE 754 binary16, and the upper half of a float32. */
export type HalfDtype = 'float16' | 'bfloat16';

/** A constant matrix of 16-bit numbers, for products with float32 rows. */
export interface HalfMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly dtype: HalfDtype;
  /**
   * Its values on the backend: on wasm packed, two to an int32; elsewhere float32 `[rows,
   * columns]`. They count in `memoryReport` as any tensor's.
   */
  readonly values: tf.Tensor;
  /** Whether no value is infinite or NaN; known for float16 only, which is then read faster. */
  readonly isFinite: boolean;
  /** Frees the values. */
  dispose(): void;
}

/** Shape and format of a {@link HalfMatrix}. */
export interface HalfMatrixOptions {
  readonly rows: number;
  readonly columns: number;
  readonly dtype: HalfDtype;
}

/** Patterns two by two as int32: in the same memory, or copied and the last filled up with 0. */
function packed(data: Uint16Array | Uint8Array): Int32Array {
  const { buffer, byteOffset, byteLength } = data;
  if (byteOffset % 4 === 0 && byteLength % 4 === 0) {
    return new Int32Array(buffer, byteOffset, byteLength / 4);
  }
  const words = new Int32Array(Math.ceil(byteLength / 4));
  new Uint8Array(words.buffer).set(new Uint8Array(buffer, byteOffset, byteLength));
  return words;
}

function checkLength(data: Uint16Array | Uint8Array, options: HalfMatrixOptions): void {
  const { rows, columns, dtype } = options;
  const isCount = (n: number): boolean => Number.isInteger(n) && n >= 0;
  if (isCount(rows) && isCount(columns) && data.byteLength === 2 * rows * columns) return;
  throw new ShapeError(
    `tensor: a ${dtype} matrix of ${rows} x ${columns} has ${2 * rows * columns} bytes, ` +
      `the data has ${data.byteLength}.`,
    { expected: `[${rows}, ${columns}]`, got: `${data.byteLength} bytes` },
  );
}

/** Whether no float16 pattern is Infinity or NaN. */
function areFinite(patterns: Uint16Array): boolean {
  for (let at = 0; at < patterns.length; at += 1) {
    if ((patterns[at]! & 0x7c00) === 0x7c00) return false;
  }
  return true;
}

/** Whether a {@link HalfMatrix} takes two bytes a number on the present backend, else four. */
export const keepsHalf = (): boolean => hasKernel('LabHalfMatMul');

/**
 * A matrix of 16-bit numbers on the present backend: as they are on wasm, as float32 elsewhere.
 *
 * Make it outside gradients; it lives until `dispose`, also in `tf.tidy`. The data may be changed
 * afterwards.
 *
 * @param data - row-major patterns: as 16-bit numbers, or as bytes, little endian, as a safetensors
 *   file holds them.
 * @param options - rows and columns of the matrix, and the format.
 * @throws {ShapeError} when the length of the data is another.
 */
export function createHalfMatrix(
  data: Uint16Array | Uint8Array,
  options: HalfMatrixOptions,
): HalfMatrix {
  checkLength(data, options);
  const { rows, columns, dtype } = options;
  const words = packed(data);
  const patterns = new Uint16Array(words.buffer, words.byteOffset, rows * columns);
  const isFinite = dtype === 'float16' && areFinite(patterns);
  const toFloats = dtype === 'float16' ? float16ToFloat32 : bfloat16ToFloat32;
  const values = keepsHalf()
    ? tf.tensor1d(words, 'int32')
    : tf.tensor2d(toFloats(patterns), [rows, columns]);
  tf.keep(values);
  return { rows, columns, dtype, values, isFinite, dispose: () => values.dispose() };
}

/**
 * As {@link createHalfMatrix}, of data that `fill` writes: on wasm straight into the backend's
 * memory, without a copy. Other work may go on meanwhile.
 *
 * @param fill - writes all of its target; the target is no longer there once it has ended.
 */
export async function readHalfMatrix(
  fill: (target: Uint8Array) => Promise<void>,
  options: HalfMatrixOptions,
): Promise<HalfMatrix> {
  const { rows, columns, dtype } = options;
  const sizeBytes = 2 * rows * columns;
  const memory = keepsHalf() ? activeKernels()?.memory : undefined;
  // Memory that is not shared moves when it grows: nothing may be written to it later.
  if (memory?.isShared !== true) {
    const target = new Uint8Array(sizeBytes);
    await fill(target);
    return createHalfMatrix(target, options);
  }
  const words = Math.max(1, Math.ceil(sizeBytes / 4));
  const info = memory.output([words], 'int32');
  const values = tf.keep(tf.engine().makeTensorFromTensorInfo(info));
  try {
    const heap = memory.ints(memory.addressOf(values), words);
    heap[words - 1] = 0;
    await fill(new Uint8Array(heap.buffer, heap.byteOffset, sizeBytes));
    const patterns = new Uint16Array(heap.buffer, heap.byteOffset, rows * columns);
    const isFinite = dtype === 'float16' && areFinite(patterns);
    return { rows, columns, dtype, values, isFinite, dispose: () => values.dispose() };
  } catch (error) {
    values.dispose();
    throw error;
  }
}

/** Whether our kernels read the values; they must be on wasm then. */
function isPacked({ values, dtype }: HalfMatrix): boolean {
  if (values.dtype !== 'int32') return false;
  if (keepsHalf()) return true;
  throw new BackendError(
    `tensor: this ${dtype} matrix was made on wasm, the backend is now ${tf.getBackend()}.`,
    { help: 'Make the matrix after selectBackend, once for each backend.' },
  );
}

function attributesOf({ rows, columns, dtype, isFinite }: HalfMatrix): HalfAttributes {
  if (dtype === 'bfloat16') return { rows, columns, kind: WEIGHT_KINDS.bfloat16 };
  return { rows, columns, kind: isFinite ? WEIGHT_KINDS.finiteFloat16 : WEIGHT_KINDS.float16 };
}

/**
 * Rows times the transpose of a matrix of 16-bit weights: `y = x W^T + b`, all sums in float32.
 *
 * The layout of W is that of PyTorch's Linear. Gradients reach x and the bias, not W.
 *
 * @param x - float32 `[M, K]`.
 * @param weight - N rows of K columns.
 * @param options - `bias`: float32 `[N]`; left out: none.
 * @returns `[M, N]`.
 * @throws {ShapeError} when shapes disagree.
 * @throws {BackendError} for a matrix made on wasm when the backend is another.
 */
export function halfMatMul(
  x: tf.Tensor2D,
  weight: HalfMatrix,
  options: { readonly bias?: tf.Tensor1D } = {},
): tf.Tensor2D {
  const { bias } = options;
  assertShape(x, `M ${weight.columns}`);
  assertDtype(x, 'float32', 'x');
  if (bias !== undefined) {
    assertShape(bias, String(weight.rows), 'bias');
    assertDtype(bias, 'float32', 'bias');
  }
  if (isPacked(weight)) {
    const inputs = { x, weight: weight.values, ...(bias === undefined ? {} : { bias }) };
    return runSingle('LabHalfMatMul', inputs, { ...attributesOf(weight) });
  }
  return tf.tidy(() => {
    const y = tf.matMul<tf.Tensor2D>(x, weight.values as tf.Tensor2D, false, true);
    return bias === undefined ? y : tf.add(y, bias);
  });
}

/**
 * Rows of a matrix of 16-bit numbers by index, as float32: an embedding look-up. Exact.
 *
 * @param weight - N rows of K columns.
 * @param indices - int32 `[B]`, each in `0 .. N-1`.
 * @returns `[B, K]`, without gradient.
 * @throws {ShapeError} for other ranks or types.
 * @throws {DataError} for an index out of range (on cpu and wasm).
 */
export function halfRows(weight: HalfMatrix, indices: tf.Tensor1D): tf.Tensor2D {
  assertShape(indices, 'B', 'indices');
  assertDtype(indices, 'int32', 'indices');
  if (isPacked(weight)) {
    const inputs = { weight: weight.values, indices };
    return runSingle('LabHalfRows', inputs, { ...attributesOf(weight) });
  }
  checkIndices(indices, { name: 'indices', low: 0, high: weight.rows });
  return tf.gather(weight.values as tf.Tensor2D, indices);
}
