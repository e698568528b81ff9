import { type AlignmentTask, trainEpochs } from '@lab/alignment';
import { memoryReport, resetAllocationRecord, selectBackend } from '@lab/tensor';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  smallConfig,
  smallData,
  smallTask,
  smallTraining,
  withImages,
} from './__fixtures__/small-task.js';
import { estimateTensorBytes, expectedMemory } from './memory-estimate.js';

beforeAll(async () => {
  await selectBackend('wasm');
});
afterEach(() => void vi.restoreAllMocks());

/** Counts of a task that is too large for a test. */
interface Counts {
  readonly entities: number;
  readonly triples: number;
  readonly relations: number;
  readonly attributes: number;
  readonly seeds: number;
  readonly tested: number;
}

/** The small task pretending to be larger. */
async function pretended(counts: Partial<Counts>): Promise<AlignmentTask> {
  const { data, split } = await smallTask();
  const { triples, attributes } = data;
  const filled = (count: number | undefined, own: Int32Array) =>
    count === undefined ? own : new Int32Array(count);
  const double = (count: number | undefined) => (count === undefined ? undefined : 2 * count);
  const names = Array.from({ length: counts.attributes ?? attributes!.names.length }, String);
  return {
    data: {
      ...data,
      entityCount: counts.entities ?? data.entityCount,
      triples: { ...triples, heads: filled(counts.triples, triples.heads) },
      relationIds: filled(counts.relations, data.relationIds),
      attributes: { ...attributes!, names },
    },
    split: {
      ...split,
      seeds: filled(double(counts.seeds), split.seeds),
      test: filled(double(counts.tested), split.test),
    },
  };
}

/** Sizes of the method. */
const published = { 'model.size': 300, 'model.rank': 8 };

describe('estimateTensorBytes', () => {
  /** Bytes that two epochs allocate at most, over what was there before. */
  async function measured(task: AlignmentTask, settings: Record<string, unknown>) {
    resetAllocationRecord();
    const before = memoryReport().peakHeapBytes!;
    const state = smallTraining(task, smallConfig({ ...settings, 'training.epochs': 2 }));
    await trainEpochs(state);
    const bytes = memoryReport().peakHeapBytes! - before;
    state.dispose();
    return bytes;
  }

  const unjudged = { 'evaluation.enabled': false };

  // Narrow models, but such that what does not depend on the data counts little.
  it.each<[number, boolean, Record<string, unknown>]>([
    [1000, false, { 'model.rank': 8 }],
    [1000, true, { 'model.layers': 3, 'data.missingImages': 'mask', 'loss.kind': 'icl' }],
    [500, false, { 'loss.kind': 'hard-sample', 'data.modalities': ['graph'] }],
    [2000, false, { 'data.modalities': ['graph'] }],
    [3000, false, { 'data.modalities': ['relation'] }],
    [6000, false, { 'data.modalities': ['graph'], 'training.batchSize': 500, ...unjudged }],
  ])(
    'meets the peak of a training within 0.3: %d entities a side, images %s, %o',
    async (count, has, settings) => {
      const task = await smallTask(has ? withImages(smallData(count), 100) : smallData(count));
      const all = { 'model.size': 64, ...settings };
      const estimate = estimateTensorBytes(task, smallConfig(all));
      const ratio = estimate / (await measured(task, all));
      expect(ratio).toBeGreaterThan(0.7);
      expect(ratio).toBeLessThan(1.3);
    },
  );

  const shipped = { entities: 6000, triples: 22_430, relations: 253, attributes: 326 };
  const freebase = { entities: 27_793, triples: 480_214, relations: 1335, attributes: 341 };
  const srprs = { entities: 30_000, triples: 70_040, relations: 398, attributes: 580 };

  it.each<[string, Counts, number]>([
    ['en-fr-3k', { ...shipped, seeds: 900, tested: 2100 }, 239e6],
    ['EN-FR 15K', { ...srprs, seeds: 4500, tested: 10_500 }, 903e6],
    ['FB15K(64%)-DB15K', { ...freebase, seeds: 2569, tested: 10_277 }, 844e6],
  ])('meets what a training of %s was measured to need within 0.3', async (_, counts, peak) => {
    const bytes = estimateTensorBytes(await pretended(counts), smallConfig(published));
    expect(Math.abs(bytes / peak - 1)).toBeLessThan(0.3);
  });

  it('grows with entities, linearly, and with the width', async () => {
    const config = smallConfig(published);
    const [one, two, three] = await Promise.all(
      [1e5, 2e5, 3e5].map(async (entities) =>
        estimateTensorBytes(await pretended({ entities }), config),
      ),
    );
    expect(two! - one!).toBeCloseTo(three! - two!, -2);
    expect(two!).toBeGreaterThan(one!);
    const narrow = smallConfig({ ...published, 'model.size': 100 });
    expect(estimateTensorBytes(await pretended({ entities: 1e5 }), narrow)).toBeLessThan(one!);
  });

  it('counts what takes part, and no more', async () => {
    const task = await pretended({ entities: 1e5, seeds: 2e4 });
    const bytes = (settings: Record<string, unknown>) =>
      estimateTensorBytes(task, smallConfig({ ...published, ...settings }));
    const all = bytes({});
    expect(bytes({ 'data.modalities': ['graph'] })).toBeLessThan(0.6 * all);
    expect(bytes({ 'data.modalities': ['relation', 'graph'] })).toBeLessThan(all);
    // Images that the data do not have cost nothing.
    expect(bytes({ 'data.modalities': ['attribute', 'relation', 'graph'] })).toBe(all);
    expect(bytes({ 'model.layers': 3 })).toBeGreaterThan(all);
    expect(bytes({ 'model.proxies': 64 })).toBeGreaterThan(all);
    expect(bytes({ 'loss.kind': 'hard-sample' })).toBeGreaterThan(all);
    expect(bytes({ 'loss.kind': 'margin' })).toBeGreaterThan(all);
    expect(bytes({ 'training.batchSize': 500 })).toBeLessThan(all);
  });
});

