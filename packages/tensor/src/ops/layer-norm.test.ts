import { ShapeError } from '@lab/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { normals, vector } from '../__fixtures__/numbers.js';
import { layerNorm, selectBackend, tf } from '../index.js';
import { checkGradient, expectNoLeak } from '../testing.js';

/** The formula row by row in float64. */
function layerNormOf(
  x: ArrayLike<number>,
  gain: ArrayLike<number>,
  bias: ArrayLike<number>,
): Float64Array {
  const width = gain.length;
  return Float64Array.from({ length: x.length }, (_, i) => {
    const start = i - (i % width);
    const row = Array.from({ length: width }, (__, d) => x[start + d] as number);
    const mean = row.reduce((a, b) => a + b) / width;
    const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / width;
    const scaled = ((x[i] as number) - mean) / Math.sqrt(variance + 1e-5);
    return scaled * (gain[i % width] as number) + (bias[i % width] as number);
  });
}

describe.each(['cpu', 'wasm'] as const)('layerNorm on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend(backend);
  });

  test.each([[[6]], [[3, 5]], [[0, 3]], [[2, 3, 16]], [[2, 1, 3, 7]], [[2, 0, 4]]])(
    'equals float64, shape %j',
    async (shape) => {
      const width = shape.at(-1) as number;
      const inputs = [normals('x', shape), vector('gain', width), vector('bias', width)] as const;
      const y = layerNorm(...inputs);
      expect(y.shape).toEqual(shape);
      const found = y.dataSync();
      const arrays = inputs.map((t) => t.dataSync()) as unknown as Parameters<typeof layerNormOf>;
      layerNormOf(...arrays).forEach((v, i) => expect(found[i]).toBeCloseTo(v, 5));
      if (y.size === 0 || y.size > 50) return;
      const f = (...xs: tf.Tensor[]) => layerNorm(...(xs as Parameters<typeof layerNorm>));
      await checkGradient(f, inputs, {
        reference: (...xs) => layerNormOf(...(xs as unknown as Parameters<typeof layerNormOf>)),
      });
    },
  );

  test('refuses other shapes and leaves no tensor behind', async () => {
    const [x, gain] = [normals('x', [2, 3, 4]), vector('gain', 4)];
    expect(() => layerNorm(x, gain, vector('bias', 3))).toThrow(ShapeError);
    expect(() => layerNorm(tf.scalar(1), vector('g', 1), vector('b', 1))).toThrow(/is a scalar/);
    const loss = (t: tf.Tensor, g: tf.Tensor) => tf.sum(layerNorm(t, g as tf.Tensor1D, gain));
    expect(await expectNoLeak(() => tf.grads(loss)([x, gain]))).toBeUndefined();
  });
});
