import { createRandom, InterruptedError, ModelError } from '@lab/core';
import { selectBackend, tf } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallConfig, smallTask, smallTraining } from './__fixtures__/small-task.js';
import type { EpochRecord } from './epoch-record.js';
import { selectionRule } from './selection.js';
import { seedBatches, trainEpochs } from './train.js';
import type { TrainingState } from './training-state.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

interface Trained {
  readonly records: EpochRecord[];
  readonly selected: number[];
  readonly selection: TrainingState['selection'];
}

/** Trains a small state and returns what it recorded. */
async function trained(settings: object, mode: 'official' | 'corrected' = 'corrected') {
  const task = await smallTask(undefined, 0.2);
  const state = smallTraining(task, smallConfig({ ...settings }, mode));
  const found: Trained = { records: [], selected: [], selection: state.selection };
  await trainEpochs(state, {
    onEpoch: ({ record, isSelected }) => {
      found.records.push(record);
      if (isSelected) found.selected.push(record.epoch + 1);
    },
  });
  state.dispose();
  return { ...found, selection: state.selection };
}

describe('the epochs', () => {
  it('are recorded one by one, and evaluated when due and at the end', async () => {
    const { records } = await trained({ 'training.epochs': 7, 'evaluation.every': 3 });
    expect(records.map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(records.map(({ learningRate }) => learningRate).slice(0, 2)).toEqual([0.02, 0.02]);
    expect(records[2]!.learningRate).not.toBe(0.02);
    const evaluated = records.filter(({ evaluation }) => evaluation !== undefined);
    expect(evaluated.map(({ epoch }) => epoch + 1)).toEqual([3, 6, 7]);
    for (const record of evaluated) {
      expect(record.validation?.forward.count).toBe(4);
      expect(record['encodedModalities']).toEqual(['attribute', 'relation', 'graph']);
    }
    for (const { batchCount, seeds } of records) expect([batchCount, seeds]).toEqual([1, 16]);
  });

  it('learns: the loss falls', async () => {
    const { records } = await trained({ 'training.epochs': 12 });
    expect(records.at(-1)!.loss).toBeLessThan(0.9 * records[0]!.loss);
  });

  it.each(['official', 'corrected'] as const)('is the same twice, mode %s', async (mode) => {
    const settings = { 'training.epochs': 4, 'evaluation.every': 2, 'training.batchSize': 7 };
    const first = await trained(settings, mode);
    expect(first.records).toEqual((await trained(settings, mode)).records);
    const other = await trained({ ...settings, seed: 1 }, mode);
    expect(other.records[3]!.loss).not.toBe(first.records[3]!.loss);
  });

  it('can do without evaluations', async () => {
    const settings = { 'training.epochs': 2, 'evaluation.enabled': false };
    const { records, selection } = await trained(settings);
    expect(records).toHaveLength(2);
    for (const record of records) expect(record).not.toHaveProperty('evaluation');
    expect(selection.evaluation).toBeNull();
  });

  it('stops between epochs when interrupted, at a whole epoch', async () => {
    const state = smallTraining(await smallTask(), smallConfig({ 'training.epochs': 9 }));
    const controller = new AbortController();
    const attempt = trainEpochs(state, {
      signal: controller.signal,
      onEpoch: ({ record }) => {
        if (record.epoch === 2) controller.abort();
      },
    });
    await expect(attempt).rejects.toThrow(InterruptedError);
    expect(state.epoch).toBe(3);
    state.dispose();
  });

  it('an abort during an evaluation breaks the epoch off: going on ends it, once', async () => {
    const settings = { 'training.epochs': 4, 'evaluation.every': 1 };
    const whole = await trained(settings);
    const state = smallTraining(await smallTask(undefined, 0.2), smallConfig(settings));
    const records: EpochRecord[] = [];
    const hooks = { onEpoch: ({ record }: { record: EpochRecord }) => void records.push(record) };
    const controller = new AbortController();
    const encode = state.learner.encode.bind(state.learner);
    state.learner.encode = (...given) => {
      if (state.epoch === 1) controller.abort(new Error('enough'));
      return encode(...given);
    };
    const attempt = trainEpochs(state, { ...hooks, signal: controller.signal });
    await expect(attempt).rejects.toThrow(InterruptedError);
    expect([state.epoch, records.length]).toEqual([1, 1]);
    expect(state.unfinished).toMatchObject({ isProposed: true, record: { epoch: 1 } });
    await trainEpochs(state, hooks);
    expect(records).toEqual(whole.records);
    state.dispose();
  });

  it('leaves no tensor per epoch, when it throws, and when it is aborted', async () => {
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
        const weights = learner.parameters.get('entity');
        tf.tidy(() => weights.assign(tf.fill(weights.shape, Number.NaN)));
      }),
    );
    expect(spoiled).toBeInstanceOf(ModelError);
  });

  it('per epoch the number of tensors stays the same', async () => {
    const state = smallTraining(await smallTask(), smallConfig({ 'training.epochs': 3 }));
    const counts: number[] = [];
    await trainEpochs(state, { onEpoch: () => void counts.push(tf.memory().numTensors) });
    expect(new Set(counts).size).toBe(1);
    state.dispose();
  });
});

