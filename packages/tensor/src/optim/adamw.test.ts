import { beforeAll, describe, expect, it } from 'vitest';
import { selectBackend } from '../backend.js';
import { createParameters } from '../nn/parameters.js';
import { expectNoLeak } from '../testing.js';
import { tf } from '../tfjs.js';
import { createAdamW } from './adamw.js';

function twoParameters() {
  const parameters = createParameters();
  parameters.add('a', tf.tensor1d([1, -2, 3, 4, 5]));
  parameters.add('b', tf.tensor2d([[0.5]]));
  return parameters;
}

describe.each(['cpu', 'wasm'] as const)('createAdamW on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend(backend);
  });

  it('moves by the rate against the sign of the first gradient, after decay', async () => {
    const thrown = await expectNoLeak(async () => {
      const parameters = twoParameters();
      const optimiser = createAdamW(parameters, { weightDecay: 0.1 });
      const a = tf.tensor1d([10, -0.1, 1e-3, 5, -7]);
      optimiser.step({ a }, 0.01);
      const moved = parameters.get('a').dataSync();
      const expected = [1, -2, 3, 4, 5].map(
        (value, i) => value * (1 - 0.001) - 0.01 * Math.sign([1, -1, 1, 1, -1][i]!),
      );
      expected.forEach((value, i) => expect(moved[i]).toBeCloseTo(value, 5));
      expect(optimiser.stepCount).toBe(1);
      optimiser.dispose();
      parameters.dispose();
      return a;
    });
    expect(thrown).toBeUndefined();
  });

  it('leaves parameters without a gradient, and their moments, alone', async () => {
    const thrown = await expectNoLeak(async () => {
      const parameters = twoParameters();
      const optimiser = createAdamW(parameters);
      const a = tf.tensor1d([1, 1, 1, 1, 1]);
      for (let i = 0; i < 3; i += 1) optimiser.step({ a }, 0.1);
      expect(parameters.get('b').dataSync()).toEqual(Float32Array.of(0.5));
      const state = await optimiser.state();
      expect(Object.keys(state)).toEqual(['a/first', 'a/second', 'a/steps']);
      expect(state['a/steps']).toEqual({ shape: [], data: Float32Array.of(3) });
      optimiser.dispose();
      parameters.dispose();
      return a;
    });
    expect(thrown).toBeUndefined();
  });

  it('goes on from a saved state bit for bit', async () => {
    const thrown = await expectNoLeak(async () => {
      const gradients = { a: tf.tensor1d([1, -2, 0.5, 0, 3]), b: tf.tensor2d([[2]]) };
      const whole = twoParameters();
      const undisturbed = createAdamW(whole);
      const saved = twoParameters();
      const before = createAdamW(saved);
      for (let i = 0; i < 2; i += 1) {
        undisturbed.step(gradients, 0.1);
        before.step(gradients, 0.1);
      }
      const state = await before.state();
      const resumed = twoParameters();
      resumed.load(await saved.toArrays());
      const after = createAdamW(resumed);
      after.step({ a: gradients.a }, 0.1);
      resumed.load(await saved.toArrays());
      after.loadState(state, before.stepCount);
      expect(after.stepCount).toBe(2);
      undisturbed.step(gradients, 0.1);
      after.step(gradients, 0.1);
      expect(await resumed.toArrays()).toEqual(await whole.toArrays());
      for (const part of [undisturbed, before, after, whole, saved, resumed]) part.dispose();
      return gradients;
    });
    expect(thrown).toBeUndefined();
  });

  it('keeps the number of tensors constant from step to step', async () => {
    const parameters = twoParameters();
    const optimiser = createAdamW(parameters);
    const a = tf.tensor1d([1, 1, 1, 1, 1]);
    optimiser.step({ a }, 0.1);
    const before = tf.memory();
    for (let i = 0; i < 10; i += 1) {
      optimiser.step({ a }, 0.1);
      await optimiser.state();
    }
    expect(tf.memory().numTensors).toBe(before.numTensors);
    tf.dispose([a]);
    optimiser.dispose();
    parameters.dispose();
  });

  it('refuses gradients, states and settings that do not fit', () => {
    const parameters = twoParameters();
    const optimiser = createAdamW(parameters);
    const wrong = tf.zeros([2]);
    expect(() => optimiser.step({ a: wrong }, 0.1)).toThrow('gradient of "a" is [2], not [5]');
    expect(() => optimiser.step({ c: wrong }, 0.1)).toThrow('no parameter "c"');
    const steps = { shape: [], data: [1] };
    expect(() => optimiser.loadState({ 'a/steps': steps }, 1)).toThrow('nothing for a/first');
    const short = { shape: [2], data: [1, 2] };
    const state = { 'a/steps': steps, 'a/first': short, 'a/second': short };
    expect(() => optimiser.loadState(state, 1)).toThrow('[2] for a/first, [5] is needed');
    expect(() => createAdamW(parameters, { beta1: 1 })).toThrow('beta1 1');
    expect(() => createAdamW(parameters, { weightDecay: -1 })).toThrow('out of range');
    tf.dispose([wrong]);
    optimiser.dispose();
    parameters.dispose();
  });
});

