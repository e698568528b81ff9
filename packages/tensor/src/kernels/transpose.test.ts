import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { normals } from '../__fixtures__/numbers.js';
import { selectBackend, tf } from '../index.js';
import { activeKernels } from '../active-kernels.js';
import { checkGradient, expectNoLeak } from '../testing.js';

/** Permuted axes by the definition: each element to its place. */
function permuted(values: ArrayLike<number>, shape: number[], perm: number[]): Float64Array {
  const out = new Float64Array(values.length);
  const strides = shape.map((_, a) => shape.slice(a + 1).reduce((p, s) => p * s, 1));
  const place = shape.map(() => 0);
  for (let i = 0; i < out.length; i++) {
    let rest = i;
    for (let a = perm.length - 1; a >= 0; a--) {
      const axis = perm[a] as number;
      place[axis] = rest % (shape[axis] as number);
      rest = Math.floor(rest / (shape[axis] as number));
    }
    out[i] = values[place.reduce((at, p, a) => at + p * (strides[a] as number), 0)] as number;
  }
  return out;
}

const CASES: { shape: number[]; perm: number[] }[] = [
  { shape: [1, 1], perm: [1, 0] },
  { shape: [3, 5], perm: [1, 0] },
  { shape: [64, 64], perm: [1, 0] },
  { shape: [65, 131], perm: [1, 0] },
  { shape: [2, 4097], perm: [1, 0] },
  { shape: [4097, 3], perm: [1, 0] },
  { shape: [7, 1, 9], perm: [2, 1, 0] },
  { shape: [3, 5, 4], perm: [1, 0, 2] },
  { shape: [3, 70, 66], perm: [0, 2, 1] },
  { shape: [3, 5, 7], perm: [1, 2, 0] },
  { shape: [2, 3, 5, 7], perm: [0, 2, 1, 3] },
  { shape: [2, 3, 5, 7], perm: [3, 1, 2, 0] },
  { shape: [2, 3, 2, 3, 4], perm: [4, 1, 3, 0, 2] },
  { shape: [2, 3, 2, 3, 4, 2], perm: [0, 5, 1, 4, 2, 3] },
  { shape: [0, 3], perm: [1, 0] },
];

beforeAll(async () => {
  await selectBackend('wasm');
});
afterAll(() => activeKernels()?.useThreads(1));

describe.each(CASES)('transpose of [$shape] by [$perm]', ({ shape, perm }) => {
  test.each(['float32', 'int32'] as const)('moves every %s to its place', async (dtype) => {
    const size = shape.reduce((p, s) => p * s, 1);
    const values = Array.from({ length: size }, (_, i) => i * 3 - 7);
    const y = tf.transpose(tf.tensor(values, shape, dtype), perm);
    expect([y.shape, y.dtype]).toEqual([perm.map((axis) => shape[axis]), dtype]);
    expect([...(await y.data())]).toEqual([...permuted(values, shape, perm)]);
  });
});

test('gradients go back to their places, with nothing left over', async () => {
  const x = normals('x', [3, 4, 2]);
  await checkGradient((t) => tf.transpose(t, [2, 0, 1]), [x], {
    reference: (a) => permuted(a, [3, 4, 2], [2, 0, 1]),
  });
  expect(await expectNoLeak(() => tf.transpose(x, [2, 0, 1]))).toBeUndefined();
  expect(await expectNoLeak(() => tf.transpose(x, [0, 1, 2]))).toBeUndefined();
});

test('bits pass unchanged on any number of threads', async () => {
  const kernels = activeKernels();
  const x = normals('x', [600, 700]);
  const bytes = async () => Buffer.from((await tf.transpose(x).data()).buffer);
  const alone = await bytes();
  expect(Number.isNaN((await tf.transpose(tf.tensor2d([Number.NaN, -0], [1, 2])).data())[0])).toBe(
    true,
  );
  for (let round = 0; round < 5; round++) {
    kernels?.useThreads(3);
    expect((await bytes()).equals(alone)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});
