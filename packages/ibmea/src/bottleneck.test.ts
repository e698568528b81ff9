import { createRandom } from '@lab/core';
import { selectBackend, tf } from '@lab/tensor';
import { checkGradient, expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  countNonFinite,
  klOfficial,
  klToStandardNormal,
  officialPriorScale,
  sampleRows,
} from './bottleneck.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

/** Draws of a Monte-Carlo estimate; its standard error is below 0.01 nats here. */
const DRAWS = 40_000;

const matrix = (rows: number[][]) => tf.tensor2d(rows);
const valueOf = (x: tf.Tensor) => x.dataSync()[0]!;

/** `mean ln q(z) - ln p(z)` over samples of q: what the closed forms must equal. */
function estimatedKl(q: { mean: number; scale: number }, priorScale: number): number {
  const random = createRandom(5).fork(`${q.mean}/${q.scale}`);
  let sum = 0;
  for (let draw = 0; draw < DRAWS; draw += 1) {
    const z = q.mean + q.scale * random.normal();
    const logQ = -Math.log(q.scale) - (z - q.mean) ** 2 / (2 * q.scale ** 2);
    const logP = -Math.log(priorScale) - z ** 2 / (2 * priorScale ** 2);
    sum += logQ - logP;
  }
  return sum / DRAWS;
}

describe('the released prior', () => {
  it('has deviation 2.5136', () => {
    expect(officialPriorScale).toBeCloseTo(2.5136, 4);
  });

  it('costs nothing at mean 0 once sigma is at least 0.4', () => {
    for (const sigma of [0.4, 1, 7]) {
      const kl = klOfficial(tf.zeros([3, 4]), tf.fill([3, 4], sigma) as tf.Tensor2D);
      expect(Math.abs(valueOf(kl))).toBeLessThan(1e-5);
    }
  });

  it('costs 0.03446 per dimension at mean 0 and sigma 0: 10.34 for 300', () => {
    const one = valueOf(klOfficial(tf.zeros([2, 1]), tf.zeros([2, 1])));
    expect(Math.abs(one - 0.03446)).toBeLessThan(2e-5);
    expect(valueOf(klOfficial(tf.zeros([2, 300]), tf.zeros([2, 300])))).toBeCloseTo(10.34, 2);
  });

  it('is the mean over entities of the sum over dimensions', () => {
    const mean = 2 ** 2 / (2 * officialPriorScale ** 2);
    const kl = klOfficial(
      matrix([
        [2, 2],
        [0, 0],
      ]),
      tf.fill([2, 2], 1) as tf.Tensor2D,
    );
    expect(valueOf(kl)).toBeCloseTo(mean, 5);
  });

  it('equals a Monte-Carlo estimate below the clamp', () => {
    const sigma = -0.5;
    const scale = Math.exp(0.1 + 0.9 * Math.log1p(Math.exp(sigma)));
    const expected = estimatedKl({ mean: 1.5, scale }, officialPriorScale);
    expect(
      Math.abs(valueOf(klOfficial(matrix([[1.5]]), matrix([[sigma]]))) - expected),
    ).toBeLessThan(0.02);
  });

  it('has the gradients of its formula, none to sigma above the clamp', async () => {
    const precision = 1 / (2 * officialPriorScale ** 2);
    const reference = (mean: Float64Array, sigma: Float64Array) => {
      let sum = 0;
      mean.forEach((m, i) => {
        const log = 0.1 + 0.9 * Math.log1p(Math.exp(Math.min(sigma[i]!, 0.4)));
        sum += Math.log(officialPriorScale) - log + precision * (Math.exp(2 * log) + m * m) - 0.5;
      });
      return [sum / 2];
    };
    const inputs = [
      matrix([
        [0.3, -1.2],
        [2, 0.1],
      ]),
      matrix([
        [0.1, -0.6],
        [0.9, 2],
      ]),
    ];
    const kl = (m: tf.Tensor, s: tf.Tensor) => klOfficial(m as tf.Tensor2D, s as tf.Tensor2D);
    await checkGradient(kl, inputs, { reference });
    const toSigma = tf.grads(kl)(inputs)[1]!.dataSync();
    expect([toSigma[2], toSigma[3]]).toEqual([0, 0]);
    expect(toSigma[0]).not.toBe(0);
  });

  it('repairs NaN and infinities only when asked', () => {
    const mean = matrix([[Number.NaN, 1]]);
    const sigma = matrix([[Number.NaN, 1]]);
    expect(valueOf(klOfficial(mean, sigma))).toBeNaN();
    const repaired = valueOf(klOfficial(mean, sigma, true));
    const wanted = valueOf(klOfficial(matrix([[0, 1]]), matrix([[1, 1]])));
    expect(repaired).toBeCloseTo(wanted, 6);
  });
});

