import '@lab/core/testing';
import { createParameters, selectBackend, tf } from '@lab/tensor';
import { checkGradient, expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { addEarlyWeights, earlyFusion } from './early-fusion.js';

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
const scores = () => tf.tensor1d([0, Math.log(2), Math.log(3)]);

describe('earlyFusion', () => {
  it('puts unit rows side by side, each times its share of all three scalars', () => {
    const g = earlyFusion({ attribute: attribute(), image: image() }, scores());
    const expected = [
      [0.6 / 6, 0.8 / 6, 0, 3 / 6],
      [1 / 6, 0, (3 / 6) * (5 / 13), (3 / 6) * (-12 / 13)],
    ];
    expect(g.arraySync()).toBeClose(expected, { rtol: 1e-5, atol: 1e-7 });
  });

  it('leaves the block of a modality that an entity lacks at 0', () => {
    const mask = tf.tensor2d([
      [0, 1],
      [1, 0],
    ]);
    const rows = { image: image(), attribute: attribute() };
    const [first, second] = earlyFusion(rows, scores(), mask).arraySync();
    expect(first).toBeClose([0, 0, 0, 0.5], { rtol: 1e-6 });
    expect(second).toBeClose([1 / 6, 0, 0, 0], { rtol: 1e-6 });
  });

  it('has the gradient of its formula to rows and scalars', async () => {
    await checkGradient(
      (x, y, w) =>
        earlyFusion({ image: x as tf.Tensor2D, attribute: y as tf.Tensor2D }, w as tf.Tensor1D),
      [image(), attribute(), scores()],
      {
        reference: (x, y, w) => {
          const sum = w!.reduce((total, score) => total + Math.exp(score), 0);
          const block = (z: Float64Array, row: number, slot: number) => {
            const [a, b] = [z[2 * row]!, z[2 * row + 1]!];
            const factor = Math.exp(w![slot]!) / sum / Math.hypot(a, b);
            return [a * factor, b * factor];
          };
          return [0, 1].flatMap((row) => [...block(x!, row, 0), ...block(y!, row, 2)]);
        },
      },
    );
  });

  it('refuses other numbers of scalars and other masks, and leaves nothing behind', async () => {
    const rows = { image: image() };
    const w = scores();
    expect(() => earlyFusion(rows, tf.zeros([2]) as tf.Tensor1D)).toThrow(/scores has shape \[2\]/);
    const mask = tf.ones([2, 2]) as tf.Tensor2D;
    expect(() => earlyFusion(rows, w, mask)).toThrow(/available has shape \[2, 2\]/);
    expect(() => earlyFusion({}, w)).toThrow(/no modality at all/);
    expect(await expectNoLeak(() => earlyFusion(rows, w))).toBeUndefined();
  });

  it('starts with the same share for all', () => {
    const parameters = createParameters();
    addEarlyWeights(parameters);
    const g = earlyFusion({ image: image() }, parameters.get('earlyWeights') as tf.Tensor1D);
    expect(g.arraySync()[0]).toBeClose([0.2, 0.8 / 3], { rtol: 1e-6 });
  });
});