describe('createAdamW on wasm', () => {
  it('changes parameters and moments inside their buffers', async () => {
    await selectBackend('wasm');
    const parameters = twoParameters();
    const optimiser = createAdamW(parameters);
    const a = tf.tensor1d([1, 1, 1, 1, 1]);
    optimiser.step({ a }, 0.1);
    const before = parameters.get('a').dataId;
    const values = parameters.get('a').dataSync();
    const { numDataBuffers } = tf.memory();
    optimiser.step({ a }, 0.1);
    expect(parameters.get('a').dataId).toBe(before);
    expect(tf.memory().numDataBuffers).toBe(numDataBuffers);
    expect(parameters.get('a').dataSync()).not.toEqual(values);
    tf.dispose([a]);
    optimiser.dispose();
    parameters.dispose();
  });

  /** Values and moments after a step, a reload and another. */
  async function trained(hostMomentsFrom: number, size: number) {
    const parameters = createParameters();
    const wave = (factor: number) =>
      tf.tensor1d(Float32Array.from({ length: size }, (_, i) => Math.sin(factor * i)));
    const a = parameters.add('a', wave(0.7));
    const gradient = wave(0.3);
    const first = createAdamW(parameters, { hostMomentsFrom });
    first.step({ a: gradient }, 0.01);
    const second = createAdamW(parameters, { hostMomentsFrom });
    second.loadState(await first.state(), first.stepCount);
    const buffers = tf.memory().numDataBuffers;
    second.step({ a: gradient }, 0.01);
    const result = { values: a.dataSync(), moments: await second.state() };
    for (const part of [first, second, parameters]) part.dispose();
    gradient.dispose();
    return { ...result, buffers };
  }

  it('gives the same bits with the moments in the host memory, in several blocks', async () => {
    const size = 2 ** 18 + 37;
    const start = tf.memory().numDataBuffers;
    const [device, host] = [await trained(Infinity, size), await trained(size, size)];
    const bytesOf = ({ values, moments }: typeof host) =>
      [values, ...Object.values(moments).map(({ data }) => data)].map((data) =>
        Buffer.from(data.buffer, data.byteOffset, data.byteLength),
      );
    const expected = bytesOf(device);
    expect(bytesOf(host).map((bytes, i) => bytes.equals(expected[i]!))).toEqual(
      expected.map(() => true),
    );
    expect(device.buffers - host.buffers).toBe(4);
    expect(tf.memory().numDataBuffers).toBe(start);
  });

  it('with moments in the host memory leaves clones of the parameter alone', () => {
    const parameters = createParameters();
    const a = parameters.add('a', tf.tensor1d([1, 2]));
    const optimiser = createAdamW(parameters, { hostMomentsFrom: 1 });
    const [clone, gradient] = [a.clone(), tf.tensor1d([1, -1])];
    optimiser.step({ a: gradient }, 0.5);
    expect(clone.dataSync()).toEqual(Float32Array.of(1, 2));
    expect(a.dataSync()[0]).toBeCloseTo(0.495, 5);
    expect(a.dataSync()[1]).toBeCloseTo(2.49, 5);
    tf.dispose([clone, gradient]);
    optimiser.dispose();
    parameters.dispose();
  });
});
