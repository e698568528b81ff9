import { ShapeError } from '@lab/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { normals } from '../__fixtures__/numbers.js';
import { expectSameBits } from '../__fixtures__/thread-bits.js';
import { gelu, selectBackend, silu, tf } from '../index.js';
import { checkGradient, expectNoLeak } from '../testing.js';

type Op = (x: tf.Tensor) => tf.Tensor;
type Reference = (x: number) => number;

/** erfc in float64 by its series near 0 and its continued fraction beyond. */
function erfc(z: number): number {
  if (z < 0) return 2 - erfc(-z);
  if (z < 2) {
    let term = z;
    let sum = z;
    for (let n = 1; n < 60; n++) {
      term *= (-z * z) / n;
      sum += term / (2 * n + 1);
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (z + fraction);
  return Math.exp(-z * z) / Math.sqrt(Math.PI) / (z + fraction);
}

const geluOf: Reference = (x) => 0.5 * x * erfc(-x * Math.SQRT1_2);
const geluTanhOf: Reference = (x) =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
const siluOf: Reference = (x) => x / (1 + Math.exp(-x));

const OPERATIONS: [name: string, op: Op, reference: Reference][] = [
  ['gelu', (x) => gelu(x), geluOf],
  ['gelu, tanh form', (x) => gelu(x, { approximate: 'tanh' }), geluTanhOf],
  ['silu', (x) => silu(x), siluOf],
];

/** Steps across the range where the functions bend, and some beyond. */
const values = Float32Array.from({ length: 4003 }, (_, i) => (i - 2001) / 200);

/** About two units in the last place, of the share at most 1 and of the value it multiplies. */
const RTOL = 3e-7;
const ATOL = 1e-6;

describe.each(['cpu', 'wasm'] as const)('activations on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend(backend);
  });

  test.each(OPERATIONS)('%s equals float64', (_, op, reference) => {
    const found = op(tf.tensor1d(values)).dataSync();
    values.forEach((x, i) => {
      const wanted = reference(x);
      const error = Math.abs((found[i] as number) - wanted);
      expect(error, `at ${x}`).toBeLessThan(ATOL + RTOL * Math.abs(wanted));
    });
  });

  test.each(OPERATIONS)('%s of any size, and its gradient', async (_, op, reference) => {
    for (const size of [0, 1, 2, 5]) expect(op(normals('x', [size])).shape).toEqual([size]);
    await checkGradient((x) => op(x as tf.Tensor), [tf.mul(normals('x', [3, 7]), 2)], {
      reference: (a) => a.map(reference),
    });
  });

  test.each(OPERATIONS)('%s keeps NaN, and large values stay finite', async (_, op) => {
    const x = tf.tensor1d([NaN, 1e10, -1e10, 40, -40]);
    expect([...op(x).dataSync()].map((v) => Math.round(v) + 0)).toEqual([NaN, 1e10, 0, 40, 0]);
    const slopes = tf.grad((t: tf.Tensor) => tf.sum(op(t)))(tf.tensor1d([NaN, 40, -40]));
    expect([...slopes.dataSync()].map(Math.round).map(Math.abs)).toEqual([NaN, 1, 0]);
    expect(await expectNoLeak(() => tf.grad((t: tf.Tensor) => op(t))(x))).toBeUndefined();
  });

  test('whole numbers are refused', () => {
    expect(() => gelu(tf.ones([2], 'int32'))).toThrow(ShapeError);
    expect(() => silu(tf.ones([2], 'int32'))).toThrow(/type int32, expected float32/);
  });
});

describe('the kernels', () => {
  beforeAll(async () => {
    await selectBackend('wasm');
  });

  test.each(OPERATIONS)('%s has limits at infinity', (_, op) => {
    const x = tf.tensor1d([Infinity, -Infinity, 3e38, -3e38]);
    const [first, second = 1, third = 0, fourth = 1] = op(x).dataSync();
    expect([first, second + 0, fourth + 0]).toEqual([Infinity, 0, 0]);
    expect(third / 3e38).toBeCloseTo(1, 6);
    const slopes = tf
      .grad((t: tf.Tensor) => tf.sum(op(t)))(x)
      .dataSync();
    expect([...slopes].map((v) => v + 0)).toEqual([1, 0, 1, 0]);
  });

  test.each(OPERATIONS)('%s has the same bits on any number of threads', async (_, op) => {
    const x = normals('x', [50_003]);
    await expectSameBits(() => [op(x), tf.grad((t: tf.Tensor) => tf.sum(op(t)))(x)]);
  });
});
