import { type EpochRecord, trainEpochs, type TrainingState } from '@lab/alignment';
import { InterruptedError, ModelError } from '@lab/core';
import { selectBackend, tf } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallConfig, smallTask, smallTraining, valuesOf } from './__fixtures__/small-task.js';
import type { IbmeaEpochRecord } from './epoch-record.js';
import { scheduleFactor } from './learner.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

/** Records of a small training. */
async function trained(settings: object, mode: 'official' | 'corrected' = 'corrected') {
  const task = await smallTask(undefined, 0.2);
  const state = smallTraining(task, smallConfig({ ...settings }, mode));
  const records: IbmeaEpochRecord[] = [];
  await trainEpochs(state, {
    onEpoch: ({ record }) => void records.push(record as IbmeaEpochRecord),
  });
  state.dispose();
  return records;
}

describe('the steps', () => {
  it('start with rate 0, and record fusion weights and, at evaluations, deviations', async () => {
    const records = await trained({ 'training.epochs': 7, 'evaluation.every': 3 });
    expect(records[0]!.learningRate).toBe(0);
    expect(records[2]!.learningRate).toBeCloseTo(0.006, 10);
    for (const record of records.filter(({ evaluation }) => evaluation !== undefined)) {
      expect(Object.keys(record.meanScale ?? {}).sort()).toEqual([
        'attribute',
        'graph',
        'relation',
      ]);
    }
    expect(records.filter(({ meanScale }) => meanScale !== undefined)).toHaveLength(3);
    for (const { fusionWeights } of records) {
      expect(fusionWeights!.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
    }
  });

  it('learn: the loss falls', async () => {
    const records = await trained({
      'training.epochs': 12,
      'training.clip': 1,
      'training.learningRate': 0.02,
    });
    expect(records.at(-1)!.loss).toBeLessThan(0.9 * records[0]!.loss);
  });

  it.each(['official', 'corrected'] as const)('are the same twice, mode %s', async (mode) => {
    const settings = { 'training.epochs': 4, 'evaluation.every': 2, 'training.batchSize': 7 };
    const first = await trained(settings, mode);
    expect(first).toEqual(await trained(settings, mode));
    const other = await trained({ ...settings, seed: 1 }, mode);
    expect(other[3]!.loss).not.toBe(first[3]!.loss);
  });

  it('have no fusion weights to record where the fusion is attention', async () => {
    const settings = { 'training.epochs': 2, 'model.fusion': 'attention' };
    for (const record of await trained(settings))
      expect(record).not.toHaveProperty('fusionWeights');
  });

  it('leave no tensor per epoch, when one throws, and when they are aborted', async () => {
    const task = await smallTask(undefined, 0.2);
    const settings = { 'training.epochs': 3, 'evaluation.every': 1 };
    const pseudo = { 'pseudoSeeds.enabled': true, 'pseudoSeeds.start': 0, 'pseudoSeeds.every': 1 };
    const run = async (onEpoch: (state: TrainingState) => void, signal?: AbortSignal) => {
      const state = smallTraining(task, smallConfig({ ...settings, ...pseudo }));
      try {
        await trainEpochs(state, { signal, onEpoch: ({ state: now }) => onEpoch(now) });
      } finally {
        state.dispose();
      }
    };
    expect(await expectNoLeak(() => run(() => undefined))).toBeUndefined();
    const aborted = await expectNoLeak(() => run(() => undefined, AbortSignal.abort()));
    expect(aborted).toBeInstanceOf(InterruptedError);
    const spoiled = await expectNoLeak(() =>
      run(({ learner }) => {
        const weights = learner.parameters.get('fusion.weights');
        tf.tidy(() => weights.assign(tf.fill(weights.shape, Number.NaN)));
      }),
    );
    expect(spoiled).toBeInstanceOf(ModelError);
  });

  it('keep the number of tensors the same', async () => {
    const state = smallTraining(await smallTask(), smallConfig({ 'training.epochs': 3 }));
    const counts: number[] = [];
    await trainEpochs(state, { onEpoch: () => void counts.push(tf.memory().numTensors) });
    expect(new Set(counts).size).toBe(1);
    state.dispose();
  });
});

describe('the saved state', () => {
  it('says whether posteriors are repaired, and comes back', async () => {
    const state = smallTraining(await smallTask(), smallConfig({}, 'official'));
    expect(state.learner.savedState()).toEqual({ repair: false });
    state.learner.restoreState({ repair: true });
    expect(state.learner.savedState()).toEqual({ repair: true });
    state.dispose();
  });
});

describe('values that are not finite', () => {
  /** An official training whose graph deviation becomes NaN before its second epoch. */
  async function spoiled(mode: 'official' | 'corrected', parameter: string) {
    const state = smallTraining(await smallTask(), smallConfig({ 'training.epochs': 2 }, mode));
    const records: EpochRecord[] = [];
    const attempt = trainEpochs(state, {
      onEpoch: ({ record }) => {
        records.push(record);
        const variable = state.learner.parameters.get(parameter);
        const values = valuesOf(variable);
        values[0] = Number.POSITIVE_INFINITY;
        variable.assign(tf.tensor(values, variable.shape));
      },
    });
    const error = await attempt.then(
      () => null,
      (reason: unknown) => reason,
    );
    state.dispose();
    return { records, error };
  }

  it('stop mode corrected', async () => {
    const { error, records } = await spoiled('corrected', 'attribute.logVariance.bias');
    expect(error).toBeInstanceOf(ModelError);
    expect(records).toHaveLength(1);
  });

  it('InfoNCE of a modality stops mode official too: only the KL is repaired', async () => {
    const { error } = await spoiled('official', 'attribute.mean.bias');
    expect(error).toBeInstanceOf(ModelError);
    expect((error as ModelError).message).toMatch(/InfoNCE of modality "attribute"/);
  });
});

describe('scheduleFactor', () => {
  const config = (schedule: string) =>
    smallConfig({
      'training.schedule': schedule,
      'training.warmup': 200,
      'training.horizon': 1500,
    });

  it('warms up, then falls along a cosine: 32 % after 1000 epochs of preset dbp15k', () => {
    const factor = (epoch: number) => scheduleFactor(config('warmup-cosine'), epoch);
    expect([factor(0), factor(100), factor(200)]).toEqual([0, 0.5, 1]);
    expect(factor(1000)).toBeCloseTo(0.32, 2);
    expect(factor(1500)).toBeCloseTo(0, 6);
  });

  it('is 1 when constant', () => {
    expect([0, 7, 999].map((epoch) => scheduleFactor(config('constant'), epoch))).toEqual([
      1, 1, 1,
    ]);
  });
});
