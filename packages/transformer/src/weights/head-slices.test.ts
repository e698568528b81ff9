import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadModel } from '../load-model.js';
import { readModelConfig } from '../model-config.js';
import type { Intervention } from '../interventions.js';
import { openCheckpoint } from './checkpoint.js';
import { editCheckpoint } from './edit-checkpoint.js';
import { type HeadPart, headSlices, scaleSlices, slicesByWeight } from './head-slices.js';
import { writeRandomCheckpoint } from './random-checkpoint.js';
import { placedWeights } from './weight-groups.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const sizes = { vocab_size: 48, hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2 };
const grouped = { ...sizes, num_attention_heads: 4, num_key_value_heads: 2 };
const configs = {
  gpt2: { model_type: 'gpt2', vocab_size: 48, n_positions: 64, n_embd: 32, n_layer: 2, n_head: 4 },
  gpt_neox: { ...sizes, model_type: 'gpt_neox', num_attention_heads: 4 },
  falcon: {
    ...{ model_type: 'falcon', vocab_size: 48, hidden_size: 32, num_hidden_layers: 2 },
    ...{ num_attention_heads: 4, num_kv_heads: 2, new_decoder_architecture: true, bias: true },
  },
  phi3: { ...grouped, model_type: 'phi3', pad_token_id: 0 },
  qwen2: { ...grouped, model_type: 'qwen2' },
  qwen3: { ...grouped, model_type: 'qwen3', head_dim: 16 },
} as const;

async function checkpointOf(name: keyof typeof configs, dtype?: 'bfloat16'): Promise<string> {
  const folder = join(temporaryFolder(), name);
  await writeRandomCheckpoint(folder, configs[name], dtype && { dtype });
  return folder;
}

/** A copy with the numbers of a part of a head times a factor. */
async function edited(from: string, part: HeadPart, factor: number): Promise<string> {
  const to = join(temporaryFolder(), 'edited');
  const checkpoint = openCheckpoint(from);
  const slices = slicesByWeight(headSlices(readModelConfig(from), checkpoint).of(part));
  checkpoint.close();
  await editCheckpoint(from, to, {
    change: (name, { shape }) => {
      const own = slices.get(name);
      if (own === undefined) return null;
      return (numbers) => {
        scaleSlices(numbers as Float32Array, shape, own, factor);
        return numbers;
      };
    },
    metadata: (before) => ({ ...before, edited: 'yes' }),
  });
  return to;
}

async function logitsOf(folder: string, interventions: readonly Intervention[] = []) {
  const model = await loadModel(folder);
  const result = await model.forward({ ids: [[3, 17, 5, 29, 11]], interventions });
  const logits = (await result.logits!.data()) as Float32Array;
  result.dispose();
  model.dispose();
  return Float32Array.from(logits);
}

