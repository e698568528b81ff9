import { beforeAll, describe, expect, it } from 'vitest';
import { selectBackend } from '../backend.js';
import { expectNoLeak } from '../testing.js';
import { tf } from '../tfjs.js';
import { clipByGlobalNorm } from './clip.js';

describe.each(['cpu', 'wasm'] as const)('clipByGlobalNorm on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend(backend);
  });

  it('scales all gradients by one number when their norm is too large', async () => {
    const thrown = await expectNoLeak(() => {
      const a = tf.tensor1d([3, 0]);
      const b = tf.tensor2d([[4]]);
      const { gradients, norm } = clipByGlobalNorm({ a, b }, 1);
      expect(norm.dataSync()[0]).toBeCloseTo(5, 6);
      expect(gradients['a']!.dataSync()[0]).toBeCloseTo(3 / 5, 6);
      expect(gradients['b']!.dataSync()[0]).toBeCloseTo(4 / 5, 6);
      expect(gradients['b']!.shape).toEqual([1, 1]);
      expect(a.dataSync()).toEqual(Float32Array.of(3, 0));
      return [a, b, gradients['a'], gradients['b'], norm];
    });
    expect(thrown).toBeUndefined();
  });

  it('changes nothing below the norm, and copes with zeros and with none', async () => {
    const thrown = await expectNoLeak(() => {
      const a = tf.tensor1d([3, 4]);
      const small = clipByGlobalNorm({ a }, 5.1);
      expect(small.gradients['a']!.dataSync()).toEqual(Float32Array.of(3, 4));
      const zero = tf.zeros([2]);
      const none = clipByGlobalNorm({ zero }, 0.1);
      expect(none.gradients['zero']!.dataSync()).toEqual(new Float32Array(2));
      const empty = clipByGlobalNorm({}, 1);
      expect(empty.gradients).toEqual({});
      expect(empty.norm.dataSync()[0]).toBe(0);
      return [a, zero, small.gradients, none.gradients, small.norm, none.norm, empty.norm];
    });
    expect(thrown).toBeUndefined();
  });
});
