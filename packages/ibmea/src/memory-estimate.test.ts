import type { AlignmentTask } from '@lab/alignment';
import { selectBackend } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallConfig, smallTask } from './__fixtures__/small-task.js';
import { estimateTensorBytes, expectedMemory, isRecomputed } from './memory-estimate.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

/** The small task pretending to be larger. */
async function pretended(entityCount: number): Promise<AlignmentTask> {
  const task = await smallTask();
  return { ...task, data: { ...task.data, entityCount } };
}

describe('estimateTensorBytes', () => {
  it('grows with entities and widths, linearly', async () => {
    const config = smallConfig();
    const [one, two, three] = await Promise.all(
      [1e5, 2e5, 3e5].map(async (count) =>
        estimateTensorBytes(await pretended(count), config, 'kept'),
      ),
    );
    expect(two! - one!).toBeCloseTo(three! - two!, -2);
    expect(two!).toBeGreaterThan(one!);
    const wide = smallConfig({ 'model.graphSize': 300 });
    expect(estimateTensorBytes(await pretended(1e5), wide, 'kept')).toBeGreaterThan(one!);
  });
});

describe('estimateTensorBytes at the sizes that were measured', () => {
  it('is within a fifth of the peak at 200,000 entities, recomputed', async () => {
    const small = await pretended(200_000);
    const filled = (length: number) => new Int32Array(length);
    const triples = { ...small.data.triples, heads: filled(480_000) };
    const task: AlignmentTask = {
      ...small,
      data: { ...small.data, triples },
      split: { ...small.split, seeds: filled(60_000) },
    };
    const config = smallConfig({
      'model.graphSize': 300,
      'model.featureSize': 100,
      'training.batchSize': 7500,
    });
    const measured = 3.24e9;
    const estimate = estimateTensorBytes(task, config, 'recomputed');
    expect(Math.abs(estimate / measured - 1)).toBeLessThan(0.2);
  });
});

describe('isRecomputed', () => {
  it('follows the config; auto asks whether memory is short', async () => {
    const [small, large] = [await smallTask(), await pretended(600_000)];
    const config = (recompute: string) =>
      smallConfig({ 'training.recompute': recompute, 'model.graphSize': 300 });
    expect(isRecomputed(small, config('always'))).toBe(true);
    expect(isRecomputed(large, config('never'))).toBe(false);
    expect(isRecomputed(small, config('auto'))).toBe(false);
    expect(isRecomputed(large, config('auto'))).toBe(true);
    const bytes = (layers: 'kept' | 'recomputed') =>
      estimateTensorBytes(large, config('auto'), layers);
    expect(bytes('recomputed')).toBeLessThan(bytes('kept'));
  });
});

describe('expectedMemory', () => {
  it('compares with what the backend holds', async () => {
    const config = smallConfig({ 'model.graphSize': 300 });
    const small = expectedMemory(await smallTask(), config);
    expect(small).toMatchObject({ limitBytes: 2 ** 32, fits: true, graphLayers: 'kept' });
    const large = expectedMemory(await pretended(5_000_000), config);
    expect(large).toMatchObject({ fits: false, graphLayers: 'recomputed' });
    expect(large.tensorBytes).toBeGreaterThan(large.limitBytes!);
  });

  it('says what the process holds where pairs are scored by evidence', async () => {
    const task = await smallTask();
    const fused = smallConfig({ 'evaluation.scores': 'fused' });
    expect(expectedMemory(task, fused)).not.toHaveProperty('processBytes');
    const weighed = smallConfig({ 'evaluation.scores': 'evidence' });
    const { processBytes, tensorBytes } = expectedMemory(task, weighed);
    expect(processBytes).toBeGreaterThan(tensorBytes + process.memoryUsage().rss / 2);
  });
});
