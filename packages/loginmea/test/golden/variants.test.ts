/**
 * Losses and starts of the fusion against the independent PyTorch twin, each on inputs of its own.
 *
 * The twin has one value per seed, our losses give the mean of a batch; of the losses in which the
 * pairs of a batch do not meet, each value is compared by a batch of one.
 */
import type { SeedBatch } from '@lab/alignment';
import { relativeError } from '@lab/core/testing';
import { selectBackend, tf } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  contrastiveLoss,
  hardSampleLoss,
  intraContrastiveLoss,
  marginLoss,
} from '../../src/losses.js';
import { factorStart, lowRankFusion } from '../../src/low-rank-fusion.js';
import { modalities, type PerModality } from '../../src/modalities.js';
import { proxyMatching } from '../../src/proxy-matching.js';
import { type Golden, integersOf, numbersOf, readGolden, tensorOf } from './golden-file.js';

/** Largest difference relative to the tensor's largest value. */
const RELATIVE = 1e-4;
/** Deviation of the factors that the file was made with: that of D = 300, K = 8. */
const DEVIATION = Math.sqrt(2 / (301 * 300 + 8 * 300));

let golden: Golden;
let pairs: SeedBatch;
let negatives: SeedBatch;

beforeAll(async () => {
  await selectBackend('wasm');
  golden = await readGolden('variants');
  const batch = (left: string, right: string) => ({
    left: integersOf(golden, `loss.${left}`),
    right: integersOf(golden, `loss.${right}`),
  });
  pairs = batch('left', 'right');
  negatives = batch('negativeLeft', 'negativeRight');
});

type Loss = (o: tf.Tensor2D, rows: readonly [number, number]) => tf.Scalar;

const cut = ({ left, right }: SeedBatch, [start, end]: readonly [number, number]): SeedBatch => ({
  left: left.subarray(start, end),
  right: right.subarray(start, end),
});

const losses: { name: string; isSeparate: boolean; of: Loss }[] = [
  { name: 'infoNce', isSeparate: false, of: (o, rows) => contrastiveLoss(o, cut(pairs, rows)) },
  {
    name: 'infoNceBoth',
    isSeparate: false,
    of: (o, rows) => contrastiveLoss(o, cut(pairs, rows), { direction: 'both' }),
  },
  {
    name: 'intraContrastive',
    isSeparate: false,
    of: (o, rows) => intraContrastiveLoss(o, cut(pairs, rows)),
  },
  { name: 'hardSample', isSeparate: true, of: (o, rows) => hardSampleLoss(o, cut(pairs, rows)) },
  {
    name: 'margin',
    isSeparate: true,
    of: (o, rows) => marginLoss(o, cut(pairs, rows), { negatives: cut(negatives, rows) }),
  },
];

describe.each(losses)('the loss $name', ({ name, of }) => {
  it('has the twin’s mean and gradient', async () => {
    const o = tensorOf<tf.Tensor2D>(golden, 'loss.o');
    const perSeed = numbersOf(golden, `loss.${name}`);
    const all = [0, perSeed.length] as const;
    const mean = perSeed.reduce((sum, value) => sum + value, 0) / perSeed.length;
    expect(relativeError(await of(o, all).data(), [mean])).toBeLessThan(RELATIVE);
    const gradient = tf.grad((x) => of(x as tf.Tensor2D, all))(o);
    const expected = numbersOf(golden, `loss.${name}.gradient.o`);
    expect(relativeError(await gradient.data(), expected)).toBeLessThan(RELATIVE);
  });
});

describe.each(losses.filter(({ isSeparate }) => isSeparate))('the loss $name', ({ name, of }) => {
  it('has the twin’s value of each seed', () => {
    const o = tensorOf<tf.Tensor2D>(golden, 'loss.o');
    const perSeed = numbersOf(golden, `loss.${name}`);
    const got = perSeed.map((_, row) => of(o, [row, row + 1]).dataSync()[0]!);
    expect(relativeError(got, perSeed)).toBeLessThan(RELATIVE);
  });
});

describe('proxy matching', () => {
  it('has the twin’s result and gradients', async () => {
    const names = ['o', 'proxies', 'gateWeight', 'gateBias'] as const;
    const inputs = names.map((name) => tensorOf(golden, `proxy.${name}`));
    const match = (...[o, vectors, gateWeight, gateBias]: tf.Tensor[]) =>
      proxyMatching(o as tf.Tensor2D, {
        vectors: vectors as tf.Tensor2D,
        gateWeight: gateWeight as tf.Tensor2D,
        gateBias: gateBias as tf.Tensor1D,
      });
    const result = numbersOf(golden, 'proxy.result');
    expect(relativeError(await match(...inputs).data(), result)).toBeLessThan(RELATIVE);
    const gradients = tf.grads((...leaves) => tf.mean(match(...leaves)))(inputs);
    for (const [at, name] of names.entries()) {
      const expected = numbersOf(golden, `proxy.result.gradient.${name}`);
      const got = await gradients[at]!.data();
      expect(relativeError(got, expected), name).toBeLessThan(RELATIVE);
    }
  });
});

describe.each(['official', 'unit'] as const)('the start %s of the fusion', (start) => {
  it('has the twin’s result and gradients of the factors', async () => {
    const rows: PerModality<tf.Tensor2D> = {};
    modalities.forEach((modality, m) => {
      rows[modality] = tensorOf<tf.Tensor2D>(golden, `fusion.z${m}`);
    });
    const weights = tensorOf<tf.Tensor2D>(golden, 'fusion.alpha');
    const probe = tensorOf<tf.Tensor2D>(golden, 'fusion.probe');
    const rankWeight = tensorOf<tf.Tensor1D>(golden, 'fusion.rankWeight');
    const bias = tf.zeros([probe.shape[1]]) as tf.Tensor1D;
    const fuse = (factors: tf.Tensor[]) => {
      const byModality = Object.fromEntries(modalities.map((m, i) => [m, factors[i]!]));
      return lowRankFusion(rows, weights, { factors: byModality, rankWeight, bias });
    };
    const factors = modalities.map((_, m) =>
      factorStart(tensorOf<tf.Tensor3D>(golden, `fusion.normal${m}`), start, DEVIATION),
    );
    const result = numbersOf(golden, `fusion.${start}`);
    expect(relativeError(await fuse(factors).data(), result)).toBeLessThan(RELATIVE);
    const value = (...leaves: tf.Tensor[]) => tf.sum(tf.mul(fuse(leaves), probe));
    for (const [m, gradient] of tf.grads(value)(factors).entries()) {
      const expected = numbersOf(golden, `fusion.${start}.gradient.factor${m}`);
      expect(relativeError(await gradient.data(), expected), `factor ${m}`).toBeLessThan(RELATIVE);
    }
  });
});
