import { seedBatches } from '@lab/alignment';
import { createRandom, ModelError } from '@lab/core';
import { createAdamW, selectBackend, tf } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallConfig, smallModel, smallTask, valuesOf } from './__fixtures__/small-task.js';
import { noDropout } from './encoders.js';
import { drawNoise } from './noise.js';
import { stepGradients, type StepInput, trainStep } from './step.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

/** A model with the input of its first step; `batchSize` cuts the 20 seeds. */
async function prepared(settings: object = {}, mode: 'official' | 'corrected' = 'corrected') {
  const task = await smallTask();
  const config = smallConfig({ ...settings }, mode);
  const { model, dispose } = smallModel(task, config);
  const { seeds } = task.split;
  const noise = drawNoise(config.model, model.modalities, createRandom(1));
  const batches = seedBatches(seeds, config.training.batchSize, createRandom(2));
  const input: StepInput = { batches, noise, dropout: noDropout, learningRate: 0.01 };
  return { model, input, dispose };
}

const normOf = (gradients: Record<string, tf.Tensor>) =>
  Math.sqrt(
    Object.values(gradients)
      .flatMap(valuesOf)
      .reduce((sum, x) => sum + x * x, 0),
  );

describe('stepGradients', () => {
  it('has a gradient for every parameter that is used, none for the unused ones', async () => {
    const { model, input, dispose } = await prepared({}, 'official');
    const { gradients } = await stepGradients(model, input);
    const unused = model.parameters.names().filter((name) => name.startsWith('graphScaleNorm'));
    expect(unused).toHaveLength(2);
    for (const name of model.parameters.names()) {
      expect(name in gradients, name).toBe(!unused.includes(name));
    }
    tf.dispose(gradients);
    dispose();
  });

  it.each([
    ['weighted', 'official', false],
    ['variance', 'corrected', false],
    ['variance', 'corrected', true],
  ] as const)(
    'is what the terms apart give, fusion %s, mode %s, recomputed %s',
    async (fusion, mode, isRecomputed) => {
      const settings = { 'model.fusion': fusion, 'training.batchSize': 7, 'training.clip': 0 };
      const { model, input, dispose } = await prepared(settings, mode);
      const joint = await stepGradients({ ...model, isRecomputed }, input);
      const apart = await stepGradients({ ...model, isRecomputed, shares: () => null }, input);
      expect(joint.batches).not.toEqual([]);
      joint.batches.forEach((batch, at) => {
        const other = apart.batches[at]!;
        expect(batch.total / other.total).toBeCloseTo(1, 5);
        expect(batch.hybrid! / other.hybrid!).toBeCloseTo(1, 5);
      });
      for (const name of Object.keys(apart.gradients)) {
        const [got, wanted] = [joint, apart].map(({ gradients }) => valuesOf(gradients[name]!));
        const scale = Math.max(...wanted!.map(Math.abs), 1e-6);
        const worst = Math.max(...wanted!.map((x, at) => Math.abs(x - got![at]!)));
        expect(worst / scale, name).toBeLessThan(1e-4);
      }
      tf.dispose([joint.gradients, apart.gradients]);
      dispose();
    },
  );

  it('clips the whole gradient once, or the running sum after every batch', async () => {
    const settings = { 'training.batchSize': 5, 'training.clip': 0.1 };
    for (const [clipping, clips] of [
      ['once', 1],
      ['accumulated', 4],
    ] as const) {
      const { model, input, dispose } = await prepared({
        ...settings,
        'training.clipping': clipping,
      });
      const { gradients, gradientNorms, batches } = await stepGradients(model, input);
      expect(batches).toHaveLength(4);
      expect(gradientNorms).toHaveLength(clips);
      expect(normOf(gradients)).toBeLessThan(0.1001);
      expect(normOf(gradients)).toBeGreaterThan(0.099);
      tf.dispose(gradients);
      dispose();
    }
  });

  it('clip 0 leaves the gradient alone', async () => {
    const { model, input, dispose } = await prepared({ 'training.clip': 0 });
    const { gradients, gradientNorms } = await stepGradients(model, input);
    expect(gradientNorms).toEqual([]);
    expect(normOf(gradients)).toBeGreaterThan(0.5);
    tf.dispose(gradients);
    dispose();
  });

  it('counts the KL once per epoch, or with every batch', async () => {
    for (const [klPer, counted] of [
      ['epoch', 1],
      ['batch', 4],
    ] as const) {
      const settings = { 'training.batchSize': 5, 'loss.klPer': klPer };
      const { model, input, dispose } = await prepared(settings);
      const { batches, gradients } = await stepGradients(model, input);
      expect(batches.filter(({ kl }) => kl.graph !== undefined)).toHaveLength(counted);
      tf.dispose(gradients);
      dispose();
    }
  });

  it('says the weighted total of every batch', async () => {
    const betas = { 'loss.graphBeta': 0.5, 'loss.relationBeta': 0.02, 'loss.attributeBeta': 0.003 };
    const { model, input, dispose } = await prepared({ ...betas, 'loss.hybridWeight': 3 });
    const { batches, gradients } = await stepGradients(model, input);
    const { infoNce, kl, hybrid, total } = batches[0]!;
    const contrast = Object.values(infoNce).reduce((sum, value) => sum + value, 0);
    const price = 0.5 * kl.graph! + 0.02 * kl.relation! + 0.003 * kl.attribute!;
    expect(total).toBeCloseTo(contrast + price + 3 * hybrid!, 4);
    tf.dispose(gradients);
    dispose();
  });
});

