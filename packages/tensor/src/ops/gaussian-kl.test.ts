import { ShapeError } from '@lab/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { normals } from '../__fixtures__/numbers.js';
import { expectSameBits } from '../__fixtures__/thread-bits.js';
import { type GaussianKlOptions, gaussianKl, selectBackend, tf } from '../index.js';
import { checkGradient, expectNoLeak } from '../testing.js';

const squashed = { ceiling: 0.4, offset: 0.1, slope: 0.9 };
const SETTINGS: [string, GaussianKlOptions][] = [
  ['a standard normal', {}],
  ['a wide prior', { prior: 2.5 }],
  ['a squashed deviation', { prior: 2.5136, squashed }],
];

/** The divergence in float64. */
function reference(
  [mean, spread]: readonly ArrayLike<number>[],
  rows: number,
  { prior = 1, squashed: form }: GaussianKlOptions,
): number {
  let total = 0;
  for (let i = 0; i < mean!.length; i += 1) {
    const x = spread![i]!;
    const log = form
      ? form.offset + form.slope * Math.log1p(Math.exp(Math.min(x, form.ceiling)))
      : Math.log(x);
    const squares = Math.exp(2 * log) + mean![i]! ** 2;
    total += Math.log(prior) - log + squares / (2 * prior ** 2) - 0.5;
  }
  return total / Math.max(rows, 1);
}

const inputsOf = (shape: [number, number], { squashed: form }: GaussianKlOptions) => {
  const mean = normals('mean', shape) as tf.Tensor2D;
  const raw = normals('spread', shape) as tf.Tensor2D;
  return [mean, form ? raw : tf.add(tf.abs(raw), 0.1)] as [tf.Tensor2D, tf.Tensor2D];
};

describe.each(['cpu', 'wasm'] as const)('gaussianKl on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend(backend);
  });

  describe.each(SETTINGS)('from %s', (_, options) => {
    it.each([[[1, 1]], [[3, 5]], [[40, 31]]] as [[number, number]][])(
      'equals float64 at %j',
      (shape) => {
        const [mean, spread] = inputsOf(shape, options);
        const wanted = reference([mean.dataSync(), spread.dataSync()], shape[0], options);
        const found = gaussianKl(mean, spread, options).dataSync()[0]!;
        expect(Math.abs(found - wanted)).toBeLessThan(2e-6 * Math.max(1, Math.abs(wanted)));
      },
    );

    it('has the gradient of its differences', async () => {
      const inputs = inputsOf([4, 7], options);
      await checkGradient(
        (m, s) => gaussianKl(m as tf.Tensor2D, s as tf.Tensor2D, options),
        inputs,
        {
          reference: (m, s) => [reference([m, s], 4, options)],
        },
      );
    });
  });

  it('is 0 at the prior and for no rows, and NaN where an input is', () => {
    expect(gaussianKl(tf.zeros([3, 4]), tf.ones([3, 4])).dataSync()[0]).toBeCloseTo(0, 6);
    expect(gaussianKl(tf.zeros([0, 4]), tf.ones([0, 4])).dataSync()[0]).toBe(0);
    for (const inputs of [
      [tf.tensor2d([[NaN]]), tf.tensor2d([[1]])],
      [tf.tensor2d([[1]]), tf.tensor2d([[NaN]])],
    ] as [tf.Tensor2D, tf.Tensor2D][]) {
      expect(gaussianKl(...inputs).dataSync()[0]).toBeNaN();
      expect(gaussianKl(...inputs, { squashed }).dataSync()[0]).toBeNaN();
    }
  });

  it('refuses inputs of different shapes', () => {
    expect(() => gaussianKl(tf.zeros([2, 3]), tf.zeros([3, 2]))).toThrow(ShapeError);
  });

  it('leaks nothing', async () => {
    const [mean, spread] = inputsOf([5, 6], {});
    await expectNoLeak(() => {
      tf.dispose(
        tf.grads((m, s) => gaussianKl(m as tf.Tensor2D, s as tf.Tensor2D))([mean, spread]),
      );
    });
  });
});

it('has the same bits for any number of threads', async () => {
  await selectBackend('wasm');
  const [mean, spread] = inputsOf([900, 101], { squashed });
  await expectSameBits(() => {
    const { value, grads } = tf.valueAndGrads((m, s) =>
      gaussianKl(m as tf.Tensor2D, s as tf.Tensor2D, { prior: 2.5, squashed }),
    )([mean, spread]);
    return [value, ...grads];
  });
});
