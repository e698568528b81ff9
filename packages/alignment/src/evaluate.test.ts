import { createRandom } from '@lab/core';
import { selectBackend, tf } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallConfig, smallTask, smallTraining, valuesOf } from './__fixtures__/small-task.js';
import { candidateSides, evaluateModel, rankedPairs } from './evaluate.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const random = () => createRandom(9);

async function evaluated(settings: object, stream = random()) {
  const task = await smallTask();
  const state = smallTraining(task, smallConfig({ ...settings }));
  const pairs = task.split.test;
  const evaluation = await evaluateModel(state, { pairs, random: stream });
  state.dispose();
  return { evaluation, pairs, task };
}

describe('noise at evaluation', () => {
  it("is the given stream's: repeatable, and another with another stream", async () => {
    const ranks = async (seed: number) =>
      Array.from(
        (await evaluated({ 'model.noise': 0.5 }, createRandom(seed))).evaluation.forwardRanks,
      );
    expect(await ranks(9)).toEqual(await ranks(9));
    expect(await ranks(9)).not.toEqual(await ranks(10));
  });

  it('is left out of rows that are embedded without a stream', async () => {
    const state = smallTraining(await smallTask(), smallConfig({ 'model.noise': 0.5 }));
    const encoding = state.learner.encode();
    const sides = { left: Int32Array.of(3, 4), right: Int32Array.of(3, 4) };
    const still = await encoding.embed(sides, null);
    const noisy = await encoding.embed(sides, random());
    expect(valuesOf(still.left[0]!)).toEqual(valuesOf(still.right[0]!));
    expect(valuesOf(noisy.left[0]!)).not.toEqual(valuesOf(still.left[0]!));
    for (const part of [still, noisy, encoding, state]) part.dispose();
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
    const state = smallTraining(task, config);
    const pairs = task.split.test;
    const count = pairs.length / 2;
    const order = createRandom(2).permutation(count);
    const shuffled = Int32Array.from(pairs, (_, at) => pairs[2 * order[at >> 1]! + (at % 2)]!);
    const ranks = async (of: Int32Array) =>
      (await evaluateModel(state, { pairs: of, random: random() })).forwardRanks;
    const [straight, mixed] = [await ranks(pairs), await ranks(shuffled)];
    expect(Array.from(mixed)).toEqual(Array.from(order, (pair) => straight[pair]));
    state.dispose();
  });

  it('stops at an aborted signal', async () => {
    const task = await smallTask();
    const state = smallTraining(task, smallConfig());
    const input = { pairs: task.split.test, random: random() };
    const attempt = evaluateModel(state, { ...input, signal: AbortSignal.abort() });
    await expect(attempt).rejects.toThrow();
    state.dispose();
  });

  it('leaves no tensor, on success and on error', async () => {
    const task = await smallTask();
    const state = smallTraining(task, smallConfig());
    const input = { pairs: task.split.test, random: random() };
    const run = async (signal?: AbortSignal) => {
      await evaluateModel(state, { ...input, signal });
    };
    await run();
    expect(await expectNoLeak(() => run())).toBeUndefined();
    expect(await expectNoLeak(() => run(AbortSignal.abort()))).toBeDefined();
    state.dispose();
  });

  it('refuses NaN instead of ranking it', async () => {
    const task = await smallTask();
    const state = smallTraining(task, smallConfig());
    const weights = state.learner.parameters.get('relation.weight');
    weights.assign(tf.fill(weights.shape, Number.NaN));
    const input = { pairs: task.split.test, random: random() };
    await expect(evaluateModel(state, input)).rejects.toThrow(/NaN|finite/);
    state.dispose();
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
