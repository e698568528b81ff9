import { beforeAll, describe, expect, it } from 'vitest';
import { selectBackend } from '../backend.js';
import { expectNoLeak } from '../testing.js';
import { tf } from '../tfjs.js';
import { createParameters } from './parameters.js';

describe.each(['cpu', 'wasm'] as const)('createParameters on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend(backend);
  });

  it('keeps order, counts scalars and takes tensors over', async () => {
    const thrown = await expectNoLeak(() => {
      const parameters = createParameters();
      const given = tf.zeros([3, 2]);
      const weight = parameters.add('weight', given);
      parameters.add('bias', tf.ones([2]));
      expect(given.isDisposed).toBe(true);
      expect(parameters.names()).toEqual(['weight', 'bias']);
      expect(parameters.variables().map(({ shape }) => shape)).toEqual([[3, 2], [2]]);
      expect(parameters.count()).toBe(8);
      expect(parameters.get('weight')).toBe(weight);
      parameters.dispose();
      expect(parameters.names()).toEqual([]);
    });
    expect(thrown).toBeUndefined();
  });

  it('goes to arrays and back', async () => {
    const thrown = await expectNoLeak(async () => {
      const first = createParameters();
      first.add('a', tf.tensor2d([1, 2, 3, 4], [2, 2]));
      first.add('b', tf.scalar(5));
      const record = await first.toArrays();
      expect(record).toEqual({
        a: { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
        b: { shape: [], data: Float32Array.of(5) },
      });
      const second = createParameters();
      second.add('b', tf.scalar(0));
      second.add('a', tf.zeros([2, 2]));
      second.load(record);
      expect(await second.toArrays()).toEqual(record);
      first.dispose();
      second.dispose();
    });
    expect(thrown).toBeUndefined();
  });

  it('refuses what does not fit and changes nothing then', async () => {
    const parameters = createParameters();
    parameters.add('a', tf.tensor1d([1, 2]));
    parameters.add('b', tf.scalar(3));
    const before = await parameters.toArrays();
    expect(() => parameters.add('a', tf.scalar(1))).toThrow('a parameter "a" is there already');
    expect(() => parameters.add('c', tf.scalar(1, 'int32'))).toThrow('"c" is int32');
    expect(() => parameters.get('d')).toThrow('no parameter "d"; the 2 names are a, b');
    const a = { shape: [2], data: [7, 7] };
    expect(() => parameters.load({ a, x: a })).toThrow('1 missing (b), 1 unknown (x)');
    const long = { shape: [3], data: [1, 2, 3] };
    expect(() => parameters.load({ a, b: long })).toThrow('"b" has shape [], the record has [3]');
    expect(await parameters.toArrays()).toEqual(before);
    parameters.dispose();
  });
});
