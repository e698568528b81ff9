/**
 * Compared rows as arrays in the host's memory.
 */
import { type HostMatrix, HostRows, type tf } from '@lab/tensor';
import type { ComparedRows } from '../compared-rows.js';

/** Both sides as arrays; draws stand side by side, so that products are means over them. */
export async function hostPair({ left, right }: Pick<ComparedRows, 'left' | 'right'>): Promise<{
  readonly left: HostMatrix;
  readonly right: HostMatrix;
}> {
  return { left: await hostMatrix(left), right: await hostMatrix(right) };
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
