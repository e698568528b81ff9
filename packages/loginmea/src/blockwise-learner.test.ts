import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  candidateTable,
  createTraining,
  explainPair,
  train,
  writeEmbeddings,
} from '@lab/alignment';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { readNpy } from '@lab/tensor/io';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import {
  smallConfig,
  smallData,
  smallResolved,
  smallTask,
  withImages,
} from './__fixtures__/small-task.js';
import { createBlockwiseLearner } from './blockwise-learner.js';
import { loginmea } from './method.js';

const inBlocks = { 'training.layout': 'blocks', 'training.blockMegabytes': 16 };

beforeAll(async () => {
  await selectBackend('wasm');
});

/** Metrics of the epochs of a training, and its end. */
async function trained(settings: Record<string, unknown>, epochs = 4) {
  const task = await smallTask(withImages(smallData()), 0.2);
  const every = { 'evaluation.every': 2, 'training.batchSize': 9, ...settings };
  const records: { loss: number; hits: number | undefined; accepted: number | undefined }[] = [];
  const result = await train(loginmea, {
    data: task,
    config: smallResolved({ ...every, 'training.epochs': epochs }),
    onProgress: (progress) => {
      if (progress.stage !== 'epoch') return;
      const { loss, evaluation, pseudoSeeds } = progress.record;
      const hits = evaluation?.forward['hits@1'];
      records.push({ loss, hits, accepted: pseudoSeeds?.accepted });
    },
  });
  return { records, result };
}

describe('a training in blocks', () => {
  it('has the losses and the ranks of one on the whole graph', async () => {
    const whole = await trained({});
    const blocks = await trained(inBlocks);
    expect(blocks.result.state.learner).not.toHaveProperty('inputs');
    blocks.records.forEach(({ loss, hits }, epoch) => {
      expect(Math.abs(loss / whole.records[epoch]!.loss - 1)).toBeLessThan(1e-4);
      expect(hits).toEqual(whole.records[epoch]!.hits);
    });
    const tables = [];
    for (const { result } of [whole, blocks]) tables.push(await candidateTable(result.state));
    expect(tables[1]!.indices).toEqual(tables[0]!.indices);
    for (const { result } of [whole, blocks]) result.state.dispose();
  });

  it('takes the optimiser anew with pseudo seeds, as on the whole graph', async () => {
    const pseudo = {
      ...{ 'pseudoSeeds.enabled': true, 'pseudoSeeds.start': 2 },
      ...{ 'pseudoSeeds.every': 1, 'pseudoSeeds.accept': 2 },
    };
    const whole = await trained(pseudo, 6);
    const blocks = await trained({ ...pseudo, ...inBlocks }, 6);
    blocks.records.forEach(({ loss, accepted }, epoch) => {
      expect(Math.abs(loss / whole.records[epoch]!.loss - 1)).toBeLessThan(1e-3);
      expect(accepted).toEqual(whole.records[epoch]!.accepted);
    });
    for (const { result } of [whole, blocks]) result.state.dispose();
  });

  it('goes on from a run folder to the same numbers', async () => {
    const task = await smallTask(smallData());
    const parent = temporaryFolder();
    const target = { parent, label: 'blocks', command: ['loginmea'], backend: null };
    const config = (epochs: number) => smallResolved({ ...inBlocks, 'training.epochs': epochs });
    const all = await train(loginmea, { data: task, config: config(5) });
    const begun = await train(loginmea, { data: task, config: config(3), run: target });
    begun.run!.finish({ status: 'interrupted' });
    begun.state.dispose();
    const resumed = await train(loginmea, {
      data: task,
      config: config(5),
      run: { resume: begun.run!.dir },
    });
    const [straight, again] = [all, resumed].map(({ state }) => state.learner);
    expect(again!.optimizer.stepCount).toBe(5);
    expect(await again!.parameters.toArrays()).toEqual(await straight!.parameters.toArrays());
    expect(await again!.optimizer.state()).toEqual(await straight!.optimizer.state());
    resumed.run!.finish({ status: 'interrupted' });
    for (const { state } of [all, resumed]) state.dispose();
  });
});

