import { selectBackend, tf } from '@lab/tensor';
import type { Model } from '@lab/transformer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import '@lab/core/testing';
import { randomPrompts, type SmallModel, smallModel } from './__fixtures__/small-models.js';
import { patchedScores } from './__fixtures__/patch-oracle.js';
import { datasetShips } from './dataset-ships.js';
import type { TokenPrompt } from './head-outputs.js';
import { klDivergence } from './kl.js';
import { withSources } from './prompt-sources.js';
import { sahara } from './sahara.js';
import { screenedShips } from './screened-scan.js';
import { ships, shipsTogether } from './ships.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const PATCH = { ablation: { kind: 'patch' } } as const;
const prompts = withSources(randomPrompts([8, 5], 3), randomPrompts([6, 7], 4));

describe.each<SmallModel>(['gpt2', 'qwen2', 'gemma2'])('patching heads of %s', (name) => {
  let model: Model;
  beforeAll(async () => {
    model = await smallModel(name);
  });
  afterAll(() => model.dispose());

  it('equals a pass for every head with outputs of the source put in', async () => {
    const before = tf.memory().numTensors;
    const found = await shipsTogether(model, prompts, PATCH);
    expect(tf.memory().numTensors).toBe(before);
    for (const [at, prompt] of prompts.entries()) {
      const wanted = await patchedScores(model, prompt, klDivergence);
      expect(found[at]!.scores.flat().map(Number)).toBeClose(wanted.flat(), {
        ...{ atol: 1e-6, rtol: 2e-3 },
      });
    }
  });

  it('changes nothing where the source is the prompt', async () => {
    const [prompt] = randomPrompts([7]);
    const same: TokenPrompt = { ...prompt!, source: prompt!.ids };
    const { scores } = await ships(model, same, PATCH);
    expect(Math.max(...scores.flat().map(Number))).toBeLessThan(1e-9);
  });
});

describe('patching', () => {
  it('is for scans of single heads, of one prompt or of a set', async () => {
    const model = await smallModel('qwen2');
    const { scores } = await datasetShips(model, prompts, { ...PATCH, measure: 'divergence' });
    const each = await shipsTogether(model, prompts, PATCH);
    const mean = each.reduce((sum, one) => sum + one.scores[1]![2]!, 0) / prompts.length;
    expect(scores[1]![2]).toBeCloseTo(mean, 6);
    const screened = await screenedShips(model, prompts[0]!, { ...PATCH, share: 1 });
    expect(screened.scores.flat().map(Number)).toBeClose(each[0]!.scores.flat().map(Number), {
      ...{ atol: 1e-7, rtol: 1e-3 },
    });
    await expect(ships(model, randomPrompts([5])[0]!, PATCH)).rejects.toThrow(/has no source/);
    const group = [{ layer: 0, head: 0 }];
    await expect(ships(model, prompts[0]!, { ...PATCH, group })).rejects.toThrow(/one head at a/);
    await expect(sahara(model, prompts, PATCH).next()).rejects.toThrow(/one head at a time/);
    const outside = { ...prompts[0]!, source: [999] };
    await expect(ships(model, outside, PATCH)).rejects.toThrow(/\(its source\) has token 999/);
    model.dispose();
  });
});

describe('withSources', () => {
  const [a, b] = [randomPrompts([4, 5, 6], 1), randomPrompts([4, 5, 6], 2)];

  it('pairs in order, or by chance and never with the prompt itself', () => {
    expect(withSources(a, b).map(({ source }) => source)).toEqual(b.map(({ ids }) => ids));
    const drawn = withSources(a, a, { pairing: 'random', seed: 5 });
    expect(drawn.every(({ ids, source }) => source !== undefined && source !== ids)).toBe(true);
    expect(withSources(a, a, { pairing: 'random', seed: 5 })).toEqual(drawn);
    // What one gets does not depend on which others there are.
    expect(withSources(a.slice(1), a, { pairing: 'random', seed: 5 })).toEqual(drawn.slice(1));
  });

  it('refuses sets that do not fit', () => {
    expect(() => withSources(a, b.slice(1))).toThrow(/3 prompts and 2 sources/);
    const one = a.slice(0, 1);
    expect(() => withSources(one, one, { pairing: 'random' })).toThrow(/no source but itself/);
  });
});
