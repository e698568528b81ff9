import { createRandom, type Random } from '@lab/core';
import { selectBackend, tf } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  smallConfig,
  smallData,
  smallModel,
  smallTask,
  valuesOf,
} from './__fixtures__/small-task.js';
import {
  candidateSides,
  disposePosteriors,
  embedSides,
  encodeOutside,
  evaluateModel,
  rankedPairs,
} from './evaluate.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const random = () => createRandom(9);

async function evaluated(settings: object, mode: 'official' | 'corrected' = 'corrected') {
  const task = await smallTask();
  const config = smallConfig({ ...settings }, mode);
  const { model, dispose } = smallModel(task, config);
  const pairs = task.split.test;
  const evaluation = await evaluateModel(model, { data: task.data, pairs, random: random() });
  dispose();
  return { evaluation, pairs, task };
}

describe('noise at evaluation', () => {
  /** Metrics of an untrained official model, whose relation posteriors are nearly all noise. */
  async function untrained(modalities: string[], stream: Random) {
    const task = await smallTask(smallData(300));
    const settings = { 'data.modalities': modalities, 'model.featureSize': 30 };
    const { model, dispose } = smallModel(task, smallConfig(settings, 'official'));
    const input = { data: task.data, pairs: task.split.test, random: stream };
    const { forward, backward } = await evaluateModel(model, input);
    dispose();
    return [forward, backward];
  }

  it.each([[['relation']], [['attribute', 'relation', 'graph']]])(
    'does not give pairs away: an untrained official model of %o is near chance',
    async (modalities) => {
      for (const metrics of await untrained(modalities, random())) {
        expect(metrics.count).toBe(150);
        expect(metrics['hits@1']).toBeLessThan(0.05);
        expect(metrics.meanRank).toBeGreaterThan(60);
      }
    },
  );

  it('draws rows of equal position apart on the two sides and in every sample', async () => {
    const task = await smallTask();
    const { model, dispose } = smallModel(task, smallConfig({ 'data.modalities': ['graph'] }));
    const posteriors = encodeOutside(model);
    const entities = Int32Array.of(3, 4);
    const sides = { left: entities, right: entities };
    const rows = embedSides(model, posteriors, sides, { samples: 2, random: random() });
    const [a, b] = [rows.left.map(valuesOf), rows.right.map(valuesOf)];
    expect(a).toHaveLength(2);
    expect(a[0]).not.toEqual(b[0]);
    expect(a[0]).not.toEqual(a[1]);
    const means = embedSides(model, posteriors, sides, { samples: 0, random: random() });
    expect(valuesOf(means.left[0]!)).toEqual(valuesOf(means.right[0]!));
    rows.dispose();
    means.dispose();
    disposePosteriors(posteriors);
    dispose();
  });

  it('is repeatable, and averages several draws', async () => {
    const ranks = async (samples: number) =>
      Array.from((await evaluated({ 'evaluation.samples': samples })).evaluation.forwardRanks);
    expect(await ranks(1)).toEqual(await ranks(1));
    expect(await ranks(3)).not.toEqual(await ranks(1));
  });
});

