import { evaluateModel, trainEpochs } from '@lab/alignment';
import { ConfigError, createRandom, InterruptedError, ModelError } from '@lab/core';
import type { AlignmentData } from '@lab/graph';
import { selectBackend, tf } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  smallConfig,
  smallData,
  smallTask,
  smallTraining,
  valuesOf,
  withImages,
  withoutAttributes,
} from './__fixtures__/small-task.js';
import type { LoginmeaEpochRecord } from './epoch-record.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

/** Records of a small training. */
async function trained(
  settings: Record<string, unknown>,
  { mode = 'corrected', data }: { mode?: 'official' | 'corrected'; data?: AlignmentData } = {},
) {
  const state = smallTraining(await smallTask(data, 0.2), smallConfig(settings, mode));
  const records: LoginmeaEpochRecord[] = [];
  await trainEpochs(state, {
    onEpoch: ({ record }) => void records.push(record as LoginmeaEpochRecord),
  });
  state.dispose();
  return records;
}

/** A training that has not begun. */
const fresh = async (settings: Record<string, unknown>, data = smallData()) =>
  smallTraining(await smallTask(data), smallConfig(settings));

/** Settings of the stage with pseudo seeds from epoch 3 on. */
const late = {
  'pseudoSeeds.enabled': true,
  'pseudoSeeds.start': 3,
  'pseudoSeeds.every': 1,
  'pseudoSeeds.accept': 2,
} as const;

const resets = ['every-epoch', 'once', 'never'] as const;

