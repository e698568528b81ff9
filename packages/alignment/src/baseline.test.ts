import { selectBackend } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallConfig, smallData, smallTask } from './__fixtures__/small-task.js';
import { measureBaseline } from './baseline.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

describe('measureBaseline', () => {
  it('finds far more than chance without training, and is the same twice', async () => {
    const task = await smallTask(smallData(100));
    const first = await measureBaseline(task, smallConfig());
    expect(first.attributes).toBe(true);
    expect(first.forward.count).toBe(50);
    expect(first.forward['hits@1']).toBeGreaterThan(0.3);
    expect(first).toEqual(await measureBaseline(task, smallConfig()));
  });

  it('leaves attributes out where the config or the data do', async () => {
    const task = await smallTask(smallData(100));
    const plain = await measureBaseline(task, smallConfig({ 'data.modalities': ['graph'] }));
    expect(plain.attributes).toBe(false);
    const bare = { ...task, data: { ...task.data, attributes: null } };
    expect((await measureBaseline(bare, smallConfig())).attributes).toBe(false);
  });

  it('ranks among all entities when asked to: never better', async () => {
    const task = await smallTask(smallData(100));
    const settings = { 'evaluation.cslsNeighbours': 0 };
    const test = await measureBaseline(task, smallConfig(settings));
    const all = await measureBaseline(
      task,
      smallConfig({ ...settings, 'evaluation.candidates': 'all' }),
    );
    expect(all.forward.meanRank).toBeGreaterThanOrEqual(test.forward.meanRank);
  });

  it('says where it was ranked by an index, as a method does', async () => {
    const task = await smallTask(smallData(100));
    expect(await measureBaseline(task, smallConfig())).not.toHaveProperty('remarks');
    const settings = { 'evaluation.search': 'approximate' };
    const { remarks } = await measureBaseline(task, smallConfig(settings));
    expect(remarks).toEqual([expect.stringMatching(/^baseline: Ranked among the \d+ nearest/)]);
  });

  it('stops at a signal and leaves no tensor', async () => {
    const task = await smallTask();
    const measure = async (signal?: AbortSignal) => {
      await measureBaseline(task, smallConfig(), signal);
    };
    expect(await expectNoLeak(() => measure())).toBeUndefined();
    expect(await expectNoLeak(() => measure(AbortSignal.abort()))).toBeDefined();
  });
});
