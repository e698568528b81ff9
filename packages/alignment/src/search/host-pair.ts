/**
 * Compared rows as arrays in the host's memory.
 */
import { type HostMatrix, HostRows, type tf } from '@lab/tensor';
import type { ComparedRows } from '../compared-rows.js';

/** Both sides in the host's memory, rows of length 1. */
export interface HostPair {
  readonly left: HostMatrix;
  readonly right: HostMatrix;
}

/** Both sides as arrays; draws stand side by side, so that products are means over them. */
export async function hostPair({
  left,
  right,
}: Pick<ComparedRows, 'left' | 'right'>): Promise<HostPair> {
  return { left: await hostMatrix(left), right: await hostMatrix(right) };
}

/** Product of one row of the left side with one of the right. */
export function pairProduct({ left, right }: HostPair, row: number, column: number): number {
  const width = left.columnCount;
  const own = left.values.subarray(row * width, (row + 1) * width);
  const other = right.values.subarray(column * width, (column + 1) * width);
  return own.reduce((sum, value, d) => sum + value * other[d]!, 0);
}

async function hostMatrix(rows: ComparedRows['left']): Promise<HostMatrix> {
  if (rows instanceof HostRows) return rows;
  if (rows.length === 1) return matrixOf(rows[0]!);
  const [rowCount, width] = rows[0]!.shape;
  const columnCount = width * rows.length;
  const scale = 1 / Math.sqrt(rows.length);
  const values = new Float32Array(rowCount * columnCount);
  for (const [place, draw] of rows.entries()) {
    const { values: own } = await matrixOf(draw);
    own.forEach((value, at) => {
      const [row, column] = [Math.floor(at / width), at % width];
      values[row * columnCount + place * width + column] = scale * value;
    });
  }
  return { rowCount, columnCount, values };
}

async function matrixOf(x: tf.Tensor2D): Promise<HostMatrix> {
  const [rowCount, columnCount] = x.shape;
  return { rowCount, columnCount, values: (await x.data()) as Float32Array };
}
