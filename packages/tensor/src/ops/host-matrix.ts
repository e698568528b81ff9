import { ShapeError } from '@lab/core';
import { heapView } from '../heap-view.js';
import { assertShape } from '../shape.js';
import { tf } from '../tfjs.js';

/** A constant matrix outside the backend's memory, row-major; for inputs that would fill it. */
export interface HostMatrix {
  readonly rowCount: number;
  readonly columnCount: number;
  readonly values: Float32Array;
}

/** Bytes of the matrix that are on the backend at one time. */
const BLOCK_BYTES = 2 ** 24;

function blocksOf({ rowCount, columnCount }: HostMatrix): { start: number; rows: number }[] {
  const step = Math.max(1, Math.floor(BLOCK_BYTES / 4 / Math.max(1, columnCount)));
  const count = Math.ceil(rowCount / step);
  return Array.from({ length: count }, (_, i) => {
    return { start: i * step, rows: Math.min(step, rowCount - i * step) };
  });
}

function upload({ columnCount, values }: HostMatrix, start: number, rows: number): tf.Tensor2D {
  const part = values.subarray(start * columnCount, (start + rows) * columnCount);
  return tf.tensor2d(part, [rows, columnCount]);
}

function product(host: HostMatrix, dense: tf.Tensor2D): tf.Tensor2D {
  const width = dense.shape[1];
  if (host.rowCount === 0) return tf.zeros([0, width]);
  const parts = blocksOf(host).map(({ start, rows }) =>
    tf.tidy(() => tf.matMul(upload(host, start, rows), dense) as tf.Tensor2D),
  );
  return tf.concat2d(parts, 0);
}

/** `X^T dy`, summed block by block. */
function transposeProduct(host: HostMatrix, dy: tf.Tensor2D): tf.Tensor2D {
  let sum = tf.zeros([host.columnCount, dy.shape[1]]) as tf.Tensor2D;
  for (const { start, rows } of blocksOf(host)) {
    const next = tf.tidy(() => {
      const part = tf.slice2d(dy, [start, 0], [rows, -1]);
      return tf.add(sum, tf.matMul(upload(host, start, rows), part, true)) as tf.Tensor2D;
    });
    sum.dispose();
    sum = next;
  }
  return sum;
}

/**
 * Product of a matrix in the host's memory with a tensor: `y = X w`.
 *
 * X goes to the backend in blocks of 16 MiB, in the forward pass and again for the gradient of `w`,
 * so it takes no room there: 200,000 image vectors of 2,048 numbers would take 1.6 GB of a wasm
 * heap that ends at 4 GiB. The copying costs about 1 s for 5 GB.
 *
 * @param host - X, `[N, F]`; must not change between forward and backward pass.
 * @param dense - w, `[F, D]`.
 * @returns `[N, D]`.
 * @throws {ShapeError} when sizes disagree.
 */
export function hostMatMul(host: HostMatrix, dense: tf.Tensor2D): tf.Tensor2D {
  assertShape(dense, `${host.columnCount} D`, 'dense');
  if (host.values.length !== host.rowCount * host.columnCount) {
    throw new ShapeError(
      `tensor: a host matrix of ${host.rowCount} x ${host.columnCount} has ` +
        `${host.values.length} values.`,
      { expected: String(host.rowCount * host.columnCount), got: String(host.values.length) },
    );
  }
  const operation = tf.customGrad((w) => ({
    value: product(host, w as tf.Tensor2D),
    gradFunc: (dy: tf.Tensor) => transposeProduct(host, dy as tf.Tensor2D),
  }));
  return operation(dense) as tf.Tensor2D;
}

/**
 * Writes a tensor over columns of a matrix in the host's memory; on wasm straight from its heap, so
 * that results may be far larger than what the backend and a copy of it hold.
 *
 * @param start - first column that is written.
 * @param part - `[N, c]` with c columns at most as many as there are from `start` on.
 * @throws {ShapeError} when rows disagree or columns do not fit.
 */
export async function writeColumns(
  { rowCount, columnCount, values }: HostMatrix,
  start: number,
  part: tf.Tensor2D,
): Promise<void> {
  assertShape(part, `${rowCount} c`, 'part');
  const count = part.shape[1];
  if (!(Number.isInteger(start) && start >= 0 && start + count <= columnCount)) {
    throw new ShapeError(`tensor: ${count} columns from ${start} on, of ${columnCount}.`, {
      expected: `at most ${columnCount}`,
      got: String(start + count),
    });
  }
  if (part.size === 0) return;
  const from = heapView(part) ?? (await part.data<'float32'>());
  for (let row = 0; row < rowCount; row += 1) {
    const own = from.subarray(row * count, (row + 1) * count);
    values.set(own, row * columnCount + start);
  }
}
