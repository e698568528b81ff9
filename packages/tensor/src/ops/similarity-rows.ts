import { tf } from '../tfjs.js';
import { addressOf, type KernelModule } from '../kernel-module.js';
import type { HostMatrix } from './host-matrix.js';

/** Rows of one sample of a side: on the backend, or in the host's memory and uploaded in blocks. */
export type RowSource = tf.Tensor2D | HostMatrix;

const isHost = (rows: RowSource): rows is HostMatrix => 'values' in rows;

/** Rows and features of a source. */
export function sizeOf(rows: RowSource): [rowCount: number, width: number] {
  return isHost(rows) ? [rows.rowCount, rows.columnCount] : [rows.shape[0], rows.shape[1]];
}

/** Whether any source has its rows in the host's memory. */
export function anyHost(sources: readonly RowSource[]): boolean {
  return sources.some(isHost);
}

/** All values, where they are: for checks. */
export async function valuesOf(rows: RowSource): Promise<Float32Array> {
  return isHost(rows) ? rows.values : ((await rows.data()) as Float32Array);
}

/** Some consecutive rows as a tensor of the caller's. */
export function sliceRows(rows: RowSource, start: number, count: number): tf.Tensor2D {
  if (!isHost(rows)) return tf.slice(rows, [start, 0], [count, -1]);
  const { columnCount, values } = rows;
  const part = values.subarray(start * columnCount, (start + count) * columnCount);
  return tf.tensor2d(part, [count, columnCount]);
}

/** Rows by index as a tensor of the caller's. */
export function pickRows(rows: RowSource, indices: Int32Array): tf.Tensor2D {
  if (!isHost(rows)) {
    return tf.tidy(() => tf.gather(rows, tf.tensor1d(indices, 'int32')) as tf.Tensor2D);
  }
  const { columnCount, values } = rows;
  const picked = new Float32Array(indices.length * columnCount);
  indices.forEach((row, at) => {
    picked.set(values.subarray(row * columnCount, (row + 1) * columnCount), at * columnCount);
  });
  return tf.tensor2d(picked, [indices.length, columnCount]);
}

/** Rows in the wasm heap, the last block of a host source kept until another one is asked for. */
export interface RowReader {
  /** Address of a row; the `count` rows from it on follow each other. */
  addressOf(start: number, count: number): number;
  dispose(): void;
}

/** A reader of a source's rows for our kernels. */
export function createRowReader(kernels: KernelModule, rows: RowSource): RowReader {
  const width = sizeOf(rows)[1];
  if (!isHost(rows)) {
    return { addressOf: (start) => addressOf(kernels, rows) + 4 * start * width, dispose() {} };
  }
  let kept: { start: number; count: number; tensor: tf.Tensor2D } | null = null;
  const drop = () => {
    kept?.tensor.dispose();
    kept = null;
  };
  return {
    addressOf: (start, count) => {
      if (kept?.start !== start || kept.count !== count) {
        drop();
        kept = { start, count, tensor: sliceRows(rows, start, count) };
      }
      return addressOf(kernels, kept.tensor);
    },
    dispose: drop,
  };
}
