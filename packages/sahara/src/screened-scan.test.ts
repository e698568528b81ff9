import { selectBackend, tf } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import '@lab/core/testing';
import { randomPrompts, type SmallModel, smallModel } from './__fixtures__/small-models.js';
import { headKey, rankHeads } from './head.js';
import { screenedShips } from './screened-scan.js';
import { ships } from './ships.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const [prompt] = randomPrompts([10]);

describe.each<SmallModel>(['gpt2', 'qwen2', 'gemma2', 'falcon'])(
  'screened scores of %s',
  (name) => {
    it('are exact where given, and estimates are good where heads change little', async () => {
      const model = await smallModel(name);
      // So little that second order is all: outputs times .98.
      const ablation = { kind: 'scale', site: 'z', eps: 0.98 } as const;
      const exact = await ships(model, prompt!, { ablation });
      const all = { ablation, topTokens: 48, mixtures: 0 };
      const screened = await screenedShips(model, prompt!, { ...all, share: 1 });
      for (const { layer, head, score } of rankHeads(exact.scores)) {
        expect(screened.scores[layer]![head]! / score).toBeCloseTo(1, 2);
        if (score > 1e-7) expect(screened.estimates[layer]![head]! / score).toBeCloseTo(1, 0);
      }
      model.dispose();
    });

    it('a share of the heads is scored, the best by estimate; nothing is left behind', async () => {
      const model = await smallModel(name);
      const before = tf.memory().numTensors;
      const found = await screenedShips(model, prompt!, { share: 0.25 });
      expect(tf.memory().numTensors).toBe(before);
      expect(found.exact).toHaveLength(3);
      expect(rankHeads(found.estimates, 3).map(headKey)).toEqual(found.exact.map(headKey));
      expect(rankHeads(found.scores).map(headKey).toSorted()).toEqual(
        found.exact.map(headKey).toSorted(),
      );
      expect(await screenedShips(model, prompt!, { share: 0.25 })).toEqual(found);
      model.dispose();
    });
  },
);

describe('screening', () => {
  it('mixtures of tokens stand for all that are not followed one by one', async () => {
    const model = await smallModel('gpt2');
    const ablation = { kind: 'scale', site: 'z', eps: 0.98 } as const;
    const own = { ablation, share: 1 };
    const whole = await screenedShips(model, prompt!, { ...own, topTokens: 48, mixtures: 0 });
    const mixed = await screenedShips(model, prompt!, { ...own, topTokens: 2, mixtures: 400 });
    for (const { layer, head, score } of rankHeads(whole.estimates)) {
      expect(mixed.estimates[layer]![head]! / score).toBeGreaterThan(0.7);
      expect(mixed.estimates[layer]![head]! / score).toBeLessThan(1.3);
    }
    model.dispose();
  });

  it('a share that is none is refused', async () => {
    const model = await smallModel('gpt2');
    for (const share of [0, -0.1, 1.1, Number.NaN]) {
      await expect(screenedShips(model, prompt!, { share })).rejects.toThrow(/a share of/);
    }
    model.dispose();
  });
});
