import { createRandom } from '@lab/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { matrix } from '../__fixtures__/numbers.js';
import { expectSameBits } from '../__fixtures__/thread-bits.js';
import { createHalfMatrix, halfMatMul, selectBackend, tf } from '../index.js';
import { float32ToBfloat16, float32ToFloat16 } from '../io/half.js';
import { forcePlainSimd } from '../wasm-backend.js';
import { FEW_ROWS } from './few-rows.js';

/** Columns with some past whole vectors, and rows past groups of three. */
const [ROWS, COLUMNS] = [70, 403];

type Product = (x: tf.Tensor2D) => tf.Tensor2D;

/** Products with the same weights, by how these are held. */
function products(): Readonly<Record<string, Product>> {
  const weights = matrix('w', ROWS, COLUMNS);
  const values = weights.dataSync<'float32'>();
  const infinite = values.map((value, at) => (at === 5 * COLUMNS ? Infinity : value));
  const half = (data: Uint16Array, dtype: 'bfloat16' | 'float16'): Product => {
    const own = createHalfMatrix(data, { rows: ROWS, columns: COLUMNS, dtype });
    return (x) => halfMatMul(x, own);
  };
  return {
    float32: (x) => tf.matMul(x, weights, false, true),
    bfloat16: half(float32ToBfloat16(values), 'bfloat16'),
    'finite float16': half(float32ToFloat16(values), 'float16'),
    float16: half(float32ToFloat16(infinite), 'float16'),
  };
}

describe.each(['relaxed', 'plain'])('products of few rows, %s SIMD', (simd) => {
  let all: Readonly<Record<string, Product>>;

  beforeAll(async () => {
    forcePlainSimd(simd === 'plain');
    await selectBackend('wasm', { threads: 1 });
    all = products();
    return () => forcePlainSimd(false);
  });

  test('a row has the same bits whatever rows are beside it, and however they are cut', () => {
    const x = matrix('x', FEW_ROWS, COLUMNS);
    for (const [kind, product] of Object.entries(all)) {
      const alone = Array.from({ length: FEW_ROWS }, (_, row) =>
        product(tf.slice(x, [row, 0], [1, COLUMNS])).dataSync(),
      );
      for (let count = 2; count <= FEW_ROWS; count += 1) {
        const found = product(tf.slice(x, [0, 0], [count, COLUMNS])).dataSync();
        for (let row = 0; row < count; row += 1) {
          const own = found.slice(row * ROWS, (row + 1) * ROWS);
          expect({ kind, count, row, own }).toEqual({ kind, count, row, own: alone[row] });
        }
      }
    }
  });
});

test('rows of weights that threads share have the bits of one', async () => {
  await selectBackend('wasm');
  const random = createRandom(5);
  const data = float32ToBfloat16(random.fillNormal(new Float32Array(3000 * COLUMNS)));
  const weight = createHalfMatrix(data, { rows: 3000, columns: COLUMNS, dtype: 'bfloat16' });
  const floats = matrix('floats', 2000, COLUMNS);
  const inputs = [1, 2, 5, FEW_ROWS].map((rows) => matrix('x', rows, COLUMNS));
  await expectSameBits(() =>
    inputs.flatMap((x) => [halfMatMul(x, weight), tf.matMul(x, floats, false, true)]),
  );
  weight.dispose();
});
