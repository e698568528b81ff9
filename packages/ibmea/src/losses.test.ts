import { createRandom } from '@lab/core';
import { infoNce, l2NormalizeRows, multiSimilarity, normal, selectBackend, tf } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallConfig, smallModel, smallTask } from './__fixtures__/small-task.js';
import { noDropout } from './encoders.js';
import { contrastiveTerms, klTerms, klWeight, totalLoss } from './losses.js';
import { drawNoise } from './noise.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const valueOf = (x: tf.Scalar) => x.dataSync()[0]!;
const unit = (name: string, count: number, width: number) =>
  l2NormalizeRows(normal([count, width], 1, createRandom(6).fork(name)) as tf.Tensor2D);

/** Loss terms of an untrained model on all seed pairs. */
async function untrained(settings: Record<string, unknown>, mode: 'official' | 'corrected') {
  const task = await smallTask();
  const config = smallConfig(settings, mode);
  const { model } = smallModel(task, config);
  const { seeds } = task.split;
  const batch = {
    left: seeds.filter((_, at) => at % 2 === 0),
    right: seeds.filter((_, at) => at % 2 === 1),
  };
  const noise = drawNoise(config.model, model.modalities, createRandom(1));
  const posteriors = model.encode(noDropout);
  const contrast = contrastiveTerms(model, posteriors, batch, noise);
  return { config, contrast, kl: klTerms(posteriors, config.model), count: batch.left.length };
}

describe('the closed forms of untrained losses', () => {
  it('InfoNCE at tau 400 is ln B to four digits', async () => {
    const settings = { 'loss.temperature': 400 };
    const { contrast, count } = await untrained(settings, 'official');
    for (const value of Object.values(contrast.infoNce)) {
      // Cosines of at most 1 over 400 move a logit by 0.0025 at most.
      expect(Math.abs(valueOf(value) - Math.log(count))).toBeLessThan(5e-3);
    }
    const loss = infoNce(unit('a', 1000, 300), unit('b', 1000, 300), {
      temperature: 400,
      direction: 'left-to-right',
    });
    expect(valueOf(loss)).toBeCloseTo(6.9078, 3);
  });

  it('multi-similarity with alpha 0.1 is 10 ln(1 + e^.05) = 7.18 and a small part', () => {
    // Near-orthogonal rows: all similarities close to 0.
    const options = { alpha: 0.1, beta: 40, lambda: 0.5 };
    const loss = valueOf(multiSimilarity(unit('a', 100, 3000), unit('b', 100, 3000), options));
    const positive = 10 * Math.log1p(Math.exp(0.05));
    expect(Math.abs(positive - 7.184)).toBeLessThan(1e-3);
    expect(loss).toBeGreaterThan(positive - 0.01);
    expect(loss).toBeLessThan(7.21);
  });

  it('the KL of the graph is paid by the mean alone: sigma is above the clamp', async () => {
    const { kl } = await untrained({ 'model.dropout': 0 }, 'official');
    // LayerNorm gives rows of 12 unit-variance entries: |mean|^2 = 12, over 2 * 2.5136^2.
    expect(valueOf(kl.graph!)).toBeGreaterThan(12 / 12.637);
    expect(valueOf(kl.graph!)).toBeLessThan(12 / 12.637 + 12 * 0.0345);
  });
});

describe('klTerms', () => {
  it('has one term per variational modality and none for plain encoders', async () => {
    const all = await untrained({}, 'corrected');
    expect(Object.keys(all.kl).sort()).toEqual(['attribute', 'graph', 'relation']);
    for (const term of Object.values(all.kl)) expect(valueOf(term)).toBeGreaterThan(0);
    const some = await untrained({ 'model.bottlenecks': ['relation'] }, 'corrected');
    expect(Object.keys(some.kl)).toEqual(['relation']);
    expect(await untrained({ 'model.bottlenecks': [] }, 'corrected')).toMatchObject({ kl: {} });
  });
});

describe('contrastiveTerms', () => {
  it.each(['multi-similarity', 'infonce', 'icl'])(
    'hybrid %s is a finite number',
    async (hybrid) => {
      const { contrast } = await untrained({ 'loss.hybrid': hybrid }, 'corrected');
      expect(Number.isFinite(valueOf(contrast.hybrid!))).toBe(true);
      expect(valueOf(contrast.hybrid!)).toBeGreaterThan(0);
    },
  );

  it.each([{ 'loss.hybrid': 'none' }, { 'loss.hybridWeight': 0 }])(
    '%o leaves the hybrid loss out',
    async (settings) => {
      expect((await untrained(settings, 'corrected')).contrast.hybrid).toBeNull();
    },
  );

  it('looks left to right in mode official, both ways in mode corrected', async () => {
    const one = await untrained({ 'loss.direction': 'left-to-right' }, 'corrected');
    const both = await untrained({ 'loss.direction': 'both' }, 'corrected');
    const of = ({ contrast }: typeof one) => valueOf(contrast.infoNce.relation!);
    expect(of(one)).not.toBeCloseTo(of(both), 5);
  });
});

describe('totalLoss', () => {
  it('is the sum of InfoNCE, weighted KL and weighted hybrid terms', () => {
    const { loss } = smallConfig({
      'loss.relationBeta': 0.5,
      'loss.graphBeta': 0.001,
      'loss.jointBeta': 0.001,
      'loss.hybridWeight': 2,
    });
    const total = totalLoss(
      {
        infoNce: { graph: tf.scalar(1), relation: tf.scalar(2) },
        kl: { relation: tf.scalar(4), graph: tf.scalar(1000) },
        hybrid: tf.scalar(3),
        joint: tf.scalar(2000),
      },
      loss,
    );
    expect(valueOf(total)).toBeCloseTo(1 + 2 + 0.5 * 4 + 0.001 * 1000 + 2 * 3 + 0.001 * 2000, 5);
    const alone = { infoNce: { graph: tf.scalar(1) }, kl: {}, hybrid: null, joint: null };
    const bare = totalLoss(alone, loss);
    expect(valueOf(bare)).toBe(1);
    expect(valueOf(totalLoss({ ...alone, infoNce: {} }, loss))).toBe(0);
  });

  it('knows the beta of every modality', () => {
    const { loss } = smallConfig({
      'loss.imageBeta': 0.1,
      'loss.attributeBeta': 0.2,
      'loss.relationBeta': 0.3,
      'loss.graphBeta': 0.4,
    });
    const betas = (['image', 'attribute', 'relation', 'graph'] as const).map((modality) =>
      klWeight(modality, loss),
    );
    expect(betas).toEqual([0.1, 0.2, 0.3, 0.4]);
  });
});