describe('createBlockwiseLearner', () => {
  it('counts and saves the entity table with the other parameters', async () => {
    const task = await smallTask();
    const whole = createTraining(loginmea, task, smallConfig());
    const blocks = createTraining(loginmea, task, smallConfig(inBlocks));
    expect(blocks.learner.parameters.count()).toBe(whole.learner.parameters.count());
    const saved = await blocks.learner.parameters.toArrays();
    const expected = await whole.learner.parameters.toArrays();
    expect(Object.keys(saved).sort()).toEqual(Object.keys(expected).sort());
    for (const [name, { data }] of Object.entries(saved)) {
      expect(Array.from(data), name).toEqual(Array.from(expected[name]!.data));
    }
    expect(blocks.learner.modalities).toEqual(whole.learner.modalities);
    for (const state of [whole, blocks]) state.dispose();
  });

  it('embeds entities in their order, some twice; rows of every modality', async () => {
    const task = await smallTask(withImages(smallData()));
    const whole = createTraining(loginmea, task, smallConfig());
    const blocks = createTraining(loginmea, task, smallConfig(inBlocks));
    const entities = Int32Array.of(7, 3, 7, 50, 0);
    const encodings = [whole, blocks].map(({ learner }) => learner.encode());
    const rows = [];
    for (const encoding of encodings) {
      const sides = await encoding.embed({ left: entities, right: entities }, null);
      rows.push([Array.from(sides.left[0]!.dataSync()), Array.from(sides.right[0]!.dataSync())]);
      sides.dispose();
    }
    const near = (a: number[], b: number[]) =>
      Math.max(...a.map((value, at) => Math.abs(value - b[at]!)));
    expect(near(rows[0]![0]!, rows[1]![0]!)).toBeLessThan(1e-5);
    expect(rows[1]![0]).toEqual(rows[1]![1]);
    for (const modality of ['image', 'relation', 'attribute', 'graph'] as const) {
      const [left, right] = await Promise.all(
        encodings.map(async (encoding) => {
          const x = await encoding.modalityRows(modality, entities);
          const values = Array.from(x.dataSync());
          x.dispose();
          return values;
        }),
      );
      expect(near(left!, right!), modality).toBeLessThan(1e-5);
    }
    for (const part of [...encodings, whole, blocks]) part.dispose();
  });

  it('keeps rows and candidates of an index in a folder, with the same pairs', async () => {
    const fused = { ...inBlocks, 'evaluation.scores': 'fused' };
    const index = { ...fused, 'evaluation.search': 'approximate' };
    const { result: exact } = await trained(fused);
    const { result: found } = await trained(index);
    expect(found.metrics?.forward).toEqual(exact.metrics?.forward);
    expect(found.metrics?.backward).toEqual(exact.metrics?.backward);
    const folder = join(temporaryFolder(), 'search');
    const expected = await candidateTable(exact.state);
    const table = await candidateTable(found.state, { folder });
    expect(table.indices).toEqual(expected.indices);
    expect(existsSync(join(folder, 'left', 'table.json'))).toBe(true);
    vi.spyOn(found.state.learner, 'encode').mockImplementation(() => {
      throw new Error('the rows are in the folder');
    });
    expect(await candidateTable(found.state, { folder })).toEqual(table);
    for (const { state } of [exact, found]) state.dispose();
  });

  it('explains pairs and writes vectors as on the whole graph', async () => {
    const whole = await trained({});
    const blocks = await trained(inBlocks);
    const results = [];
    for (const { state } of [whole.result, blocks.result]) {
      const encoding = state.learner.encode();
      const [source, target] = state.task.split.test;
      const pair = { source: source!, target: target!, confidence: null };
      results.push(await explainPair(state, encoding, pair));
      encoding.dispose();
    }
    expect(results[1]!.rank).toBe(results[0]!.rank);
    expect(results[1]!.cosine).toBeCloseTo(results[0]!.cosine, 5);
    expect(results[1]!.score).toBeCloseTo(results[0]!.score, 5);
    const vectors: Float32Array[] = [];
    for (const { state } of [whole.result, blocks.result]) {
      const dir = temporaryFolder();
      await writeEmbeddings(dir, state);
      vectors.push((await readNpy(join(dir, 'left.npy'))).data as Float32Array);
      state.dispose();
    }
    const worst = vectors[0]!.map((value, at) => Math.abs(value - vectors[1]![at]!));
    expect(Math.max(...worst)).toBeLessThan(1e-5);
  });

  it('leaves no tensor behind', async () => {
    const task = await smallTask(withImages(smallData()));
    const config = smallConfig({ ...inBlocks, 'data.missingImages': 'mask' });
    await expectNoLeak(async () => {
      const { random, dispose, learner } = createTraining(loginmea, task, config);
      await learner.step({ epoch: 0, seeds: task.split.seeds, random: random.fork('0') });
      const encoding = learner.encode();
      const { left, right } = task.data;
      (await encoding.embed({ left, right }, null)).dispose();
      (await encoding.modalityRows('relation', left)).dispose();
      encoding.dispose();
      dispose();
    });
  });

  it('refuses what reads all entities at once', async () => {
    const task = await smallTask();
    const config = smallConfig({ ...inBlocks, 'model.propagation': 'gcn' });
    const state = createTraining(loginmea, task, smallConfig()); // for its stream
    expect(() => createBlockwiseLearner(task, config, state.random)).toThrow(/gcn/);
    state.dispose();
  });
});