describe('klToStandardNormal', () => {
  it('is zero at N(0, 1) and positive elsewhere', () => {
    expect(valueOf(klToStandardNormal(tf.zeros([2, 3]), tf.ones([2, 3])))).toBeCloseTo(0, 6);
    expect(valueOf(klToStandardNormal(matrix([[0.5]]), matrix([[0.3]])))).toBeGreaterThan(0.1);
  });

  it.each([
    { mean: 0.7, scale: 0.5 },
    { mean: -1.5, scale: 1.8 },
  ])('equals a Monte-Carlo estimate at $mean, $scale', (q) => {
    const kl = valueOf(klToStandardNormal(matrix([[q.mean]]), matrix([[q.scale]])));
    expect(Math.abs(kl - estimatedKl(q, 1))).toBeLessThan(0.03);
  });

  it('has the gradients of its formula', async () => {
    const reference = (mean: Float64Array, scale: Float64Array) => {
      let sum = 0;
      mean.forEach((m, i) => {
        sum += (scale[i]! ** 2 + m * m - 1) / 2 - Math.log(scale[i]!);
      });
      return [sum / 2];
    };
    const kl = (m: tf.Tensor, s: tf.Tensor) =>
      klToStandardNormal(m as tf.Tensor2D, s as tf.Tensor2D);
    await checkGradient(
      kl,
      [
        matrix([
          [0.3, -1],
          [2, 0],
        ]),
        matrix([
          [0.4, 1],
          [2, 0.1],
        ]),
      ],
      {
        reference,
      },
    );
  });

  it('takes no entities at all, and leaves nothing behind', async () => {
    expect(valueOf(klToStandardNormal(tf.zeros([0, 3]), tf.ones([0, 3])))).toBe(0);
    const mean = tf.ones([5, 3]) as tf.Tensor2D;
    expect(await expectNoLeak(() => klToStandardNormal(mean, mean))).toBeUndefined();
    expect(await expectNoLeak(() => klOfficial(mean, mean))).toBeUndefined();
  });
});

describe('sampleRows', () => {
  const posteriorOf = () => ({
    mean: tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]),
    scale: tf.tensor2d([1, 1, 2, 2, 0, 9], [3, 2]),
  });
  const rowsOf = () => tf.tensor1d([2, 0, 2], 'int32');

  it('adds noise times deviation to the mean of the asked rows', () => {
    const z = sampleRows(
      posteriorOf(),
      rowsOf(),
      matrix([
        [1, 1],
        [-1, 0],
        [0, 2],
      ]),
    );
    expect(z.arraySync()).toEqual([
      [5, 15],
      [0, 2],
      [5, 24],
    ]);
  });

  it('gives the mean without noise, and for a plain encoder', () => {
    const mean = [
      [5, 6],
      [1, 2],
      [5, 6],
    ];
    expect(sampleRows(posteriorOf(), rowsOf(), null).arraySync()).toEqual(mean);
    const plain = { ...posteriorOf(), scale: null };
    expect(sampleRows(plain, rowsOf(), tf.ones([3, 2])).arraySync()).toEqual(mean);
  });

  it('leaves nothing but the samples', () => {
    const [posterior, rows, noise] = [posteriorOf(), rowsOf(), tf.ones<tf.Rank.R2>([3, 2])];
    const before = tf.memory().numTensors;
    sampleRows(posterior, rows, noise);
    expect(tf.memory().numTensors).toBe(before + 1);
  });
});

describe('countNonFinite', () => {
  it('counts NaN and both infinities', async () => {
    const x = tf.tensor1d([1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]);
    expect(await countNonFinite(x)).toBe(3);
    expect(await countNonFinite(tf.zeros([4]))).toBe(0);
  });
});
