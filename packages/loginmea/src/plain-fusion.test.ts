import { createRandom } from '@lab/core';
import '@lab/core/testing';
import { createParameters, selectBackend, tf } from '@lab/tensor';
import { checkGradient, expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  addConcatenationParameters,
  concatenationFusion,
  concatenationParameters,
  sumFusion,
} from './plain-fusion.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const image = () =>
  tf.tensor2d([
    [3, 4],
    [1, 0],
  ]);
const attribute = () =>
  tf.tensor2d([
    [0, 2],
    [5, -12],
  ]);
const weights = () =>
  tf.tensor2d([
    [0.75, 0.25],
    [0, 0],
  ]);
const rows = () => ({ attribute: attribute(), image: image() });

describe('sumFusion', () => {
  it('adds the weighted unit rows; an entity without a modality has 0', () => {
    const f = sumFusion(rows(), weights()).arraySync();
    expect(f[0]).toBeClose([0.75 * 0.6, 0.75 * 0.8 + 0.25], { rtol: 1e-6 });
    expect(f[1]).toEqual([0, 0]);
  });

  it('has the gradient of its formula', async () => {
    await checkGradient(
      (x, y, alpha) =>
        sumFusion({ image: x as tf.Tensor2D, attribute: y as tf.Tensor2D }, alpha as tf.Tensor2D),
      [image(), attribute(), tf.tensor2d([0.5, 0.5, 0.3, 0.7], [2, 2])],
      {
        reference: (x, y, alpha) =>
          [0, 1].flatMap((row) =>
            [0, 1].map((d) =>
              [x!, y!].reduce((sum, z, m) => {
                const length = Math.hypot(z[2 * row]!, z[2 * row + 1]!);
                return sum + (alpha![2 * row + m]! * z[2 * row + d]!) / length;
              }, 0),
            ),
          ),
      },
    );
  });

  it('refuses weights of other shapes, and leaves nothing behind', async () => {
    const [r, alpha] = [rows(), weights()];
    const narrow = tf.ones([2, 1]) as tf.Tensor2D;
    expect(() => sumFusion(r, narrow)).toThrow(/weights has shape \[2, 1\]/);
    expect(() => sumFusion({}, alpha)).toThrow(/no modality at all/);
    expect(await expectNoLeak(() => sumFusion(r, alpha))).toBeUndefined();
  });
});

describe('concatenationFusion', () => {
  const layer = () => ({
    weight: tf.tensor2d([
      [1, 0],
      [0, 1],
      [10, 0],
      [0, 10],
    ]),
    bias: tf.tensor1d([100, 200]),
  });

  it('puts the weighted unit rows side by side, in order, through the layer', () => {
    const f = concatenationFusion(rows(), weights(), layer()).arraySync();
    expect(f[0]).toBeClose([100.45, 200.6 + 2.5], { rtol: 1e-6 });
    expect(f[1]).toEqual([100, 200]);
  });

  it('refuses layers of other sizes, and leaves nothing behind', async () => {
    const [r, alpha, own] = [rows(), weights(), layer()];
    const small = { ...own, weight: tf.ones([2, 2]) as tf.Tensor2D };
    expect(() => concatenationFusion(r, alpha, small)).toThrow(/weight has shape \[2, 2\]/);
    expect(await expectNoLeak(() => concatenationFusion(r, alpha, own))).toBeUndefined();
  });

  it('starts as a linear layer of PyTorch', () => {
    const parameters = createParameters();
    addConcatenationParameters(parameters, [3, 40], createRandom(1));
    const { weight, bias } = concatenationParameters(parameters);
    expect([weight.shape, bias.shape]).toEqual([[120, 40], [40]]);
    const bound = Math.sqrt(1 / 120);
    for (const start of [weight, bias]) {
      const largest = Math.max(...start.dataSync().map(Math.abs));
      expect(largest).toBeLessThanOrEqual(bound);
      expect(largest).toBeGreaterThan(0.8 * bound);
    }
  });
});