describe('trainStep', () => {
  it('lowers the loss and leaves no tensor', async () => {
    const { model, input, dispose } = await prepared({ 'training.clip': 0 });
    const optimizer = createAdamW(model.parameters, { weightDecay: 0.01 });
    const first = await trainStep(model, optimizer, input);
    const error = await expectNoLeak(async () => {
      for (let step = 0; step < 5; step += 1) await trainStep(model, optimizer, input);
    });
    expect(error).toBeUndefined();
    const last = await trainStep(model, optimizer, input);
    expect(last.batches[0]!.total).toBeLessThan(0.9 * first.batches[0]!.total);
    optimizer.dispose();
    dispose();
  });

  it.each([
    ['relation.mean.weight', /InfoNCE of modality "relation" is NaN in seed batch 1/],
    ['graphNorm.gain', /InfoNCE of modality "graph" is NaN/],
    ['fusion.weights', /hybrid loss is NaN/],
  ])('stops at NaN in %s, naming the term; parameters stay', async (name, message) => {
    const { model, input, dispose } = await prepared();
    const optimizer = createAdamW(model.parameters, { weightDecay: 0.01 });
    const variable = model.parameters.get(name);
    variable.assign(tf.fill(variable.shape, Number.NaN));
    const before = valuesOf(model.parameters.get('entity'));
    const error = await expectNoLeak(async () => {
      await trainStep(model, optimizer, input);
    });
    expect(error).toBeInstanceOf(ModelError);
    expect((error as ModelError).message).toMatch(message);
    expect((error as ModelError).help).toContain('learningRate');
    expect(valuesOf(model.parameters.get('entity'))).toEqual(before);
    optimizer.dispose();
    dispose();
  });

  it('names an infinite KL: the deviation of that modality overflowed', async () => {
    const { model, input, dispose } = await prepared();
    const optimizer = createAdamW(model.parameters, { weightDecay: 0.01 });
    const bias = model.parameters.get('attribute.logVariance.bias');
    bias.assign(tf.fill(bias.shape, -400)); // deviation 0: its logarithm is -Infinity
    const attempt = trainStep(model, optimizer, input);
    await expect(attempt).rejects.toThrow(/KL of modality "attribute" is Infinity/);
    optimizer.dispose();
    dispose();
  });
});

describe('variants of the model', () => {
  it.each([
    ['a bottleneck on the fused vectors', { 'model.jointBottleneck': true }],
    ['full attention matrices', { 'model.attention': 'full' }],
    ['attention fusion', { 'model.fusion': 'attention' }],
    ['fusion by variance', { 'model.fusion': 'variance' }],
    ['instance normalisation', { 'model.instanceNorm': true }],
    ['graph convolution', { 'model.structureEncoder': 'gcn' }],
  ])('trains with %s, the same whether recomputed or not', async (_, settings) => {
    const small = { ...settings, 'training.batchSize': 10 };
    const { model, input, dispose } = await prepared(small);
    const { gradients, batches } = await stepGradients(model, input);
    const again = await stepGradients({ ...model, isRecomputed: true }, input);
    const trained = Object.keys(gradients).filter(
      (name) => normOf({ [name]: gradients[name]! }) > 0,
    );
    expect(trained).toEqual(expect.arrayContaining(['entity', 'relation.hidden.weight']));
    if ('model.jointBottleneck' in settings) {
      expect(batches[0]!.joint).toBeGreaterThan(0);
      expect(trained).toContain('fusion.joint.logVariance.weight');
    }
    expect(again.batches).toEqual(batches);
    for (const [name, gradient] of Object.entries(gradients)) {
      const expected = valuesOf(gradient);
      const scale = expected.reduce((largest, x) => Math.max(largest, Math.abs(x)), 1e-6);
      const difference = valuesOf(again.gradients[name]!).reduce(
        (largest, x, at) => Math.max(largest, Math.abs(x - expected[at]!)),
        0,
      );
      expect(difference / scale, name).toBeLessThan(1e-4);
    }
    tf.dispose([gradients, again.gradients]);
    dispose();
  });
});
