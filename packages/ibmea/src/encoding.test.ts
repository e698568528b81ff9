import { evaluateModel } from '@lab/alignment';
import { createRandom, type Random } from '@lab/core';
import { selectBackend } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  smallConfig,
  smallData,
  smallModel,
  smallTask,
  smallTraining,
  valuesOf,
} from './__fixtures__/small-task.js';
import { disposePosteriors, embedSides, encodeOutside } from './encoding.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const random = () => createRandom(9);

describe('noise at evaluation', () => {
  /** Metrics of an untrained official model, whose relation posteriors are nearly all noise. */
  async function untrained(modalities: string[], stream: Random) {
    const task = await smallTask(smallData(300));
    const settings = { 'data.modalities': modalities, 'model.featureSize': 30 };
    const state = smallTraining(task, smallConfig(settings, 'official'));
    const input = { pairs: task.split.test, random: stream };
    const { forward, backward } = await evaluateModel(state, input);
    state.dispose();
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
    const means = embedSides(model, posteriors, sides, null);
    expect(valuesOf(means.left[0]!)).toEqual(valuesOf(means.right[0]!));
    rows.dispose();
    means.dispose();
    disposePosteriors(posteriors);
    dispose();
  });

  it('is repeatable, and averages several draws', async () => {
    const ranks = async (samples: number) => {
      const state = smallTraining(
        await smallTask(),
        smallConfig({ 'evaluation.samples': samples }),
      );
      const input = { pairs: state.task.split.test, random: random() };
      const { forwardRanks } = await evaluateModel(state, input);
      state.dispose();
      return Array.from(forwardRanks);
    };
    expect(await ranks(1)).toEqual(await ranks(1));
    expect(await ranks(3)).not.toEqual(await ranks(1));
  });
});

describe('an evaluation', () => {
  it('leaves no tensor, on success and on error', async () => {
    const state = smallTraining(await smallTask(), smallConfig({ 'evaluation.samples': 2 }));
    const input = { pairs: state.task.split.test, random: random() };
    const run = async (signal?: AbortSignal) => {
      await evaluateModel(state, { ...input, signal });
    };
    await run();
    expect(await expectNoLeak(() => run())).toBeUndefined();
    expect(await expectNoLeak(() => run(AbortSignal.abort()))).toBeDefined();
    state.dispose();
  });
});
