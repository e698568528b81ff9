import { beforeAll, describe, expect, it } from 'vitest';
import { selectBackend } from '../backend.js';
import { createParameters } from '../nn/parameters.js';
import { expectNoLeak } from '../testing.js';
import { tf } from '../tfjs.js';
import { valueAndGradients } from './gradients.js';
import { pullBack } from './pull-back.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

describe('pullBack', () => {
  it('chains: two links give the gradient of the whole', async () => {
    const thrown = await expectNoLeak(() => {
      const parameters = createParameters();
      const w = parameters.add(
        'w',
        tf.tensor2d([
          [1, 2],
          [3, -1],
        ]),
      );
      const x = tf.tensor2d([
        [0.5, 1],
        [2, 0.1],
        [1, 1],
      ]);
      const inner = () => tf.tanh(tf.matMul(x, w)) as tf.Tensor2D;
      const outer = (h: tf.Tensor) => tf.sum(tf.square(h)) as tf.Scalar;
      const whole = valueAndGradients(parameters, () => outer(inner()));
      const h = tf.tidy(inner);
      const one = tf.scalar(1);
      const upper = pullBack(() => outer(h), [h], one);
      const lower = pullBack(inner, [w, x], upper.gradients[0]!);
      const wanted = whole.gradients['w']!.dataSync();
      lower.gradients[0]!.dataSync().forEach((g, i) => expect(g).toBeCloseTo(wanted[i]!, 5));
      expect(lower.gradients[1]!.shape).toEqual([3, 2]);
      expect(lower.value.dataSync()).toEqual(h.dataSync());
      parameters.dispose();
      const made = [one, x, h, whole.value, whole.gradients, upper.value, upper.gradients];
      return [...made, lower.value, lower.gradients];
    });
    expect(thrown).toBeUndefined();
  });

  it('gives zeros for an input that the value does not depend on', () => {
    tf.tidy(() => {
      const [x, other] = [tf.tensor1d([1, 2]), tf.tensor1d([3])];
      const { gradients } = pullBack(() => tf.square(x), [x, other], tf.tensor1d([1, 10]));
      expect(gradients.map((gradient) => Array.from(gradient.dataSync()))).toEqual([[2, 40], [0]]);
    });
  });

  it('refuses a gradient of another shape, and a gradient inside a gradient', async () => {
    const [x, column] = [tf.tensor1d([1, 2]), tf.tensor2d([[1], [2]])];
    const wrong = await expectNoLeak(() => pullBack(() => tf.square(x), [x], column));
    expect(String(wrong)).toMatch(/value is \[2\], its gradient \[2, 1\]/);
    const nested = () =>
      tf.grad((y) => {
        pullBack(() => tf.square(y), [y], x);
        return tf.sum(y);
      })(x);
    expect(nested).toThrow(/inside another gradient/);
    tf.dispose([x, column]);
  });
});
