import { createRandom, ShapeError } from '@lab/core';
import '@lab/core/testing';
import { normal, ones, selectBackend, tf, zeros } from '@lab/tensor';
import { checkGradient, expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { instanceNorm } from './instance-norm.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const random = createRandom(21);
const draw = (shape: readonly number[], name: string) => normal(shape, 2, random.fork(name));

describe('instanceNorm', () => {
  it('gives every feature mean 0 and variance 1 over the nodes', () => {
    const x = tf.add(draw([50, 3], 'x'), tf.tensor1d([4, -7, 100])) as tf.Tensor2D;
    const layer = { gain: ones([3]) as tf.Tensor1D, bias: zeros([3]) as tf.Tensor1D };
    const { mean, variance } = tf.moments(instanceNorm(x, layer), 0);
    expect(mean.dataSync()).toBeClose([0, 0, 0], { atol: 1e-4 });
    expect(variance.dataSync()).toBeClose([1, 1, 1], { rtol: 1e-3 });
  });

  it('scales and shifts; a constant feature becomes its bias', () => {
    const x = tf.tensor2d([
      [1, 5],
      [3, 5],
    ]);
    const layer = { gain: tf.tensor1d([2, 2]), bias: tf.tensor1d([10, 20]) };
    expect(instanceNorm(x, layer, 0.0001).dataSync()).toBeClose([8, 20, 12, 20], { rtol: 1e-4 });
  });

  it('has the gradient of its formula and leaks nothing', async () => {
    const inputs = [draw([4, 3], 'small'), draw([3], 'gain'), draw([3], 'bias')] as const;
    const f = (x: tf.Tensor, gain: tf.Tensor, bias: tf.Tensor) =>
      instanceNorm(x as tf.Tensor2D, { gain: gain as tf.Tensor1D, bias: bias as tf.Tensor1D });
    const reference = (x: Float64Array, gain: Float64Array, bias: Float64Array) =>
      Float64Array.from(x, (value, at) => {
        const column = x.filter((_, other) => other % 3 === at % 3);
        const mean = column.reduce((sum, v) => sum + v, 0) / column.length;
        const variance = column.reduce((sum, v) => sum + (v - mean) ** 2, 0) / column.length;
        return (gain[at % 3]! * (value - mean)) / Math.sqrt(variance + 1e-5) + bias[at % 3]!;
      });
    await checkGradient(f as Parameters<typeof checkGradient>[0], inputs, { reference });
    await expectNoLeak(() => f(...inputs));
  });

  it('refuses a gain of another width', () => {
    const layer = { gain: ones([2]) as tf.Tensor1D, bias: zeros([3]) as tf.Tensor1D };
    expect(() => instanceNorm(tf.zeros([4, 3]), layer)).toThrow(ShapeError);
  });
});