describe('evaluateModel', () => {
  it('has one rank per pair and direction, within the candidates', async () => {
    const { evaluation, pairs } = await evaluated({});
    expect(evaluation.forwardRanks.length).toBe(pairs.length / 2);
    for (const ranks of [evaluation.forwardRanks, evaluation.backwardRanks]) {
      for (const rank of ranks) {
        expect(rank).toBeGreaterThanOrEqual(1);
        expect(rank).toBeLessThanOrEqual(pairs.length / 2);
      }
    }
    expect(evaluation.forward).toMatchObject({ count: 20 });
    expect(Object.keys(evaluation.forward)).toEqual(
      expect.arrayContaining(['hits@1', 'hits@5', 'hits@10', 'hits@50', 'mrr', 'meanRank']),
    );
  });

  it('finds no more among all candidates than among the test entities', async () => {
    const among = async (candidates: string) =>
      (await evaluated({ 'evaluation.candidates': candidates, 'evaluation.cslsNeighbours': 0 }))
        .evaluation;
    const [test, all] = [await among('test'), await among('all')];
    expect(all.forward.count).toBe(test.forward.count);
    test.forwardRanks.forEach((rank, pair) => {
      expect(all.forwardRanks[pair]).toBeGreaterThanOrEqual(rank);
    });
    expect(all.forward.meanRank).toBeGreaterThan(test.forward.meanRank);
  });

  it.each(['test', 'all'])('lists ranks in the order of the pairs among %s', async (candidates) => {
    const task = await smallTask();
    const config = smallConfig({ 'evaluation.candidates': candidates });
    const { model, dispose } = smallModel(task, config);
    const pairs = task.split.test;
    const count = pairs.length / 2;
    const order = createRandom(2).permutation(count);
    const shuffled = Int32Array.from(pairs, (_, at) => pairs[2 * order[at >> 1]! + (at % 2)]!);
    const ranks = async (of: Int32Array) =>
      (await evaluateModel(model, { data: task.data, pairs: of, random: random() })).forwardRanks;
    const [straight, mixed] = [await ranks(pairs), await ranks(shuffled)];
    expect(Array.from(mixed)).toEqual(Array.from(order, (pair) => straight[pair]));
    dispose();
  });

  it('stops at an aborted signal', async () => {
    const task = await smallTask();
    const { model, dispose } = smallModel(task, smallConfig());
    const input = { data: task.data, pairs: task.split.test, random: random() };
    const attempt = evaluateModel(model, { ...input, signal: AbortSignal.abort() });
    await expect(attempt).rejects.toThrow();
    dispose();
  });

  it('leaves no tensor, on success and on error', async () => {
    const task = await smallTask();
    const { model, dispose } = smallModel(task, smallConfig({ 'evaluation.samples': 2 }));
    const input = { data: task.data, pairs: task.split.test, random: random() };
    const run = async (signal?: AbortSignal) => {
      await evaluateModel(model, { ...input, signal });
    };
    await run();
    expect(await expectNoLeak(() => run())).toBeUndefined();
    expect(await expectNoLeak(() => run(AbortSignal.abort()))).toBeDefined();
    dispose();
  });

  it('refuses NaN instead of ranking it', async () => {
    const task = await smallTask();
    const { model, dispose } = smallModel(task, smallConfig());
    const weights = model.parameters.get('relation.mean.weight') as tf.Variable;
    weights.assign(tf.fill(weights.shape, Number.NaN));
    const input = { data: task.data, pairs: task.split.test, random: random() };
    await expect(evaluateModel(model, input)).rejects.toThrow(/NaN|finite/);
    dispose();
  });
});

describe('candidateSides', () => {
  it('are the test entities in pair order, or all entities', async () => {
    const { data, split } = await smallTask();
    const test = candidateSides(data, split.test, 'test');
    expect(test.left.length).toBe(20);
    expect(test.gold).toEqual(Int32Array.from({ length: 20 }, (_, row) => row));
    const all = candidateSides(data, split.test, 'all');
    expect([all.left, all.right]).toEqual([data.left, data.right]);
    split.test.forEach((entity, at) => {
      const row = all.rows[at >> 1]!;
      const found = at % 2 === 0 ? all.left[row] : all.right[all.gold[row]!];
      expect(found).toBe(entity);
    });
    expect(all.gold.filter((column) => column < 0).length).toBe(20);
  });
});

describe('rankedPairs', () => {
  it('brings ranks by row into the order of the pairs', () => {
    const ranks = {
      forwardRanks: Float64Array.of(1, 2, 3),
      backwardRanks: Float64Array.of(10, 20, 30),
      remarks: ['fewer'],
    };
    const found = rankedPairs(ranks, Int32Array.of(7, 2, 5));
    expect(Array.from(found.forwardRanks)).toEqual([3, 1, 2]);
    expect(Array.from(found.backwardRanks)).toEqual([30, 10, 20]);
    expect(found.forward['hits@1']).toBeCloseTo(1 / 3);
    expect(found.backward.meanRank).toBe(20);
    expect(found.remarks).toEqual(['fewer']);
  });
});
