import { createRandom } from '@lab/core';
import '@lab/core/testing';
import { createParameters, selectBackend, tf } from '@lab/tensor';
import { checkGradient, expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  addModalityQuery,
  availabilityMask,
  modalityScores,
  modalityWeights,
  uniformWeights,
} from './modality-weights.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const image = () =>
  tf.tensor2d([
    [0.5, -1],
    [2, 0],
  ]);
const attribute = () =>
  tf.tensor2d([
    [0, 1],
    [-0.3, 0.7],
  ]);

describe('modalityScores', () => {
  it('has a column per modality at hand, in order, whatever the order of the rows', () => {
    const scores = modalityScores({ attribute: attribute(), image: image() }, tf.tensor1d([2, -1]));
    const expected = [
      [2 * Math.tanh(0.5) + Math.tanh(1), -Math.tanh(1)],
      [2 * Math.tanh(2), -2 * Math.tanh(0.3) - Math.tanh(0.7)],
    ];
    expect(scores.arraySync()).toBeClose(expected, { rtol: 1e-5 });
  });

  it('has the gradient of its formula', async () => {
    await checkGradient(
      (x, y, q) =>
        modalityScores({ image: x as tf.Tensor2D, attribute: y as tf.Tensor2D }, q as tf.Tensor1D),
      [image(), attribute(), tf.tensor1d([2, -1])],
      {
        reference: (x, y, q) =>
          [0, 1].flatMap((row) =>
            [x!, y!].map((z) =>
              [0, 1].reduce((s, d) => s + q![d]! * Math.tanh(z[2 * row + d]!), 0),
            ),
          ),
      },
    );
  });

  it('refuses other widths, and no modality', () => {
    const query = tf.zeros([3]) as tf.Tensor1D;
    expect(() => modalityScores({ image: image() }, query)).toThrow(/image has shape \[2, 2\]/);
    expect(() => modalityScores({}, query)).toThrow(/no modality at all/);
  });
});

describe('modalityWeights', () => {
  const scores = () =>
    tf.tensor2d([
      [1, 2, 3],
      [80, -5, 0],
      [4, 4, 4],
    ]);
  const mask = () =>
    tf.tensor2d([
      [1, 0, 1],
      [0, 1, 1],
      [0, 0, 0],
    ]);

  it('are the soft-max of all without a mask', () => {
    const weights = modalityWeights(scores()).arraySync();
    const sum = Math.E + Math.E ** 2 + Math.E ** 3;
    const first = [Math.E / sum, Math.E ** 2 / sum, Math.E ** 3 / sum];
    expect(weights[0]).toBeClose(first, { rtol: 1e-5 });
    expect(weights[2]).toBeClose(Array(3).fill(1 / 3), { rtol: 1e-6 });
  });

  it('run over what is available, however large the other scores; 0 where nothing is', () => {
    const weights = modalityWeights(scores(), mask()).arraySync();
    const share = (a: number, b: number) => 1 / (1 + Math.exp(b - a));
    expect(weights[0]).toBeClose([share(1, 3), 0, share(3, 1)], { rtol: 1e-5 });
    expect(weights[1]).toBeClose([0, share(-5, 0), share(0, -5)], { rtol: 1e-5 });
    expect(weights[2]).toEqual([0, 0, 0]);
  });

  it('pass no gradient to a score that is not available', async () => {
    await checkGradient((x) => modalityWeights(x as tf.Tensor2D, mask()), [scores()], {
      reference: (x) => {
        const available = mask().dataSync();
        return [0, 1, 2].flatMap((row) => {
          const terms = [0, 1, 2].map((m) =>
            available[3 * row + m] === 1 ? Math.exp(x![3 * row + m]!) : 0,
          );
          const sum = terms.reduce((total, term) => total + term, 0);
          return terms.map((term) => (sum === 0 ? 0 : term / sum));
        });
      },
    });
  });

  it('refuses a mask of another shape, and leaves nothing behind', async () => {
    const [x, available] = [scores(), mask()];
    const narrow = tf.ones([3, 2]) as tf.Tensor2D;
    expect(() => modalityWeights(x, narrow)).toThrow(/available has shape \[3, 2\]/);
    expect(await expectNoLeak(() => modalityWeights(x, available))).toBeUndefined();
  });
});

describe('uniformWeights', () => {
  it('share 1 among what is available; 0 where nothing is', () => {
    const mask = tf.tensor2d([1, 0, 1, 0, 1, 0, 0, 0, 0, 1, 1, 1], [4, 3]);
    const third = 1 / 3;
    const expected = [
      [0.5, 0, 0.5],
      [0, 1, 0],
      [0, 0, 0],
      [third, third, third],
    ];
    expect(uniformWeights([4, 3], mask).arraySync()).toBeClose(expected, { rtol: 1e-6 });
    expect(uniformWeights([1, 3]).arraySync()).toBeClose([[third, third, third]], { rtol: 1e-6 });
  });

  it('refuse a mask of another shape, and leave nothing behind', async () => {
    const mask = tf.ones([4, 2]) as tf.Tensor2D;
    expect(() => uniformWeights([4, 3], mask)).toThrow(/available has shape \[4, 2\]/);
    expect(await expectNoLeak(() => uniformWeights([4, 2], mask))).toBeUndefined();
  });
});

describe('availabilityMask', () => {
  it('has a column per modality; null means that all entities have it', () => {
    const mask = availabilityMask(3, { attribute: null, image: Uint8Array.of(1, 0, 1) });
    expect(mask.arraySync()).toEqual([
      [1, 1],
      [0, 1],
      [1, 1],
    ]);
  });

  it('refuses another number of flags', () => {
    const flags = { image: Uint8Array.of(1, 0) };
    expect(() => availabilityMask(3, flags)).toThrow(/image has 2 flags for 3 entities/);
  });
});

describe('addModalityQuery', () => {
  it('starts one vector from the stream of its name', async () => {
    const parameters = createParameters();
    addModalityQuery(parameters, 500, createRandom(3));
    const query = parameters.get('modalityQuery');
    expect(query.shape).toEqual([500]);
    const bound = Math.sqrt(1 / 500);
    const largest = Math.max(...query.dataSync().map(Math.abs));
    expect(largest).toBeLessThanOrEqual(bound);
    expect(largest).toBeGreaterThan(0.98 * bound);
    const again = createParameters();
    expect(
      await expectNoLeak(() => {
        addModalityQuery(again, 500, createRandom(3));
        expect(again.get('modalityQuery').dataSync()).toEqual(query.dataSync());
        again.dispose();
      }),
    ).toBeUndefined();
  });
});
