import { createRandom } from '@lab/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { normals } from '../__fixtures__/numbers.js';
import { expectSameBits } from '../__fixtures__/thread-bits.js';
import { selectBackend, tf } from '../index.js';
import { checkGradient, expectNoLeak } from '../testing.js';

/** Indices of a row in the order of the rule: NaN first, then larger first, then lower index. */
function ordered(row: ArrayLike<number>): number[] {
  const before = (a: number, b: number): boolean => a > b || (Number.isNaN(a) && !Number.isNaN(b));
  return Array.from({ length: row.length }, (_, i) => i).sort((i, j) => {
    const [a, b] = [row[i] as number, row[j] as number];
    if (before(a, b)) return -1;
    return before(b, a) ? 1 : i - j;
  });
}

async function expectLargest(values: Float32Array, columns: number, k: number): Promise<void> {
  const rows = columns === 0 ? 0 : values.length / columns;
  const found = tf.topk(tf.tensor2d(values, [rows, columns]), k);
  expect([found.values.shape, found.indices.shape]).toEqual([
    [rows, k],
    [rows, k],
  ]);
  const [best, places] = [await found.values.data(), await found.indices.data()];
  for (let i = 0; i < rows; i++) {
    const row = values.subarray(i * columns, (i + 1) * columns);
    const wanted = ordered(row).slice(0, k);
    expect([...places.subarray(i * k, (i + 1) * k)]).toEqual(wanted);
    expect([...best.subarray(i * k, (i + 1) * k)]).toEqual(wanted.map((j) => row[j]));
  }
  tf.dispose([found.values, found.indices]);
}

const SIZES: [rows: number, columns: number, k: number][] = [
  [1, 1, 1],
  [3, 5, 2],
  [2, 16, 16],
  [2, 17, 1],
  [4, 1000, 10],
  [2, 1003, 500],
  [3, 4, 0],
  [0, 4, 2],
];

beforeAll(async () => {
  await selectBackend('wasm');
});

describe.each(SIZES)('the largest of %i rows of %i: %i', (rows, columns, k) => {
  test('of all different values, and of many equal ones', async () => {
    const random = createRandom(5);
    const values = random.fillNormal(new Float32Array(rows * columns));
    await expectLargest(values, columns, k);
    await expectLargest(
      values.map((v) => Math.round(v * 2) / 2),
      columns,
      k,
    );
    await expectLargest(values.slice().sort(), columns, k);
    await expectLargest(values.fill(-Infinity), columns, k);
  });

  test('NaN before all numbers, also before Infinity', async () => {
    const values = createRandom(6).fillNormal(new Float32Array(rows * columns));
    const strange = values.map((v, i) => [v, Number.NaN, v, Infinity, -Infinity, v, -0, 0][i % 8]!);
    await expectLargest(strange, columns, k);
  });
});

test('axes before the last are rows', async () => {
  const { values, indices } = tf.topk(tf.tensor3d([3, 1, 2, 6, 5, 4], [1, 2, 3]), 2);
  expect([values.shape, indices.dtype]).toEqual([[1, 2, 2], 'int32']);
  expect([...(await values.data()), ...(await indices.data())]).toEqual([3, 2, 6, 5, 0, 2, 0, 1]);
});

describe.each(['cpu', 'wasm'] as const)('gradients on %s', (backend) => {
  test('go to the chosen values', async () => {
    await selectBackend(backend);
    const x = tf.tensor2d([0.1, 0.9, -0.3, 0.5, 2, 1, 3, 0], [2, 4]);
    await checkGradient((t) => tf.topk(t, 2).values, [x], {
      reference: (a) =>
        [0, 4].flatMap((s) => [...a.subarray(s, s + 4)].sort((p, q) => q - p).slice(0, 2)),
    });
    expect(
      await expectNoLeak(() => tf.grad((t) => tf.sum(tf.topk(t, 3).values))(x)),
    ).toBeUndefined();
  });

  test('of a product, also of zeros', async () => {
    await selectBackend(backend);
    const x = normals('x', [2, 3, 2]);
    const product = (a: Float64Array) =>
      [0, 1, 2].map((j) => a[2 * j]! * a[2 * j + 1]! * a[6 + 2 * j]! * a[6 + 2 * j + 1]!);
    await checkGradient((t) => tf.prod(t, [0, 2]), [x], { reference: product });
    const zeros = tf.grad((t) => tf.prod(t))(tf.tensor1d([2, 0, 3]));
    expect([...(await zeros.data())]).toEqual([0, 6, 0]);
  });
});

test('three threads give the bits of one', async () => {
  const x = normals('x', [64, 5000]);
  await expectSameBits(() => [tf.tidy(() => tf.topk(x, 7).indices)]);
});
