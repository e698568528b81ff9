import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend, tf } from '@lab/tensor';
import {
  editCheckpoint,
  encodePrompt,
  exampleModel,
  loadModel,
  loadTokenizer,
  type Model,
  openCheckpoint,
  readPromptData,
  writeRandomCheckpoint,
} from '@lab/transformer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configs, randomPrompts, smallModel } from './__fixtures__/small-models.js';
import { baselines } from './baselines.js';
import { headKey, rankHeads } from './head.js';
import type { TokenPrompt } from './head-outputs.js';
import { tokenLogprobs } from './utility/token-logprobs.js';

const folder = exampleModel('planted-grouped');
let model: Model;
let harmful: TokenPrompt[];
let harmless: TokenPrompt[];
let opening: { readonly refusal: number; readonly compliance: number };

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
  const plain = (text: string) => tokenizer.encode(text, { addSpecialTokens: false })[0]!;
  opening = { refusal: plain('Sorry'), compliance: plain('Sure') };
});

afterAll(() => model.dispose());

describe('randomHeads', () => {
  const counts = { layerCount: 3, headCount: 4 };
  const found = [{ layer: 1, head: 2 }, { layer: 2, head: 0 }];

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
    expect(() => baselines.randomHeads(counts, { size: 13, seed: 1 })).toThrow(/13 heads of the 12/);
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
| 1 => (at < harmful.length ? 1 : 0));
    const accuracies = await baselines.probeHeads(model, prompts, labels, { folds: 4 });
    expect(accuracies[1]![5]).toBe(1);
    expect(accuracies[0]![0]).toBeLessThan(0.7);
    await expect(baselines.probeHeads(model, prompts, [1])).rejects.toThrow(/1 labels of/);
    const few = baselines.probeHeads(model, harmful, harmful.map(() => 1 as const));
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
  it('finds no head but the planted one that writes at all', async () => {
    const found = await baselines.refusalLogits(model, harmful, opening);
    const nonzero = found.flatMap((row, layer) =>
      row.flatMap((value, head) => (Math.abs(value) > 1e-6 ? [headKey({ layer, head })] : [])),
    );
    expect(nonzero.filter((key) => key !== '1-5')).toEqual([]);
    const same = { refusal: 3, compliance: 3 };
    await expect(baselines.refusalLogits(model, harmful, same)).rejects.toThrow(/both tokens are 3/);
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

describe('pruning', () => {
  const rows = randomPrompts([9, 6], 3).map(({ ids }) => ({ ids }));

  async function checkpoint(name: 'gpt2' | 'qwen2'): Promise<string> {
    const path = join(temporaryFolder(), name);
    await writeRandomCheckpoint(path, configs[name]);
    return path;
  }

  async function weightOf(path: string, name: string): Promise<Float32Array> {
    const file = openCheckpoint(path);
    try {
      return await file.read(name);
    } finally {
      file.close();
    }
  }

  it('removes the inputs of each output that matter least', async () => {
    const from = await checkpoint('qwen2');
    const to = join(temporaryFolder(), 'pruned');
    const { removed, total } = await baselines.pruneByWanda(from, rows, { to, share: 0.25 });
    expect(removed / total).toBeCloseTo(0.25, 10);
    const name = 'model.layers.0.self_attn.q_proj.weight';
    const [before, after] = [await weightOf(from, name), await weightOf(to, name)];
    const norms = await inputNorms(from, 'blocks.0.ln1.hook_normalized');
    for (let output = 0; output < 32; output += 1) {
      const scores = Array.from(norms, (norm, input) => norm * Math.abs(before[output * 32 + input]!));
      const least = scores.toSorted((a, b) => a - b)[7]!;
      const gone = scores.map((score, input) => [score, after[output * 32 + input]!] as const);
      expect(gone.every(([score, value]) => (value === 0) === score <= least)).toBe(true);
    }
  });

  async function inputNorms(path: string, place: string): Promise<Float64Array> {
    const one = await loadModel(path);
    const sums = new Float64Array(32);
    for (const { ids } of rows) {
      const result = await one.forward({ ids: [ids], capture: place });
      result.captured.get(place)!.data.forEach((value, at) => {
        sums[at % 32]! += value ** 2;
      });
      result.dispose();
    }
    one.dispose();
    return sums.map(Math.sqrt);
  }

  it('removes what matters on one set alone, in either way of storing', async () => {
    const from = await checkpoint('gpt2');
    const to = join(temporaryFolder(), 'difference');
    const data = { safety: rows, utility: rows };
    const same = await baselines.pruneSetDifference(from, data, { to });
    expect(same.removed).toBe(0);
    const all = join(temporaryFolder(), 'all');
    const shares = { safetyShare: 0.5, utilityShare: 0 };
    const half = await baselines.pruneSetDifference(from, data, { to: all, ...shares });
    expect(half.removed / half.total).toBeCloseTo(0.5, 10);
    // Stored [in, out]: half of each column is gone.
    const values = await weightOf(all, 'transformer.h.0.mlp.c_fc.weight');
    const zeros = Array.from({ length: 128 }, (_, output) =>
      Array.from({ length: 32 }, (__, input) => values[input * 128 + output]!).filter((one) => one === 0),
    );
    expect(zeros.every((column) => column.length === 16)).toBe(true);
    const wrong = baselines.pruneSetDifference(from, data, { to: all, safetyShare: 2 });
    await expect(wrong).rejects.toThrow(/safetyShare is 2/);
    await expect(baselines.pruneByWanda(from, [], { to })).rejects.toThrow(/no calibration rows/);
  });

  it.each(['qwen2', 'gpt2'] as const)('%s: takes out all that is written on safety data', async (name) => {
    const from = await checkpoint(name);
    const to = join(temporaryFolder(), 'without');
    const safety = [{ ids: rows[1]!.ids }];
    await baselines.removeSafetyRanks(from, safety, { to, rank: 6 });
    const place = 'blocks.0.attn.hook_q';
    const sizeOf = async (path: string, ids: readonly number[]) => {
      const one = await loadModel(path);
      const { captured, residual } = await one.forward({ ids: [ids], capture: place, stopBlock: 1 });
      residual.dispose();
      one.dispose();
      return Math.hypot(...captured.get(place)!.data);
    };
    // Six tokens write along six directions: nothing is left of them, something of other text.
    expect(await sizeOf(to, safety[0]!.ids)).toBeLessThan(1e-3 * (await sizeOf(from, safety[0]!.ids)));
    expect(await sizeOf(to, rows[0]!.ids)).toBeGreaterThan(0.1 * (await sizeOf(from, rows[0]!.ids)));
    const kept = join(temporaryFolder(), 'kept');
    await baselines.removeSafetyRanks(from, safety, { to: kept, rank: 6, utility: safety });
    expect(await sizeOf(kept, safety[0]!.ids)).toBeCloseTo(await sizeOf(from, safety[0]!.ids), 3);
    expect(tf.memory().numTensors).toBeLessThan(500);
    await expect(baselines.removeSafetyRanks(from, safety, { to, rank: 7 })).rejects.toThrow(
      /rank 7 of 6 tokens/,
    );
  });
});

interface WeightAt {
  readonly weight: string;
  /** In `[out, in]`. */
  readonly at: number;
  readonly ids: readonly number[];
  readonly from: number;
}

/** `|W dL/dW|` of one weight: `|dL/df|` where it counts f times. */
async function changeOfLoss(path: string, { weight, at, ids, from }: WeightAt): Promise<number> {
  const isInputMajor = path.endsWith('gpt2');
  const step = 0.02;
  const losses: number[] = [];
  for (const factor of [1 + step, 1 - step]) {
    const to = join(temporaryFolder(), 'changed');
    await editCheckpoint(path, to, {
      change: (name, { shape }) => {
        if (name !== weight) return null;
        const inputs = isInputMajor ? shape[0]! : shape[1]!;
        const [output, input] = [Math.floor(at / inputs), at % inputs];
        const place = isInputMajor ? input * shape[1]! + output : at;
        return (numbers) => {
          const values = numbers as Float32Array;
          values[place]! *= factor;
          return values;
        };
      },
      metadata: (before) => before,
    });
    const changed = await loadModel(to);
    const [logprobs] = await tokenLogprobs(changed, [{ ids, from }]);
    changed.dispose();
    losses.push(-logprobs!.reduce((sum, value) => sum + value, 0));
  }
  return Math.abs(losses[0]! - losses[1]!) / (2 * step);
}

describe('snipScores', () => {
  it.each(['qwen2', 'gpt2', 'falcon'] as const)(
    '%s: are the loss times what a weight changes of it',
    async (name) => {
      const path = join(temporaryFolder(), name);
      await writeRandomCheckpoint(path, configs[name]);
      const ids = randomPrompts([7], 5)[0]!.ids;
      const scores = await baselines.snipScores(path, [{ ids, from: 4 }]);
      const weights = [...scores.keys()].filter((one) => one.includes('.1.'));
      expect(weights.length).toBeGreaterThan(2);
      for (const weight of weights) {
        const found = scores.get(weight)!;
        const at = found.indexOf(Math.max(...found));
        const wanted = await changeOfLoss(path, { weight, at, ids, from: 4 });
        expect(found[at]! / wanted, weight).toBeCloseTo(1, 1);
      }
    },
  );
});

describe('responseRows', () => {
  it('counts from the first token of the response on', async () => {
    const tokenizer = loadTokenizer(folder);
    const record = { id: '1', prompt: 'How do I polish the lamp?', response: 'Sorry I cannot help' };
    const [row] = baselines.responseRows(tokenizer, [record], { format: 'direct' });
    expect(tokenizer.decode(row!.ids.slice(row!.from))).toContain('Sorry I cannot');
    expect(tokenizer.decode(row!.ids.slice(row!.from))).not.toContain('lamp');
    const { prompt } = record;
    expect(() => baselines.responseRows(tokenizer, [{ id: '7', prompt }])).toThrow(/prompt 7 has no/);
  });
});