describe('selection of the reported epoch', () => {
  const settings = { 'training.epochs': 12, 'evaluation.every': 2, 'training.learningRate': 0.05 };

  it('last takes the last evaluation', async () => {
    const { selection, selected } = await trained({ ...settings, 'evaluation.select': 'last' });
    expect(selection.epoch).toBe(12);
    expect(selected).toEqual([2, 4, 6, 8, 10, 12]);
  });

  it.each([
    ['validation', (record: EpochRecord) => record.validation!.forward.mrr],
    ['test-oracle', (record: EpochRecord) => record.evaluation!.forward['hits@1']!],
  ] as const)('%s takes the first best one', async (rule, scoreOf) => {
    const { records, selection } = await trained({ ...settings, 'evaluation.select': rule });
    const evaluated = records.filter(({ evaluation }) => evaluation !== undefined);
    const best = Math.max(...evaluated.map(scoreOf));
    const first = evaluated.find((record) => scoreOf(record) === best)!;
    expect(selection).toMatchObject({ epoch: first.epoch + 1, score: best });
    expect(selection.evaluation).toEqual(first.evaluation);
  });

  it('patience stops after that many evaluations without a better validation MRR', async () => {
    const rules = { ...settings, 'training.epochs': 60, 'evaluation.every': 1 };
    const patient = { ...rules, 'evaluation.select': 'validation', 'training.patience': 3 };
    const { records, selection } = await trained(patient);
    expect(records.length).toBeLessThan(60);
    expect(records.length).toBe(selection.epoch + 3);
    expect(selection.waited).toBe(3);
  });

  it('validation without validation pairs falls back to the last', async () => {
    const config = smallConfig({ 'evaluation.select': 'validation' });
    expect(selectionRule({ config, task: await smallTask() })).toBe('last');
    expect(selectionRule({ config, task: await smallTask(undefined, 0.2) })).toBe('validation');
  });
});

describe('seedBatches', () => {
  const seeds = Int32Array.from({ length: 22 }, (_, at) => at);
  const sizes = (batchSize: number) =>
    seedBatches(seeds, batchSize, createRandom(1)).map(({ left }) => left.length);

  it('cuts the shuffled pairs; a last batch of one joins its neighbour', () => {
    expect(sizes(4)).toEqual([4, 4, 3]);
    expect(sizes(5)).toEqual([5, 6]);
    expect(sizes(10)).toEqual([11]);
    expect(sizes(11)).toEqual([11]);
    expect(sizes(7500)).toEqual([11]);
  });

  it('keeps pairs together, each once, in an order of the stream', () => {
    const of = (seed: number) => seedBatches(seeds, 4, createRandom(seed));
    const pairs = of(1).flatMap(({ left, right }) => Array.from(left, (l, at) => [l, right[at]!]));
    for (const [left, right] of pairs) expect(right).toBe(left! + 1);
    expect(new Set(pairs.map(([left]) => left)).size).toBe(11);
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
  });

  it('takes no seeds, and one', () => {
    expect(seedBatches(new Int32Array(0), 4, createRandom(1))).toEqual([]);
    expect(seedBatches(Int32Array.of(1, 2), 4, createRandom(1))).toHaveLength(1);
  });
});