describe('expectedMemory', () => {
  it('compares with what the backend holds', async () => {
    const small = expectedMemory(await smallTask(), smallConfig(published));
    expect(small).toMatchObject({ limitBytes: 2 ** 32, fits: true, graphLayers: 'kept' });
    const whole = smallConfig({ ...published, 'training.layout': 'whole' });
    const large = expectedMemory(await pretended({ entities: 1e6 }), whole);
    expect(large.fits).toBe(false);
    expect(large.tensorBytes).toBeGreaterThan(large.limitBytes!);
  });

  // Peaks of docs/long-checks.json, width 100; the process beside what it had before training.
  it.each<[number, number, number, number]>([
    [1e5, 290e6, 2.07e9, 0.29e9],
    [3e5, 260e6, 4.4e9, 0.44e9],
  ])(
    'foresees a training of %d entities a side within 0.3',
    async (perSide, heap, peak, before) => {
      const config = smallConfig({
        ...{ ...published, 'model.size': 100, 'training.layout': 'blocks' },
        ...{ 'training.blockMegabytes': 256, 'training.batchSize': 3500 },
      });
      const sizes = { entities: 2 * perSide, triples: 4.8 * perSide, seeds: 0.3 * perSide };
      const task = await pretended({ ...sizes, tested: 0.7 * perSide });
      // Held still: what other tests left is given back at times of its own.
      const usage = process.memoryUsage();
      vi.spyOn(process, 'memoryUsage').mockReturnValue(usage);
      const { tensorBytes, processBytes } = expectedMemory(task, config);
      expect(Math.abs(tensorBytes / heap - 1)).toBeLessThan(0.3);
      const grown = processBytes! - usage.rss;
      expect(Math.abs(grown / (peak - before) - 1)).toBeLessThan(0.3);
    },
  );

  it('says what the process holds where pairs are scored by evidence', async () => {
    const task = await smallTask();
    const fused = smallConfig({ ...published, 'evaluation.scores': 'fused' });
    expect(expectedMemory(task, fused)).not.toHaveProperty('processBytes');
    const weighed = smallConfig({ ...published, 'evaluation.scores': 'evidence' });
    const { processBytes, tensorBytes } = expectedMemory(task, weighed);
    expect(processBytes).toBeGreaterThan(tensorBytes + process.memoryUsage().rss / 2);
  });

  it('goes over to blocks where the whole does not fit: the same at any size', async () => {
    const config = smallConfig(published);
    const [large, larger] = await Promise.all(
      [1e6, 4e6].map(async (entities) => expectedMemory(await pretended({ entities }), config)),
    );
    expect(large).toMatchObject({ fits: true, graphLayers: 'blocks' });
    expect(larger!.tensorBytes).toBe(large!.tensorBytes);
    const convolution = smallConfig({ ...published, 'model.propagation': 'gcn' });
    const task = await pretended({ entities: 1e6 });
    expect(expectedMemory(task, convolution)).toMatchObject({ fits: false, graphLayers: 'kept' });
  });
});