describe('a step', () => {
  it('changes every parameter that it reads', async () => {
    const state = await fresh({}, withImages(smallData()));
    const { learner, seeds } = state;
    const before = await learner.parameters.toArrays();
    await learner.step({ epoch: 0, seeds, random: createRandom(1) });
    const after = await learner.parameters.toArrays();
    for (const [name, { data }] of Object.entries(after)) {
      expect(Array.from(data), name).not.toEqual(Array.from(before[name]!.data));
    }
    expect(Object.keys(after)).toEqual(expect.arrayContaining(['entity', 'image.weight']));
    state.dispose();
  });

  it('records losses, a constant rate, early weights and, at evaluations, the fusion', async () => {
    const records = await trained({
      'training.epochs': 5,
      'training.batchSize': 7,
      'evaluation.every': 2,
    });
    for (const { loss, batches, learningRate, earlyWeights } of records) {
      expect(batches.length).toBeGreaterThan(1);
      expect(loss).toBeCloseTo(
        batches.reduce((sum, value) => sum + value, 0),
        10,
      );
      expect(learningRate).toBe(0.005);
      expect(earlyWeights).toHaveLength(3);
      expect(earlyWeights!.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
    }
    const measured = records.filter(({ modalityWeights }) => modalityWeights !== undefined);
    expect(measured.map(({ epoch }) => epoch)).toEqual([1, 3, 4]);
    for (const { modalityWeights, fusedNorm, evaluation } of measured) {
      const { relation, attribute } = modalityWeights!;
      expect(relation! + attribute!).toBeCloseTo(1, 5);
      expect(fusedNorm).toBeGreaterThan(0);
      expect(evaluation!.forward.count).toBe(20);
    }
  });

  it('learns: the loss falls, and test pairs are found', async () => {
    const records = await trained({ 'training.epochs': 12, 'evaluation.every': 12 });
    expect(records.at(-1)!.loss).toBeLessThan(0.5 * records[0]!.loss);
    expect(records.at(-1)!.evaluation!.forward['hits@1']).toBeGreaterThan(3 / 20);
  });

  it.each(['official', 'corrected'] as const)('is the same twice, mode %s', async (mode) => {
    const settings = { 'training.epochs': 4, 'evaluation.every': 2, 'training.batchSize': 11 };
    const first = await trained({ ...settings, ...late }, { mode });
    expect(first).toEqual(await trained({ ...settings, ...late }, { mode }));
    const other = await trained({ ...settings, ...late, seed: 1 }, { mode });
    expect(other[3]!.loss).not.toBe(first[3]!.loss);
  });

  it('stops at a loss that is not finite, by name', async () => {
    const state = await fresh({ 'training.epochs': 2 });
    const { parameters } = state.learner;
    const attempt = trainEpochs(state, {
      onEpoch: () => {
        const query = parameters.get('modalityQuery');
        tf.tidy(() => query.assign(tf.fill(query.shape, Number.NaN)));
      },
    });
    await expect(attempt).rejects.toThrow(ModelError);
    await expect(attempt).rejects.toThrow(/loss of seed batch 1 is NaN/);
    state.dispose();
  });
});

describe('memory', () => {
  it('no tensor is left after a life, when a step throws, and when it is aborted', async () => {
    const task = await smallTask(withImages(smallData()), 0.2);
    const settings = { 'training.epochs': 3, 'evaluation.every': 1, ...late };
    const run = async (spoil: boolean, signal?: AbortSignal) => {
      const state = smallTraining(task, smallConfig({ ...settings, 'pseudoSeeds.start': 1 }));
      try {
        await trainEpochs(state, {
          signal,
          onEpoch: () => {
            const bias = state.learner.parameters.get('fusion.bias');
            if (spoil) tf.tidy(() => bias.assign(tf.fill(bias.shape, Number.NaN)));
          },
        });
        const encoding = state.learner.encode();
        await encoding.findings();
        encoding.modalityRows('image', Int32Array.of(0, 1)).dispose();
        encoding.dispose();
      } finally {
        state.dispose();
      }
    };
    expect(await expectNoLeak(() => run(false))).toBeUndefined();
    expect(await expectNoLeak(() => run(true))).toBeInstanceOf(ModelError);
    const aborted = await expectNoLeak(() => run(false, AbortSignal.abort()));
    expect(aborted).toBeInstanceOf(InterruptedError);
  });

  it.each(resets)('the number of tensors stays the same, optimiser reset %s', async (reset) => {
    const settings = { 'training.epochs': 5, 'training.optimizerReset': reset, ...late };
    const state = await fresh(settings);
    const counts: number[] = [];
    await trainEpochs(state, { onEpoch: () => void counts.push(tf.memory().numTensors) });
    expect(counts).toHaveLength(5);
    expect(new Set(counts).size).toBe(1);
    state.dispose();
  });

  it('no tensor is left where no model can be made', async () => {
    const task = await smallTask();
    const settings = { 'model.fusion': 'early-only', 'model.fusionOutput': 'softmax' };
    const failed = await expectNoLeak(async () => {
      smallTraining(task, smallConfig(settings)).dispose();
    });
    expect(failed).toBeInstanceOf(ConfigError);
    expect((failed as ConfigError).message).toMatch(/fusionOutput/);
  });
});

describe('the encoders', () => {
  /** Encoders and parameters of a model, by the modalities that are asked for. */
  async function modelOf(names: readonly string[], data = withImages(smallData())) {
    const state = await fresh({ 'data.modalities': names }, data);
    const { model, modalities, parameters } = state.learner;
    const tables = Object.keys(await parameters.toArrays());
    state.dispose();
    const { encoders } = model.settings;
    return { encoders, modalities, tables, width: parameters.count() };
  }

  it('both: the graph, and what entities have', async () => {
    const { encoders, modalities, tables } = await modelOf(['image', 'attribute', 'graph']);
    expect(encoders).toBe('both');
    expect(modalities).toEqual(['image', 'attribute', 'graph']);
    expect(tables).toEqual(expect.arrayContaining(['entity', 'relation', 'image.weight']));
    expect(tables).not.toContain('relation.weight');
  });

  it('structure: the graph alone', async () => {
    const { encoders, modalities, tables } = await modelOf(['graph']);
    expect(encoders).toBe('structure');
    expect(modalities).toEqual(['graph']);
    const kernels = ['structure.kernel.layer0', 'structure.kernel.layer1'];
    expect(tables.sort()).toEqual(['entity', 'relation', ...kernels]);
  });

  it('joint: without the graph, which vectors are still passed on along', async () => {
    const { encoders, modalities, tables } = await modelOf(['relation']);
    expect(encoders).toBe('joint');
    expect(modalities).toEqual(['relation']);
    expect(tables).toEqual(expect.arrayContaining(['relation', 'joint.kernel.layer1']));
    expect(tables).not.toContain('entity');
  });

  it('structure too where the data lack what else is asked for', async () => {
    const bare = withoutAttributes(smallData());
    const { encoders, modalities } = await modelOf(['image', 'attribute', 'graph'], bare);
    expect(encoders).toBe('structure');
    expect(modalities).toEqual(['graph']);
  });

  it('none where the data have nothing of it: an error that names the setting', async () => {
    expect.assertions(3);
    try {
      await modelOf(['image'], smallData());
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      expect((error as ConfigError).message).toContain('data.modalities (image)');
      expect((error as ConfigError).help).toMatch(/relation or graph/);
    }
  });

  it('record no weights for the structure encoder alone', async () => {
    const settings = { 'training.epochs': 2, 'data.modalities': ['graph'] };
    for (const record of await trained(settings)) {
      expect(record).not.toHaveProperty('earlyWeights');
      expect(record).not.toHaveProperty('modalityWeights');
      expect(record).not.toHaveProperty('fusedNorm');
    }
  });
});

describe('the stage with pseudo seeds', () => {
  it('has a lower rate; without pseudo seeds there is no such stage', async () => {
    const settings = { 'training.epochs': 5, 'training.lateRate': 0.1, ...late };
    const rates = (records: readonly LoginmeaEpochRecord[]) =>
      records.map(({ learningRate }) => learningRate);
    expect(rates(await trained(settings))).toEqual([0.005, 0.005, 0.005, 0.0005, 0.0005]);
    const without = await trained({ ...settings, 'pseudoSeeds.enabled': false });
    expect(new Set(rates(without))).toEqual(new Set([0.005]));
  });

  it('in mode official has the rate of the script: 1e-4', async () => {
    const records = await trained({ 'training.epochs': 5, ...late }, { mode: 'official' });
    expect(records[2]!.learningRate).toBe(5e-4);
    expect(records[3]!.learningRate).toBeCloseTo(1e-4, 12);
  });

  it.each([
    ['every-epoch', [1, 2, 3, 1, 1, 1]],
    ['once', [1, 2, 3, 1, 2, 3]],
    ['never', [1, 2, 3, 4, 5, 6]],
  ] as const)('optimiser reset %s: steps of the optimiser %o', async (reset, expected) => {
    const state = await fresh({ 'training.epochs': 6, 'training.optimizerReset': reset, ...late });
    const counts: number[] = [];
    await trainEpochs(state, {
      onEpoch: () => void counts.push(state.learner.optimizer.stepCount),
    });
    expect(counts).toEqual(expected);
    state.dispose();
  });

  it('without pseudo seeds the optimiser never starts anew', async () => {
    const settings = { 'training.epochs': 5, 'training.optimizerReset': 'every-epoch' };
    const state = await fresh({ ...settings, ...late, 'pseudoSeeds.enabled': false });
    await trainEpochs(state);
    expect(state.learner.optimizer.stepCount).toBe(5);
    state.dispose();
  });

  /**
   * Largest difference from `v = (1 - b2) / (1 - b1)^2 m^2` over all parameters after the step of
   * epoch 3, relative to the largest v: 0 where both moments are those of a single gradient.
   */
  async function distanceFromFirstStep(reset: string): Promise<number> {
    const state = await fresh({ 'training.epochs': 4, 'training.optimizerReset': reset, ...late });
    await trainEpochs(state);
    const moments = await state.learner.optimizer.state();
    state.dispose();
    let [distance, largest] = [0, 0];
    for (const name of Object.keys(moments).filter((key) => key.endsWith('/first'))) {
      const second = moments[name.replace('/first', '/second')]!.data as Float32Array;
      (moments[name]!.data as Float32Array).forEach((m, at) => {
        distance = Math.max(distance, Math.abs(second[at]! - (0.001 / 0.01) * m * m));
        largest = Math.max(largest, second[at]!);
      });
    }
    return distance / largest;
  }

  it('moments really start anew: after one step they are those of one gradient', async () => {
    expect(await distanceFromFirstStep('once')).toBeLessThan(1e-4);
    expect(await distanceFromFirstStep('every-epoch')).toBeLessThan(1e-4);
    expect(await distanceFromFirstStep('never')).toBeGreaterThan(0.01);
  });
});

describe('the losses', () => {
  it.each([
    ['infonce', {}],
    ['infonce', { 'loss.direction': 'both' }],
    ['icl', {}],
    ['hard-sample', {}],
    ['margin', {}],
  ] as const)('%s %o brings the seed pairs together', async (kind, settings) => {
    const state = await fresh({ 'training.epochs': 6, 'loss.kind': kind, ...settings });
    const losses: number[] = [];
    const input = { pairs: state.task.split.seeds, random: createRandom(1) };
    const before = await evaluateModel(state, input);
    await trainEpochs(state, { onEpoch: ({ record }) => void losses.push(record.loss) });
    const after = await evaluateModel(state, input);
    state.dispose();
    expect(before.forward.meanRank).toBeGreaterThan(4);
    expect(after.forward.meanRank).toBeLessThan(1.5);
    // Standardised hard samples grow with the spread of the distances: their number says little.
    if (kind !== 'hard-sample') expect(losses.at(-1)!).toBeLessThan(0.8 * losses[0]!);
  });

  /** Loss of a first step with this stream. */
  async function firstLoss(settings: Record<string, unknown>, seed: number): Promise<number> {
    const state = await fresh(settings);
    const { loss } = await state.learner.step({
      epoch: 0,
      seeds: state.seeds,
      random: createRandom(seed),
    });
    state.dispose();
    return loss;
  }

  it('negatives of margin come from the stream of the epoch alone', async () => {
    const settings = { 'loss.kind': 'margin' };
    expect(await firstLoss(settings, 1)).toBe(await firstLoss(settings, 1));
    expect(await firstLoss(settings, 2)).not.toBeCloseTo(await firstLoss(settings, 1), 3);
    // InfoNCE over one batch draws nothing but the order of the pairs.
    expect(await firstLoss({}, 2)).toBeCloseTo(await firstLoss({}, 1), 4);
  });

  it('settings of a kind reach it', async () => {
    const changed = async (kind: string, path: string, value: number | string) => {
      const settings = { 'loss.kind': kind };
      return (await firstLoss({ ...settings, [path]: value }, 1)) - (await firstLoss(settings, 1));
    };
    expect(await changed('infonce', 'loss.temperature', 1)).not.toBeCloseTo(0, 2);
    expect(await changed('infonce', 'loss.direction', 'both')).not.toBe(0);
    expect(await changed('icl', 'loss.temperature', 1)).not.toBeCloseTo(0, 2);
    expect(await changed('margin', 'loss.margin', 4)).toBeCloseTo(2, 4);
    expect(await changed('hard-sample', 'loss.hardScale', 10)).toBeLessThan(-1);
    expect(await changed('hard-sample', 'loss.hardShift', 9)).toBeCloseTo(-2, 3);
  });
});

it('equal weights and an early feature alone are said so', async () => {
  const uniform = await fresh({ 'model.modalityWeights': 'uniform' });
  const encoding = uniform.learner.encode();
  const { weights } = await encoding.findings();
  expect(weights!.every((weight) => weight === 0.5)).toBe(true);
  expect(valuesOf(uniform.learner.parameters.get('earlyWeights'))).toEqual([1, 1, 1]);
  encoding.dispose();
  uniform.dispose();
  const early = await trained({ 'training.epochs': 1, 'model.fusion': 'early-only' });
  expect(early[0]).toHaveProperty('earlyWeights');
  expect(early[0]).not.toHaveProperty('modalityWeights');
});
