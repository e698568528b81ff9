import '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { selectBackend } from '../backend.js';
import { memoryReport, resetAllocationRecord } from '../memory.js';
import { checkGradient, expectNoLeak } from '../testing.js';
import { tf } from '../tfjs.js';
import { referenceMultiSimilarity, unitRows } from './__fixtures__/reference-losses.js';
import { multiSimilarity, type MultiSimilarityOptions } from './multi-similarity.js';

/** Float32 sums over a few hundred terms. */
const tolerance = { atol: 2e-6, rtol: 2e-5 };

const settings = { alpha: 5, beta: 40, lambda: 0.5 };

const valueOf = (x: tf.Tensor) => x.dataSync()[0] ?? Number.NaN;

const valuesOf = (x: tf.Tensor) => Float64Array.from(x.dataSync());

const lossOf =
  (options: MultiSimilarityOptions) =>
  (l?: tf.Tensor, r?: tf.Tensor): tf.Scalar =>
    multiSimilarity(l as tf.Tensor2D, r as tf.Tensor2D, options);

describe.each(['wasm', 'cpu'] as const)('multiSimilarity on %s', (backend) => {
  it.each([
    [1, 3, settings],
    [2, 5, settings],
    [3, 1, settings],
    [13, 5, { ...settings, blockRows: 4, cacheBytes: 0 }],
    [13, 5, { ...settings, blockRows: 5, cacheBytes: 500 }],
    [10, 6, { alpha: 0.1, beta: 2, lambda: 0, blockRows: 5 }],
  ])('agrees with the full matrix, B = %i, D = %i, %o', async (B, D, options) => {
    await selectBackend(backend);
    const inputs = [unitRows('left', B, D), unitRows('right', B, D)];
    const reference = (l?: Float64Array, r?: Float64Array) => [
      referenceMultiSimilarity([l, r] as [Float64Array, Float64Array], { rowCount: B, ...options }),
    ];
    const expected = reference(...inputs.map(valuesOf));
    expect([valueOf(lossOf(options)(...inputs))]).toBeClose(expected, tolerance);
    await checkGradient(lossOf(options), inputs, { reference, step: 1e-6 });
  });

  it.each([80, 200, 1000])('neither overflows nor vanishes at beta = %i', async (beta) => {
    await selectBackend(backend);
    const inputs = [unitRows('left', 12, 3), unitRows('right', 12, 3)];
    const options = { alpha: 5, beta, lambda: 0.5 };
    const reference = (l?: Float64Array, r?: Float64Array) => [
      referenceMultiSimilarity([l, r] as [Float64Array, Float64Array], {
        rowCount: 12,
        ...options,
      }),
    ];
    const expected = reference(...inputs.map(valuesOf));
    expect([valueOf(lossOf(options)(...inputs))]).toBeClose(expected, tolerance);
    await checkGradient(lossOf(options), inputs, { reference, step: 1e-7, rtol: 2e-3 });
  });

  it('has the same value with and without a gradient, and scales the gradient', async () => {
    await selectBackend(backend);
    const [left, right] = [unitRows('left', 20, 8), unitRows('right', 20, 8)];
    const loss = (l: tf.Tensor) => lossOf(settings)(l, right);
    const { value, grad } = tf.valueAndGrad(loss)(left);
    expect(valueOf(value)).toBe(valueOf(loss(left)));
    const tripled = tf.grad((l) => tf.mul(loss(l), 3))(left);
    expect(valuesOf(tripled)).toBeClose(valuesOf(tf.mul(grad, 3)), { atol: 1e-7, rtol: 1e-6 });
  });

  it('is about 10 ln(1 + e^0.05) for dissimilar rows and alpha = 0.1', async () => {
    await selectBackend(backend);
    const [left, right] = tf.split(tf.eye(40), 2) as [tf.Tensor2D, tf.Tensor2D];
    const value = valueOf(multiSimilarity(left, right, { alpha: 0.1, beta: 40, lambda: 0.5 }));
    expect(value).toBeCloseTo(10 * Math.log1p(Math.exp(0.05)), 4);
  });

  it('is NaN, not a number that looks fine, when a row is NaN', async () => {
    await selectBackend(backend);
    const left = tf.tensor2d([Number.NaN, 1, 0, 1, 1, 0], [3, 2]);
    expect(valueOf(multiSimilarity(left, unitRows('right', 3, 2), settings))).toBeNaN();
  });

  it('leaks neither tensors nor heap memory', async () => {
    await selectBackend(backend);
    const inputs = [unitRows('left', 20, 8), unitRows('right', 20, 8)];
    const step = () => tf.grads(lossOf(settings))(inputs);
    await expectNoLeak(step);
    await expectNoLeak(() => lossOf(settings)(...inputs));
    resetAllocationRecord();
    const before = memoryReport().peakHeapBytes;
    tf.dispose(step());
    resetAllocationRecord();
    expect(memoryReport().peakHeapBytes).toBe(before);
  });
});

describe('multiSimilarity of many pairs', () => {
  it('allocates no B x B array', async () => {
    await selectBackend('wasm');
    const B = 2000;
    const inputs = [unitRows('left', B, 2), unitRows('right', B, 2)];
    resetAllocationRecord();
    const gradients = tf.grads(lossOf(settings))(inputs);
    expect(memoryReport().largestAllocationBytes).toBeLessThan((4 * B * B) / 3);
    tf.dispose([inputs, gradients]);
  });
});

describe('multiSimilarity refuses', () => {
  const rows = () => unitRows('left', 4, 3);

  it.each([
    [{ ...settings, alpha: 0 }, 'alpha is 0'],
    [{ ...settings, beta: -2 }, 'beta is -2'],
    [{ ...settings, lambda: Number.NaN }, 'lambda is NaN'],
  ])('%o', async (options, message) => {
    await selectBackend('cpu');
    expect(() => multiSimilarity(rows(), rows(), options)).toThrow(message);
  });

  it('sides of different shapes', async () => {
    await selectBackend('cpu');
    const call = () => multiSimilarity(rows(), unitRows('right', 4, 2), settings);
    expect(call).toThrow('left is [4,3], right is [4,2]');
  });
});
