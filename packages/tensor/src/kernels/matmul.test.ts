import { ShapeError } from '@lab/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { matrix, normals, vector } from '../__fixtures__/numbers.js';
import { expectSameBits } from '../__fixtures__/thread-bits.js';
import { selectBackend, tf } from '../index.js';

/** Product in float64 of row-major arrays, by the definition. */
function product(a: ArrayLike<number>, b: ArrayLike<number>, [m, k, n]: [number, number, number]) {
  const out = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let p = 0; p < k; p++) {
      for (let j = 0; j < n; j++) {
        out[i * n + j] =
          (out[i * n + j] as number) + (a[i * k + p] as number) * (b[p * n + j] as number);
      }
    }
  }
  return out;
}

function expectClose(got: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number): void {
  expect(got.length).toBe(wanted.length);
  let worst = 0;
  for (let i = 0; i < wanted.length; i++) {
    worst = Math.max(worst, Math.abs((got[i] as number) - (wanted[i] as number)));
  }
  expect(worst).toBeLessThan(tolerance);
}

/**
 * Sizes around the tile (6 x 8), the narrow path (4), the packing blocks (96, 384, 1024), several
 * blocks of threads, and long sums cut in stretches.
 */
const SIZES: [m: number, k: number, n: number][] = [
  [1, 1, 1],
  [5, 7, 3],
  [6, 8, 8],
  [7, 9, 5],
  [13, 385, 4],
  [97, 50, 17],
  [2, 3, 1030],
  [12, 770, 20],
  [150, 130, 210],
  [9, 4097, 11],
  [3, 9001, 5],
];

beforeAll(async () => {
  await selectBackend('wasm');
});

describe.each(SIZES)('a product of %i x %i with %i columns', (m, k, n) => {
  test.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])('transposes %s, %s', async (transposeA, transposeB) => {
    const a = matrix('a', m, k);
    const b = matrix('b', k, n);
    const stored = [transposeA ? tf.transpose(a) : a, transposeB ? tf.transpose(b) : b] as [
      tf.Tensor,
      tf.Tensor,
    ];
    const found = await tf.matMul(...stored, transposeA, transposeB).data();
    expectClose(found, product(await a.data(), await b.data(), [m, k, n]), 1e-5 * (k + 10));
  });
});

test.each([
  [[700, 300], [300, 900], false],
  [[6000, 50], [6000, 70], true],
  [[5, 90, 80], [5, 80, 70], false],
] as [number[], number[], boolean][])(
  'of %j and %j has the same bits for any number of threads',
  async (first, second, transposeA) => {
    const [a, b] = [normals('a', first), normals('b', second)];
    await expectSameBits(() => [tf.matMul(a, b, transposeA)]);
  },
);

test('a product over nothing is zero, and nothing times something is empty', async () => {
  const zero = tf.matMul(tf.zeros([3, 0]), tf.zeros([0, 9]));
  expect([...(await zero.data())]).toEqual(Array.from({ length: 27 }, () => 0));
  expect(tf.matMul(tf.zeros([0, 4]), tf.zeros([4, 2])).shape).toEqual([0, 2]);
});

test('batches multiply item by item; a batch of one is repeated', async () => {
  const a = normals('a', [3, 4, 5]);
  const b = normals('b', [3, 5, 6]);
  const single = normals('single', [1, 5, 6]);
  const whole = await tf.matMul(a, b).data();
  const repeated = await tf.matMul(a, single).data();
  const [first, second] = [await a.data(), await b.data()];
  for (let i = 0; i < 3; i++) {
    const left = first.subarray(20 * i, 20 * i + 20);
    const right = second.subarray(30 * i, 30 * i + 30);
    expectClose(whole.subarray(24 * i, 24 * i + 24), product(left, right, [4, 5, 6]), 1e-4);
    const same = product(left, await single.data(), [4, 5, 6]);
    expectClose(repeated.subarray(24 * i, 24 * i + 24), same, 1e-4);
  }
});

test('a fused product adds its bias once, on transposed inputs too', async () => {
  const a = matrix('a', 3, 100);
  const b = matrix('b', 7, 100);
  const bias = vector('bias', 7);
  const options = { a, b, transposeB: true, bias, activation: 'relu' as const };
  const found = await tf.fused.matMul(options).data();
  const plain = product(await a.data(), await tf.transpose(b).data(), [3, 100, 7]);
  const shifts = await bias.data();
  expectClose(
    found,
    plain.map((v, i) => Math.max(v + (shifts[i % 7] as number), 0)),
    1e-3,
  );
});

test('inner sizes that differ are refused', () => {
  const run = () => tf.matMul(tf.zeros([2, 3]), tf.zeros([2, 3]));
  expect(run).toThrow(/inner|must match/i);
  expect(() =>
    tf.engine().runKernel(
      'BatchMatMul',
      { a: tf.zeros([2, 3]), b: tf.zeros([2, 3]) },
      {
        transposeA: false,
        transposeB: false,
      },
    ),
  ).toThrow(ShapeError);
});
