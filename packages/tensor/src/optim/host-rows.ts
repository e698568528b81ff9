import { ConfigError, DataError, ModelError, ShapeError } from '@lab/core';
import { emptyRows } from '../kernels/in-place.js';
import { assertShape } from '../shape.js';
import { tf } from '../tfjs.js';
import { heapView } from '../heap-view.js';

/** Most values of one array: what Node 20 holds in a Float32Array (16 GiB). */
const MOST_VALUES = 2 ** 32;

/**
 * A matrix in the host's memory and the gradient that arrives at it, for tables and states that
 * would not fit the backend. Rows travel to the backend in blocks.
 *
 * Pages of memory that nothing was written to cost nothing on most systems; the gradient does not
 * exist before the first row of it arrives.
 */
export class HostRows {
  readonly rowCount: number;
  readonly columnCount: number;
  /** Null: let go of. */
  #values: Float32Array | null;
  #gradient: Float32Array | null = null;

  /**
   * @param values - row-major `[N, D]`, taken over; default zeros.
   * @throws {ConfigError} for sizes that no array can have.
   * @throws {ShapeError} when `values` has not N D values.
   */
  constructor(rowCount: number, columnCount: number, values?: Float32Array) {
    const size = rowCount * columnCount;
    const isSize = [rowCount, columnCount].every((n) => Number.isInteger(n) && n >= 0);
    if (!isSize || size > MOST_VALUES) {
      throw new ConfigError(
        `tensor/HostRows: ${rowCount} x ${columnCount} values do not fit one array.`,
        { help: `Give whole numbers whose product is at most ${MOST_VALUES}.` },
      );
    }
    if (values !== undefined && values.length !== size) {
      throw new ShapeError(
        `tensor/HostRows: ${rowCount} x ${columnCount} rows have ${values.length} values.`,
        { expected: String(size), got: String(values.length) },
      );
    }
    this.rowCount = rowCount;
    this.columnCount = columnCount;
    this.#values = values ?? new Float32Array(size);
  }

  /**
   * Row-major `[N, D]`: the values themselves, no copy.
   *
   * @throws {ModelError} after {@link HostRows.releaseValues}.
   */
  get values(): Float32Array {
    if (this.#values !== null) return this.#values;
    throw new ModelError('tensor/HostRows: the values were asked for after they were released.');
  }

  /** Row-major `[N, D]`: what has arrived since {@link HostRows.clearGradient}; null: nothing. */
  get gradient(): Float32Array | null {
    return this.#gradient;
  }

  /**
   * Rows by index as a tensor `[B, D]`.
   *
   * @param rows - each in `0 .. N-1`.
   * @throws {DataError} for an index out of range.
   */
  gather(rows: Int32Array): tf.Tensor2D {
    return this.#upload(rows.length, (target) => this.copyRows(rows, target));
  }

  /** As {@link HostRows.gather}, into an array of at least `B stride` values from `offset` on. */
  copyRows(rows: Int32Array, target: Float32Array, { offset = 0, stride = this.columnCount } = {}) {
    this.#assertRows(rows);
    copyRows({ from: this.values, rows, size: this.columnCount }, { target, offset, stride });
  }

  /**
   * Writes the rows of a tensor `[B, D]` over those with the given indices.
   *
   * @throws {DataError} for an index out of range.
   */
  write(rows: Int32Array, x: tf.Tensor2D): void {
    assertShape(x, `${rows.length} ${this.columnCount}`, 'x');
    this.#assertRows(rows);
    const to = { target: this.values, rows, size: this.columnCount };
    withValues(x, (values) => writeRows(values, to));
  }

  /**
   * Adds the rows of a tensor `[B, D]` to the gradient, each at its index; an index may occur many
   * times.
   *
   * @throws {DataError} for an index out of range.
   */
  addGradient(rows: Int32Array, gradient: tf.Tensor2D): void {
    assertShape(gradient, `${rows.length} ${this.columnCount}`, 'gradient');
    withValues(gradient, (values) => this.addGradientRows(rows, values));
  }

  /** As {@link HostRows.addGradient}, from an array whose rows are `stride` values apart. */
  addGradientRows(
    rows: Int32Array,
    values: Float32Array,
    { offset = 0, stride = this.columnCount } = {},
  ): void {
    this.#assertRows(rows);
    this.#gradient ??= new Float32Array(this.rowCount * this.columnCount);
    const to = { target: this.#gradient, rows, size: this.columnCount };
    addRows({ values, offset, stride }, to);
  }

  /** The gradient of rows by index as a tensor `[B, D]`; zeros where none arrived. */
  gatherGradient(rows: Int32Array): tf.Tensor2D {
    const from = this.#gradient;
    this.#assertRows(rows);
    if (from === null) return tf.zeros([rows.length, this.columnCount]);
    const [size, offset] = [this.columnCount, 0];
    return this.#upload(rows.length, (target) =>
      copyRows({ from, rows, size }, { target, offset, stride: size }),
    );
  }

  /** Forgets the gradient; its memory is kept and filled with zeros unless `free` is set. */
  clearGradient({ free = false } = {}): void {
    if (free) this.#gradient = null;
    else this.#gradient?.fill(0);
  }

  /** Lets go of the values, and keeps the gradient: nothing can be read any more. */
  releaseValues(): void {
    this.#values = null;
  }

  #assertRows(rows: Int32Array): void {
    for (let i = 0; i < rows.length; i += 1) {
      const row = rows[i] as number;
      if (row >= 0 && row < this.rowCount) continue;
      throw new DataError(
        `tensor/HostRows: row ${row} was asked for, there are ${this.rowCount} rows.`,
      );
    }
  }

  /** A tensor whose values `fill` writes, on wasm straight into its heap. */
  #upload(rowCount: number, fill: (target: Float32Array) => void): tf.Tensor2D {
    const shape: [number, number] = [rowCount, this.columnCount];
    const onHeap = rowCount * this.columnCount > 0 ? emptyRows(shape) : undefined;
    if (onHeap !== undefined) {
      fill(heapView(onHeap)!);
      return onHeap;
    }
    const values = new Float32Array(rowCount * this.columnCount);
    fill(values);
    return tf.tensor2d(values, shape);
  }
}

function withValues(tensor: tf.Tensor, body: (values: Float32Array) => void): void {
  if (tensor.size === 0) return;
  body(heapView(tensor) ?? tensor.dataSync<'float32'>());
}

function copyRows(
  { from, rows, size }: { from: Float32Array; rows: Int32Array; size: number },
  { target, offset, stride }: { target: Float32Array; offset: number; stride: number },
): void {
  for (let i = 0; i < rows.length; i += 1) {
    const start = (rows[i] as number) * size;
    target.set(from.subarray(start, start + size), offset + i * stride);
  }
}

function writeRows(
  values: Float32Array,
  { target, rows, size }: { target: Float32Array; rows: Int32Array; size: number },
): void {
  for (let i = 0; i < rows.length; i += 1) {
    target.set(values.subarray(i * size, (i + 1) * size), (rows[i] as number) * size);
  }
}

function addRows(
  { values, offset, stride }: { values: Float32Array; offset: number; stride: number },
  { target, rows, size }: { target: Float32Array; rows: Int32Array; size: number },
): void {
  for (let i = 0; i < rows.length; i += 1) {
    const start = (rows[i] as number) * size;
    // Places inside a row are small integers, whatever the size of the whole array.
    const to = target.subarray(start, start + size);
    const from = values.subarray(offset + i * stride, offset + i * stride + size);
    for (let k = 0; k < size; k += 1) to[k] = (to[k] as number) + (from[k] as number);
  }
}
