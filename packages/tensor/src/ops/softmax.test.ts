import { ShapeError } from '@lab/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { normals } from '../__fixtures__/numbers.js';
import { expectSameBits } from '../__fixtures__/thread-bits.js';
import { logSoftmax, selectBackend, softmax, tf } from '../index.js';
import { checkGradient, expectNoLeak } from '../testing.js';

/** Some units in the last place of the largest share: sums over a row are float32. */
const ATOL = 8e-7;

/** Log-softmax of rows in float64. */
function logSoftmaxOf(x: ArrayLike<number>, width: number): Float64Array {
  const out = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += width) {
    const row = Array.from({ length: width }, (_, d) => x[start + d] as number);
    const top = Math.max(...row);
    const sum = row.reduce((total, v) => total + Math.exp(v - top), 0);
    row.forEach((v, d) => {
      out[start + d] = v - top - Math.log(sum);
    });
  }
  return out;
}

const softmaxOf = (x: ArrayLike<number>, width: number): Float64Array =>
  logSoftmaxOf(x, width).map(Math.exp);

function worst(found: ArrayLike<number>, wanted: Float64Array): number {
  return wanted.reduce((most, v, i) => Math.max(most, Math.abs((found[i] as number) - v)), 0);
}

const SHAPES: number[][] = [
  [1],
  [5],
  [3, 1],
  [2, 4],
  [7, 13],
  [2, 3, 9],
  [2, 1, 2, 21],
  [20, 1030],
];

describe.each(['cpu', 'wasm'] as const)('softmax on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend(backend);
  });

  test.each(SHAPES.map((shape) => [shape]))('equals float64 over the last axis of %j', (shape) => {
    const x = tf.mul(normals('x', shape), 4);
    const width = shape.at(-1) as number;
    const values = x.dataSync();
    expect(worst(softmax(x).dataSync(), softmaxOf(values, width))).toBeLessThan(ATOL);
    expect(worst(tf.softmax(x).dataSync(), softmaxOf(values, width))).toBeLessThan(ATOL);
    const logs = logSoftmax(x);
    expect(logs.shape).toEqual(shape);
    expect(worst(logs.dataSync(), logSoftmaxOf(values, width))).toBeLessThan(10 * ATOL);
  });

  test('nothing in, nothing out', () => {
    for (const shape of [
      [0, 4],
      [3, 0],
    ]) {
      expect(softmax(tf.zeros(shape)).shape).toEqual(shape);
      expect(logSoftmax(tf.zeros(shape)).shape).toEqual(shape);
    }
  });

  test('survives large values and gives masked places nothing', () => {
    const hidden = Number.NEGATIVE_INFINITY;
    const x = tf.tensor2d([1e5, 1e5, -1e30, hidden, 200, hidden, 199, 0], [2, 4]);
    const far = 1 / (1 + Math.exp(-1));
    const wanted = [0.5, 0.5, 0, 0, far, 0, 1 - far, 0];
    const found = softmax(x).dataSync();
    expect(worst(found, Float64Array.from(wanted))).toBeLessThan(ATOL);
    expect([found[2], found[3], found[5]]).toEqual([0, 0, 0]);
    const logs = logSoftmax(x).dataSync();
    expect(logs[0]).toBeCloseTo(-Math.LN2, 6);
    expect([logs[3], logs[5]]).toEqual([hidden, hidden]);
  });

  test('a row of minus infinities and a row with NaN are NaN, others are not', () => {
    const hidden = Number.NEGATIVE_INFINITY;
    const x = tf.tensor2d([...Array(6).fill(hidden), 1, 2, 3, NaN, 5, 6, 0, 0, 0, 0, 0, 0], [3, 6]);
    for (const y of [softmax(x).dataSync(), logSoftmax(x).dataSync()]) {
      expect([...y.slice(0, 12)].every(Number.isNaN)).toBe(true);
      expect([...y.slice(12)].some(Number.isNaN)).toBe(false);
    }
  });

  test.each([[[3, 4]], [[2, 2, 11]]])('has the right gradients, shape %j', async (shape) => {
    const width = shape.at(-1) as number;
    const x = normals('x', shape);
    await checkGradient((t) => softmax(t as tf.Tensor), [x], {
      reference: (a) => softmaxOf(a, width),
    });
    await checkGradient((t) => logSoftmax(t as tf.Tensor), [x], {
      reference: (a) => logSoftmaxOf(a, width),
    });
  });

  test('leaves no tensor behind and refuses whole numbers', async () => {
    const x = normals('x', [3, 5]);
    const gradient = tf.grad((t: tf.Tensor) => tf.sum(tf.mul(logSoftmax(t), softmax(t))));
    expect(await expectNoLeak(() => gradient(x))).toBeUndefined();
    const thrown = await expectNoLeak(() => tf.tidy(() => softmax(tf.ones([2, 2], 'int32'))));
    expect(thrown).toBeInstanceOf(ShapeError);
    expect(() => logSoftmax(tf.scalar(1))).toThrow(/x is a scalar/);
  });
});

test('the bits do not depend on the number of threads', async () => {
  await selectBackend('wasm');
  const x = normals('x', [600, 131]);
  const gradient = (f: typeof softmax) => tf.grad((t: tf.Tensor) => tf.sum(tf.square(f(t))))(x);
  await expectSameBits(() => [softmax(x), logSoftmax(x), gradient(softmax), gradient(logSoftmax)]);
});
