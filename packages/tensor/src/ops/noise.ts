import { hasKernel, runSingle } from '../engine.js';
import { assertDtype, assertShape } from '../shape.js';
import { tf } from '../tfjs.js';
import { bitsAt, mixBits } from './hash.js';

/** What is drawn. */
export interface NoiseOptions {
  /** Columns of a row. */
  readonly width: number;
  /** 32-bit integer; take a new one for every step and place. */
  readonly seed32: number;
  readonly distribution: 'normal' | 'uniform';
}

/**
 * Random rows, each a function of the seed and its row number alone: `[B, width]`.
 *
 * Row i is that of number `rows[i]`, whatever else is drawn and in whatever order; equal numbers
 * give equal rows. Normals by Box and Muller: `sqrt(-2 ln u) cos(2 pi v)` and the same with sine,
 * u and v hashes of 24 bits, so that no normal lies beyond 5.8; uniform is on [0, 1).
 * wasm and the other backends agree to some units in the last place.
 *
 * @param rows - row numbers, int32 `[B]`.
 * @throws {ShapeError} when `rows` is not one row of integers.
 */
export function noiseRows(rows: tf.Tensor1D, options: NoiseOptions): tf.Tensor2D {
  assertShape(rows, 'B', 'rows');
  assertDtype(rows, 'int32', 'rows');
  const { width, seed32, distribution } = options;
  const isNormal = Number(distribution === 'normal');
  if (hasKernel('LabNoiseRows')) {
    return runSingle('LabNoiseRows', { rows }, { width, seed32, isNormal });
  }
  const numbers = rows.dataSync();
  const values = new Float32Array(numbers.length * width);
  numbers.forEach((number, i) =>
    fillRow(values.subarray(i * width, (i + 1) * width), { ...options, number }),
  );
  return tf.tensor2d(values, [numbers.length, width]);
}

const UNIT = 2 ** -24;

/** The row of one number; eight columns at a time, of which four hashes meet the other four. */
function fillRow(
  row: Float32Array,
  { seed32, distribution, number }: NoiseOptions & { readonly number: number },
): void {
  const key = (mixBits(number ^ mixBits(seed32)) + seed32) | 0;
  const uniform = (column: number) => (bitsAt(column, key, key) >>> 8) * UNIT;
  row.forEach((_, d) => {
    if (distribution === 'uniform') {
      row[d] = uniform(d);
      return;
    }
    const isSecond = d % 8 >= 4;
    const first = isSecond ? d - 4 : d;
    const radius = Math.sqrt(-2 * Math.log(uniform(first) + UNIT));
    const angle = 2 * Math.PI * uniform(first + 4);
    row[d] = radius * (isSecond ? Math.sin(angle) : Math.cos(angle));
  });
}