describe('headSlices', () => {
  it.each(Object.keys(configs) as (keyof typeof configs)[])(
    '%s: weights of a head do what a change of the pass does',
    async (name) => {
      const folder = await checkpointOf(name);
      const part = { layer: 1, head: 2 } as const;
      const own = { layer: 1, head: 2 };
      const before = await logitsOf(folder);
      const wanted = await logitsOf(folder, [{ kind: 'zero', site: 'z', ...own }]);
      const found = await logitsOf(await edited(folder, { ...part, site: 'z' }, 0));
      expect(found).toBeClose(wanted, { atol: 1e-5, rtol: 1e-4 });
      expect(found).not.toBeClose(before, { atol: 1e-3, rtol: 1e-3 });
      const even = await logitsOf(folder, [{ kind: 'uniform', site: 'pattern', ...own }]);
      const flat = await logitsOf(await edited(folder, { ...part, site: 'q' }, 0));
      expect(flat).toBeClose(even, { atol: 1e-5, rtol: 1e-4 });
    },
  );

  it('scales values of a group', async () => {
    const folder = await checkpointOf('qwen2');
    const group = { layer: 0, head: 1, granularity: 'kv-group' } as const;
    const wanted = await logitsOf(folder, [{ kind: 'scale', site: 'v', value: 0.25, ...group }]);
    const found = await logitsOf(await edited(folder, { ...group, site: 'v' }, 0.25));
    expect(found).toBeClose(wanted, { atol: 1e-5, rtol: 1e-4 });
    const zeros = await logitsOf(await edited(folder, { ...group, site: 'z' }, 0));
    const values = await logitsOf(folder, [{ kind: 'zero', site: 'v', ...group }]);
    expect(zeros).toBeClose(values, { atol: 1e-5, rtol: 1e-4 });
  });

  it('counts the numbers of a head, its biases with them', async () => {
    const folder = await checkpointOf('qwen2');
    const checkpoint = openCheckpoint(folder);
    const slices = headSlices(readModelConfig(folder), checkpoint);
    const count = (part: HeadPart) =>
      slices.of(part).reduce((sum, slice) => sum + slices.size(slice), 0);
    expect(count({ layer: 0, head: 3, site: 'q' })).toBe(32 * 8 + 8);
    expect(count({ layer: 0, head: 3, site: 'z' })).toBe(32 * 8);
    expect(() => slices.of({ layer: 2, head: 0, site: 'q' })).toThrow(/no head 0 in layer 2/);
    expect(() => slices.of({ layer: 0, head: 3, site: 'v' })).toThrow(/2 heads of queries share/);
    expect(() => slices.of({ layer: 0, head: 2, site: 'k', granularity: 'kv-group' })).toThrow(
      /no head 2 in layer 0/,
    );
    checkpoint.close();
  });
});

describe('editCheckpoint', () => {
  it('keeps types and every number that is not meant', async () => {
    const folder = await checkpointOf('qwen2', 'bfloat16');
    const copy = await edited(folder, { layer: 0, head: 1, site: 'q' }, 0);
    const [before, after] = [openCheckpoint(folder), openCheckpoint(copy)];
    for (const [name, { dtype, shape }] of before.weights) {
      expect(after.weights.get(name)).toMatchObject({ dtype, shape });
      const [one, two] = [await before.readStored(name), await after.readStored(name)];
      const differ = one.values.filter((value, at) => value !== two.values[at]).length;
      const isMeant = name.includes('layers.0.self_attn.q_proj.weight');
      expect(differ > 0, name).toBe(isMeant);
      if (isMeant)
        expect([...two.values.subarray(8 * 32, 16 * 32)].every((one2) => one2 === 0)).toBe(true);
    }
    before.close();
    after.close();
  });

  it('refuses to write over a checkpoint, and the one that is read', async () => {
    const folder = await checkpointOf('qwen2');
    const options = { change: () => null, metadata: () => ({}) };
    await expect(editCheckpoint(folder, folder, options)).rejects.toThrow(/is the checkpoint that/);
    const other = await checkpointOf('qwen2');
    await expect(editCheckpoint(folder, other, options)).rejects.toThrow(/is there already/);
    const forced = await editCheckpoint(folder, other, { ...options, force: true });
    expect(forced.changedWeights).toEqual([]);
  });
});

describe('placedWeights', () => {
  it.each(Object.keys(configs) as (keyof typeof configs)[])('%s: all have a part', async (name) => {
    const folder = await checkpointOf(name);
    const checkpoint = openCheckpoint(folder);
    const placed = placedWeights(readModelConfig(folder), checkpoint);
    checkpoint.close();
    expect(placed).toHaveLength(checkpoint.weights.size);
    const ofLayer = placed.filter(({ layer }) => layer === 1);
    expect(new Set(ofLayer.map(({ part }) => part))).toEqual(new Set(['attention', 'mlp', 'norm']));
    const outer = placed.filter(({ layer }) => layer === null).map(({ part }) => part);
    expect(outer).toContain('embedding');
    expect(outer).not.toContain('attention');
  });
});
