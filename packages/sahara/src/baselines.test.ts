import { join } from 'node:path';
import { selectBackend } from '@lab/tensor';
import {
  encodePrompt,
  exampleModel,
  loadModel,
  loadTokenizer,
  logitAttribution,
  type Model,
  readPromptData,
} from '@lab/transformer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomPrompts, smallModel } from './__fixtures__/small-models.js';
import { baselines } from './baselines.js';
import { headKey, rankHeads } from './head.js';
import type { TokenPrompt } from './head-outputs.js';

const folder = exampleModel('planted-grouped');
let model: Model;
let harmful: TokenPrompt[];
let harmless: TokenPrompt[];

beforeAll(async () => {
  await selectBackend('wasm');
  model = await loadModel(folder);
  const tokenizer = loadTokenizer(folder);
  const { records } = await readPromptData(join(folder, 'prompts.csv'));
  const encoded = (label: string) =>
    records
      .filter((one) => one.label === label)
      .slice(0, 12)
      .map(({ id, prompt }) => ({ id, ids: encodePrompt(tokenizer, prompt).ids }));
  [harmful, harmless] = [encoded('refused'), encoded('answered')];
});

afterAll(() => model.dispose());

describe('randomHeads', () => {
  const counts = { layerCount: 3, headCount: 4 };
  const found = [
    { layer: 1, head: 2 },
    { layer: 2, head: 0 },
  ];

  it('draws different heads, none that were found, the same for a seed', () => {
    const options = { size: 5, draws: 30, seed: 7, except: found };
    const groups = baselines.randomHeads(counts, options);
    expect(groups).toHaveLength(30);
    for (const group of groups) {
      const keys = group.map(headKey);
      expect(new Set(keys).size).toBe(5);
      expect(keys).not.toContain('1-2');
      expect(keys).not.toContain('2-0');
    }
    expect(baselines.randomHeads(counts, options)).toEqual(groups);
    expect(baselines.randomHeads(counts, { ...options, seed: 8 })).not.toEqual(groups);
    const all = new Set(groups.flat().map(headKey));
    expect(all.size).toBe(10);
  });

  it('draws from the layers of the heads that were found', () => {
    const options = { size: 2, draws: 10, seed: 1, except: found, sameLayers: found };
    for (const group of baselines.randomHeads(counts, options)) {
      expect(group.map(({ layer }) => layer)).toEqual([1, 2]);
    }
    expect(() => baselines.randomHeads(counts, { size: 13, seed: 1 })).toThrow(
      /13 heads of the 12/,
    );
  });
});

describe('probeHeads', () => {
  it('reads the object from the planted head, and nothing from heads of zeros', async () => {
    // Whether a request is refused is no sum of action and object; of one action it is.
    const { records } = await readPromptData(join(folder, 'prompts.csv'));
    const own = records.filter(({ prompt }) => prompt.includes('polish'));
    const tokenizer = loadTokenizer(folder);
    const prompts = own.map(({ id, prompt }) => ({ id, ids: encodePrompt(tokenizer, prompt).ids }));
    const labels = own.map(({ label }): 0 | 1 => (label === 'refused' ? 1 : 0));
    const accuracies = await baselines.probeHeads(model, prompts, labels, { folds: 4 });
    expect(accuracies[1]![5]).toBe(1);
    expect(accuracies[0]![0]).toBeLessThan(0.7);
    await expect(baselines.probeHeads(model, prompts, [1])).rejects.toThrow(/1 labels of/);
    const few = baselines.probeHeads(
      model,
      harmful,
      harmful.map(() => 1 as const),
    );
    await expect(few).rejects.toThrow(/0 prompts have the label 0/);
  });
});

describe('refusalDirection', () => {
  it('is a unit vector, and names the planted head', async () => {
    const found = await baselines.refusalDirection(model, harmful, harmless);
    expect(found.direction.reduce((sum, value) => sum + value ** 2, 0)).toBeCloseTo(1, 10);
    const sizes = found.heads.map((row) => row.map(Math.abs));
    expect(rankHeads(sizes, 1)[0]).toMatchObject({ layer: 1, head: 5 });
    expect(found.distance).toBeGreaterThan(0);
    await expect(baselines.refusalDirection(model, harmful, harmful)).rejects.toThrow(/the same/);
    await expect(baselines.refusalDirection(model, [], harmless)).rejects.toThrow(/no prompts/);
  });
});

describe('refusalLogits', () => {
  it('is the mean over prompts of what each head adds to the difference', async () => {
    const small = await smallModel('qwen2');
    const prompts = randomPrompts([5, 9, 7]);
    const tokens = { refusal: 3, compliance: 11 };
    const found = await baselines.refusalLogits(small, prompts, tokens);
    for (const [layer, head] of [
      [0, 1],
      [2, 3],
    ] as const) {
      let sum = 0;
      for (const { ids } of prompts) {
        const input = { ids: [ids], tokens: [3], against: [11] };
        const { components, values } = await logitAttribution(small, input);
        sum += values[components.findIndex((one) => one.layer === layer && one.head === head)]!;
      }
      expect(found[layer]![head]).toBeCloseTo(sum / 3, 4);
      expect(Math.abs(sum)).toBeGreaterThan(1e-3);
    }
    const same = { refusal: 3, compliance: 3 };
    await expect(baselines.refusalLogits(small, prompts, same)).rejects.toThrow(
      /both tokens are 3/,
    );
    small.dispose();
  });
});

describe('skippedLayers', () => {
  it('leaves the residual as it was before', async () => {
    const small = await smallModel('qwen2');
    const ids = [[1, 2, 3, 4]];
    const before = await small.forward({ ids, stopBlock: 1 });
    const after = await small.forward({ ids, ...baselines.skippedLayers(small, [1, 2]) });
    expect(await after.residual.data()).toEqual(await before.residual.data());
    before.dispose();
    after.dispose();
    const arms = baselines.layerRunArms(small, 2);
    expect(arms.map(({ name }) => name)).toEqual(['without layers 0-1', 'without layers 1-2']);
    expect(() => baselines.skippedLayers(small, [3])).toThrow(/no layer 3/);
    small.dispose();
  });
});

describe('responseRows', () => {
  it('counts from the first token of the response on', async () => {
    const tokenizer = loadTokenizer(folder);
    const record = {
      id: '1',
      prompt: 'How do I polish the lamp?',
      response: 'Sorry I cannot help',
    };
    const [row] = baselines.responseRows(tokenizer, [record], { format: 'direct' });
    expect(tokenizer.decode(row!.ids.slice(row!.from))).toContain('Sorry I cannot');
    expect(tokenizer.decode(row!.ids.slice(row!.from))).not.toContain('lamp');
    const { prompt } = record;
    expect(() => baselines.responseRows(tokenizer, [{ id: '7', prompt }])).toThrow(
      /prompt 7 has no/,
    );
  });
});
