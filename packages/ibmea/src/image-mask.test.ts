import { trainEpochs } from '@lab/alignment';
import { createRandom } from '@lab/core';
import '@lab/core/testing';
import { gatherRows, infoNce, l2NormalizeRows, selectBackend, tf } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  smallConfig,
  smallData,
  smallModel,
  smallTask,
  smallTraining,
  withImages,
} from './__fixtures__/small-task.js';
import { klToStandardNormal } from './bottleneck.js';
import { noDropout } from './encoders.js';
import { embedSides, encodeOutside } from './encoding.js';
import { completePairs, presentPosteriors } from './image-mask.js';
import { contrastiveTerms } from './losses.js';
import { drawNoise } from './noise.js';
import { stepGradients } from './step.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

/** Images of the even entities only, the others masked. */
async function masked(settings: Readonly<Record<string, unknown>> = {}) {
  const config = smallConfig({ 'data.missingImages': 'mask', ...settings });
  const task = await smallTask(withImages(smallData()));
  return { config, task, ...smallModel(task, config) };
}

const batchOf = (left: number[], right: number[]) => ({
  left: Int32Array.from(left),
  right: Int32Array.from(right),
});

describe('masked images', () => {
  it.each(['weighted', 'attention'])('leave no trace in the %s fusion', async (fusion) => {
    const { model, dispose } = await masked({ 'model.fusion': fusion });
    const sides = { left: Int32Array.of(1, 2), right: Int32Array.of(3) };
    const rowsNow = async () => {
      const posteriors = encodeOutside(model);
      const rows = embedSides(model, posteriors, sides, null);
      return (await rows.left[0]!.array()) as number[][];
    };
    const before = await rowsNow();
    const bias = model.parameters.get('image.mean.bias');
    model.parameters.load({
      ...(await model.parameters.toArrays()),
      'image.mean.bias': { shape: bias.shape, data: new Float32Array(bias.size).fill(3) },
    });
    const after = await rowsNow();
    expect(after[0]).toBeClose(before[0]!, { atol: 1e-6 });
    expect(Math.max(...after[1]!.map((x, at) => Math.abs(x - before[1]![at]!)))).toBeGreaterThan(
      1e-3,
    );
    dispose();
  });

  it('take no part in the InfoNCE term of the images', async () => {
    const { model, config, dispose } = await masked();
    const batch = batchOf([0, 1, 2, 4, 6], [40, 42, 43, 44, 46]);
    expect(Array.from(completePairs(model, 'image', batch)!)).toEqual([0, 3, 4]);
    expect(completePairs(model, 'graph', batch)).toBeNull();
    const posteriors = model.encode(noDropout);
    const noise = drawNoise(config.model, model.modalities, createRandom(3));
    const { infoNce: terms } = contrastiveTerms(model, posteriors, batch, noise);
    const rows = (ids: number[]) => {
      const at = tf.tensor1d(Int32Array.from(ids), 'int32');
      const drawn = noise.rows('image', Int32Array.from(ids))!;
      const { mean, scale } = posteriors.image!;
      const z = tf.add(gatherRows(mean, at), tf.mul(drawn, gatherRows(scale!, at)));
      return l2NormalizeRows(z as tf.Tensor2D);
    };
    const expected = infoNce(rows([0, 4, 6]), rows([40, 44, 46]), {
      temperature: 0.1,
      direction: 'both',
    });
    expect(terms.image!.dataSync()).toBeClose(Array.from(expected.dataSync()), { rtol: 1e-5 });
    const few = contrastiveTerms(model, posteriors, batchOf([0, 1], [40, 41]), noise);
    expect(few.infoNce.image).toBeUndefined();
    dispose();
  });

  it('do not count in the KL term of the images', async () => {
    const { model, dispose } = await masked();
    const posteriors = model.encode(noDropout);
    const { image, graph } = presentPosteriors(model, posteriors);
    expect([image!.mean.shape[0], graph!.mean.shape[0]]).toEqual([40, 80]);
    expect(klToStandardNormal(image!.mean, image!.scale!).dataSync()[0]).toBeGreaterThan(0);
    dispose();
  });

  it('give the images no gradient from pairs without images, and a finite one else', async () => {
    const { model, config, dispose } = await masked({ 'loss.imageBeta': 0, 'training.clip': 0 });
    const gradientOf = async (batch: ReturnType<typeof batchOf>) => {
      const noise = drawNoise(config.model, model.modalities, createRandom(3));
      const input = { batches: [batch], noise, dropout: noDropout, learningRate: 0.1 };
      const { gradients } = await stepGradients(model, input);
      return Array.from(gradients['image.mean.weight']?.dataSync() ?? []);
    };
    const without = await gradientOf(batchOf([1, 3, 5], [41, 43, 45]));
    expect(without.every((value) => value === 0)).toBe(true);
    const half = await gradientOf(batchOf([0, 2, 5], [40, 42, 45]));
    expect(half.every(Number.isFinite)).toBe(true);
    expect(half.some((value) => value !== 0)).toBe(true);
    dispose();
  });

  it('train and evaluate, and nothing is masked by default', async () => {
    const { config, task, dispose } = await masked({ 'training.epochs': 3 });
    dispose();
    const state = smallTraining(task, config);
    const losses: number[] = [];
    await trainEpochs(state, { onEpoch: ({ record }) => void losses.push(record.loss) });
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(state.selection.evaluation).not.toBeNull();
    state.dispose();
    const other = smallModel(task, smallConfig());
    expect(other.model.imagePresent).toBeNull();
    other.dispose();
  });
});
