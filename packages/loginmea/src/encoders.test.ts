import { createRandom } from '@lab/core';
import '@lab/core/testing';
import { createCsr, createParameters, normal, selectBackend, tf } from '@lab/tensor';
import { checkGradient, expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { addEncoderParameters, encodeModality, encoderParameters } from './encoders.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

/** Features of three entities; the second has none. */
const dense = () =>
  tf.tensor2d([
    [1, 0, 2],
    [0, 0, 0],
    [0, 3, 0],
  ]);
const sparse = () =>
  createCsr({
    rowCount: 3,
    columnCount: 3,
    rowPointers: Int32Array.of(0, 2, 2, 3),
    columns: Int32Array.of(0, 2, 1),
    values: Float32Array.of(1, 2, 3),
  });
const weight = () =>
  tf.tensor2d([
    [1, -1],
    [2, 0.5],
    [0, 4],
  ]);
const bias = () => tf.tensor1d([10, 20]);

describe.each([
  ['dense', dense],
  ['sparse', sparse],
])('encodeModality of %s features', (_, features) => {
  it('is the product plus the bias; an entity without features gets the bias', () => {
    const z = encodeModality(features(), { weight: weight(), bias: bias() });
    expect(z.arraySync()).toEqual([
      [11, 27],
      [10, 20],
      [16, 21.5],
    ]);
  });

  it('has the gradient of its formula to weight and bias', async () => {
    const x = dense().arraySync();
    const inputs = features();
    await checkGradient(
      (w, b) => encodeModality(inputs, { weight: w as tf.Tensor2D, bias: b as tf.Tensor1D }),
      [weight(), bias()],
      {
        reference: (w, b) =>
          x.flatMap((row) =>
            [0, 1].map((column) =>
              row.reduce((sum, value, at) => sum + value * w![2 * at + column]!, b![column]!),
            ),
          ),
      },
    );
  });

  it('refuses weights of other sizes and leaves nothing behind', async () => {
    const x = features();
    const wide = { weight: tf.zeros([4, 2]) as tf.Tensor2D, bias: bias() };
    expect(() => encodeModality(x, wide)).toThrow(/weight has shape \[4, 2\], expected \[3 D\]/);
    const uneven = { weight: weight(), bias: tf.zeros([3]) as tf.Tensor1D };
    expect(() => encodeModality(x, uneven)).toThrow(/bias has shape \[3\]/);
    const fitting = { weight: weight(), bias: bias() };
    expect(await expectNoLeak(() => encodeModality(x, fitting))).toBeUndefined();
  });
});

describe('addEncoderParameters', () => {
  const started = (seed: number, before: number) => {
    const random = createRandom(seed);
    normal([before], 1, random).dispose();
    const parameters = createParameters();
    addEncoderParameters(parameters, { modality: 'image', featureCount: 60, size: 40 }, random);
    return { parameters, ...encoderParameters(parameters, 'image') };
  };

  it('starts as a linear layer of PyTorch', () => {
    const { parameters, weight: start, bias: offset } = started(1, 0);
    expect(parameters.names()).toEqual(['image.weight', 'image.bias']);
    expect(start.shape).toEqual([60, 40]);
    expect(offset.shape).toEqual([40]);
    const bound = Math.sqrt(1 / 60);
    for (const [values, share] of [
      [start.dataSync(), 0.99] as const,
      [offset.dataSync(), 0.8] as const,
    ]) {
      const largest = Math.max(...values.map(Math.abs));
      expect(largest).toBeLessThanOrEqual(bound);
      expect(largest).toBeGreaterThan(share * bound);
    }
  });

  it('depends on the seed and its name, not on what was drawn before', () => {
    const values = [started(1, 0), started(1, 7), started(2, 0)].map((one) =>
      one.weight.dataSync(),
    );
    expect(values[1]).toEqual(values[0]);
    expect(values[2]).not.toEqual(values[0]);
  });
});
