import { readFileSync } from 'node:fs';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend, tf } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  smallConfig,
  smallData,
  smallModel,
  smallResolved,
  smallTask,
  withImages,
} from './__fixtures__/small-task.js';
import { imageDeviationFigure, imageDeviations } from './image-deviations.js';
import { conclude, train } from './library.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

/** Deviations of a model whose posterior has deviation n / 10 at entity n, with sign changes. */
async function deviationsOf(hasImages: boolean, settings: Readonly<Record<string, unknown>> = {}) {
  const task = await smallTask(hasImages ? withImages(smallData()) : smallData());
  const { model, dispose } = smallModel(task, smallConfig(settings));
  const { entityCount } = task.data;
  const column = tf.mul(tf.reshape(tf.range(0, entityCount), [entityCount, 1]), 0.1);
  const scale = tf.concat([column, tf.neg(column)], 1) as tf.Tensor2D;
  const isPlain = model.config.model.bottlenecks.length === 0;
  const image = { mean: scale, scale: isPlain ? null : scale };
  const posteriors = model.modalities.includes('image') ? { image } : {};
  const before = tf.memory().numTensors;
  const found = await imageDeviations(task, model, posteriors);
  expect(tf.memory().numTensors).toBe(before);
  dispose();
  return found;
}

describe('imageDeviations', () => {
  it('are mean absolute deviations, apart for entities with and without image', async () => {
    // Every second entity of 80 has an image: 0, 2, 4 ...
    const found = (await deviationsOf(true))!;
    expect(found.present).toHaveLength(40);
    expect(found.filled).toHaveLength(40);
    expect(found.present[1]).toBeCloseTo(0.2, 5);
    expect(found.filled[1]).toBeCloseTo(0.3, 5);
  });

  it('are null without images, without bottleneck, and where missing ones are masked', async () => {
    expect(await deviationsOf(false)).toBeNull();
    expect(await deviationsOf(true, { 'model.bottlenecks': [] })).toBeNull();
    expect(await deviationsOf(true, { 'data.missingImages': 'mask' })).toBeNull();
  });
});

describe('imageDeviationFigure', () => {
  it('stands in the report of a run whose data lack some images', async () => {
    const config = smallResolved({ 'training.epochs': 1 });
    const run = { parent: temporaryFolder(), label: 'x', command: ['ibmea'], backend: null };
    const trained = await train({ data: await smallTask(withImages(smallData())), config, run });
    const { reportPath } = await conclude(trained, { config, seconds: 1 });
    expect(readFileSync(reportPath, 'utf8')).toContain('Posterior deviation of images');
    trained.state.dispose();
  });

  it('shows both distributions', () => {
    expect(imageDeviationFigure(null)).toBeNull();
    const present = Float32Array.of(0.1, 0.2, 0.2);
    const { figure } = imageDeviationFigure({ present, filled: Float32Array.of(0.5, 0.6) })!;
    expect(figure.description).toContain('entities with image: 3 values, mean 0.167');
    expect(figure.description).toContain('without, vector put in: 2 values');
  });
});
