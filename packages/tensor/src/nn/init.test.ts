import { createRandom } from '@lab/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { selectBackend } from '../backend.js';
import { tf } from '../tfjs.js';
import {
  normal,
  ones,
  torchLinear,
  torchLinearBias,
  uniform,
  xavierNormal,
  xavierUniform,
  zeros,
} from './init.js';

const random = () => createRandom(2024).fork('init');

function summary(tensor: tf.Tensor) {
  const values = Array.from(tensor.dataSync());
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const largest = values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  return { shape: tensor.shape, mean, deviation: Math.sqrt(variance), largest };
}

describe('initial values', () => {
  beforeAll(async () => {
    await selectBackend('cpu');
  });

  it('have the bounds and deviations of their rules', () => {
    const shape = [200, 300];
    const glorot = summary(xavierUniform(shape, random()));
    expect(glorot.largest).toBeLessThanOrEqual(Math.sqrt(6 / 500));
    expect(glorot.largest).toBeGreaterThan(0.999 * Math.sqrt(6 / 500));
    expect(summary(xavierNormal(shape, random())).deviation).toBeCloseTo(Math.sqrt(2 / 500), 3);
    const torch = summary(torchLinear(shape, random()));
    expect(torch.largest).toBeLessThanOrEqual(1 / Math.sqrt(200));
    expect(torch.deviation).toBeCloseTo(1 / Math.sqrt(600), 3);
    expect(summary(torchLinearBias([200, 3000], random()))).toMatchObject({ shape: [3000] });
    expect(summary(torchLinearBias([200, 3000], random())).largest).toBeLessThanOrEqual(
      1 / Math.sqrt(200),
    );
    expect(summary(normal(shape, 0.5, random())).deviation).toBeCloseTo(0.5, 2);
    expect(Math.abs(summary(normal(shape, 0.5, random())).mean)).toBeLessThan(0.01);
    expect(summary(uniform(shape, 2, random())).deviation).toBeCloseTo(2 / Math.sqrt(3), 2);
  });

  it('take a vector as one row and further axes as receptive field', () => {
    expect(summary(xavierUniform([5000], random())).largest).toBeCloseTo(Math.sqrt(6 / 5001), 3);
    const kernel = summary(xavierUniform([20, 30, 3, 3], random()));
    expect(kernel.largest).toBeCloseTo(Math.sqrt(6 / (50 * 9)), 3);
  });

  it('depend on the stream only', () => {
    const first = torchLinear([3, 4], random()).dataSync();
    expect(torchLinear([3, 4], random()).dataSync()).toEqual(first);
    expect(torchLinear([3, 4], createRandom(1)).dataSync()).not.toEqual(first);
  });

  it('fill with a constant, also without elements', () => {
    expect(ones([2, 2]).dataSync()).toEqual(Float32Array.of(1, 1, 1, 1));
    expect(zeros([3]).dataSync()).toEqual(new Float32Array(3));
    expect(normal([0, 4], 1, random()).shape).toEqual([0, 4]);
    expect(ones([]).dataSync()).toEqual(Float32Array.of(1));
  });

  it('refuse what is no shape', () => {
    expect(() => zeros([-1])).toThrow('[-1] is not a shape');
    expect(() => zeros([1.5])).toThrow('[1.5] is not a shape');
  });
});

describe('initial values on wasm', () => {
  const make = {
    normal: () => normal([7, 5], 0.5, random()),
    uniform: () => uniform([7, 5], 2, random()),
    ones: () => ones([3, 4]),
    zeros: () => zeros([3, 4]),
    nothing: () => normal([0, 5], 1, random()),
  };

  it.each(Object.entries(make))('are those of every backend: %s', async (_, create) => {
    await selectBackend('cpu');
    const expected = create().arraySync();
    await selectBackend('wasm');
    // A buffer that was used before: values that are not written would be seen.
    tf.dispose([tf.fill([7, 5], 9), tf.fill([3, 4], 9)]);
    const tensors = tf.memory().numTensors;
    const found = create();
    expect(found.arraySync()).toEqual(expected);
    expect(tf.memory().numTensors).toBe(tensors + 1);
    found.dispose();
  });
});
