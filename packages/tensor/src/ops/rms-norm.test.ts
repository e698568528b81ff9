import { ShapeError } from '@lab/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { normals, vector } from '../__fixtures__/numbers.js';
import { expectSameBits } from '../__fixtures__/thread-bits.js';
import { rmsNorm, selectBackend, tf } from '../index.js';
import { checkGradient, expectNoLeak } from '../testing.js';

/** The formula row by row in float64. */
function rmsNormOf(x: ArrayLike<number>, gain: ArrayLike<number>, epsilon: number): Float64Array {
  const width = gain.length;
  return Float64Array.from({ length: x.length }, (_, i) => {
    const start = i - (i % width);
    let square = 0;
    for (let d = 0; d < width; d++) square += (x[start + d] as number) ** 2;
    const root = Math.sqrt(square / width + epsilon);
    return ((x[i] as number) / root) * (gain[i % width] as number);
  });
}

const SHAPES: number[][] = [[1], [6], [0, 3], [1, 1], [3, 5], [2, 3, 16], [70, 37], [2, 1, 3, 4]];

describe.each(['cpu', 'wasm'] as const)('rmsNorm on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend(backend);
  });

  test.each(SHAPES.map((shape) => [shape]))('equals float64, shape %j', (shape) => {
    const x = normals('x', shape);
    const gain = vector('gain', shape.at(-1) as number);
    const y = rmsNorm(x, gain, 1e-5);
    expect(y.shape).toEqual(shape);
    const wanted = rmsNormOf(x.dataSync(), gain.dataSync(), 1e-5);
    const found = y.dataSync();
    wanted.forEach((v, i) => expect(found[i]).toBeCloseTo(v, 5));
  });

  test.each([[[3, 5]], [[2, 2, 8]], [[9, 1]]])(
    'has the right gradients, shape %j',
    async (shape) => {
      const inputs = [normals('x', shape), vector('gain', shape.at(-1) as number)];
      await checkGradient((x, gain) => rmsNorm(x as tf.Tensor, gain as tf.Tensor1D, 0.1), inputs, {
        reference: (x, gain) => rmsNormOf(x as Float64Array, gain as Float64Array, 0.1),
      });
    },
  );

  test('a row of zeros stays zero, NaN stays in its row', () => {
    const x = tf.tensor2d([0, 0, NaN, 1, 3, 4], [3, 2]);
    const found = [...rmsNorm(x, tf.ones([2])).dataSync()];
    expect(found.slice(0, 4)).toEqual([0, 0, NaN, NaN]);
    expect(found[4]).toBeCloseTo(3 / Math.sqrt(12.5), 5);
  });

  test('refuses other shapes and leaves no tensor behind', async () => {
    const x = normals('x', [3, 4]);
    expect(() => rmsNorm(x, vector('gain', 3))).toThrow(ShapeError);
    expect(() => rmsNorm(tf.scalar(1), vector('gain', 1))).toThrow(/x is a scalar/);
    const gain = vector('gain', 4);
    const run = () => tf.grads((t, g) => tf.sum(rmsNorm(t!, g as tf.Tensor1D)))([x, gain]);
    expect(await expectNoLeak(run)).toBeUndefined();
  });
});

test('the bits do not depend on the number of threads', async () => {
  await selectBackend('wasm');
  const x = normals('x', [3000, 37]);
  const gain = vector('gain', 37);
  const loss = (t: tf.Tensor, g: tf.Tensor) => tf.sum(tf.square(rmsNorm(t, g as tf.Tensor1D)));
  await expectSameBits(() => [rmsNorm(x, gain), ...tf.grads(loss)([x, gain])]);
});
