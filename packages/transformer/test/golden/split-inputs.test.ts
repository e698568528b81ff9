/** Optional places: what single heads and the MLP read, and the ids. */
import '@lab/core/testing';
import { join } from 'node:path';
import { selectBackend, tf } from '@lab/tensor';
import { type ArrayRecord, readSafetensors } from '@lab/tensor/io';
import { expectNoLeak } from '@lab/tensor/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createGenerationEngine,
  generate,
  hookGradients,
  hookNames,
  type Intervention,
  loadModel,
  type Model,
  type Residency,
} from '../../src/index.js';
import { idRows } from './golden-files.js';

const root = import.meta.dirname;
const OPTIONAL = /hook_(tokens|attn_in|mlp_in|[qkv]_input)$/;
const families = ['gpt2', 'llama3', 'gpt-neox', 'falcon', 'gemma2'];

/** The changes whose logits PyTorch gave, by their names in the file. */
function changes(vector: number[], { architecture }: Model): Record<string, Intervention> {
  const at = (layer: number, site: string) => ({ site: `hook_${site}`, layer });
  const group = { head: 0, granularity: 'kv-group' } as const;
  const put = { kind: 'patch', value: vector } as const;
  const add = { kind: 'add', value: vector } as const;
  const project = { kind: 'project-out', value: vector } as const;
  return {
    'zero.q_input.1.last': {
      ...{ kind: 'zero', ...at(1, 'q_input'), head: architecture.headCount - 1 },
    },
    'patch.q_input.1.0.at17': { ...put, ...at(1, 'q_input'), head: 0, positions: [17] },
    'mean.q_input.0.1': { kind: 'mean', ...at(0, 'q_input'), head: 1 },
    'add.q_input.1.kv0': { ...add, ...at(1, 'q_input'), ...group },
    'patch.k_input.1.kv0.at3': { ...put, ...at(1, 'k_input'), ...group, positions: [3] },
    'zero.k_input.0': { kind: 'zero', ...at(0, 'k_input') },
    'add.v_input.0.kv0': { ...add, ...at(0, 'v_input'), ...group },
    'project.v_input.1.kv0': { ...project, ...at(1, 'v_input'), ...group },
    'add.mlp_in.0': { ...add, ...at(0, 'mlp_in') },
    'patch.mlp_in.1.at5.17': { ...put, ...at(1, 'mlp_in'), positions: [5, 17] },
    'project.mlp_in.1': { ...project, ...at(1, 'mlp_in') },
    'add.attn_in.1.1': { ...add, ...at(1, 'attn_in'), head: 1 },
    'mean.attn_in.0': { kind: 'mean', ...at(0, 'attn_in') },
  };
}

const farthest = (found: ArrayLike<number>, wanted: ArrayLike<number>): number =>
  Array.from(wanted).reduce<number>(
    (most, value, at) => Math.max(most, Math.abs(value - found[at]!)),
    0,
  );

async function logitsOf(model: Model, input: Parameters<Model['forward']>[0]) {
  const result = await model.forward(input);
  const values = ((await result.logits!.data()) as Float32Array).slice();
  result.dispose();
  return values;
}

let golden: Record<string, ArrayRecord>;

beforeAll(async () => {
  await selectBackend('wasm');
  golden = (await readSafetensors(join(root, 'split-inputs.safetensors'))).tensors;
});

describe.each(families)('%s', (name) => {
  const folder = join(root, 'checkpoints', name);
  let model: Model;
  let ids: number[][];
  let vector: number[];
  beforeAll(async () => {
    model = await loadModel(folder);
    const { tensors } = await readSafetensors(join(folder, 'golden.safetensors'));
    ids = idRows(tensors['ids']!).slice(0, 1);
    vector = Array.from(golden[`${name}/vector`]!.data, Number);
  });
  afterAll(() => model.dispose());

  it.each<Residency>(['resident', 'streamed'])('%s: as PyTorch changes inputs', async (where) => {
    const own = await loadModel(folder, { residency: where });
    const plain = await logitsOf(own, { ids });
    const all = changes(vector, own);
    const wanted = Object.keys(golden).filter((key) => key.startsWith(`${name}/`));
    const keys = wanted.map((key) => key.slice(name.length + 1)).filter((key) => key in all);
    expect(keys.length).toBe(wanted.length - 3);
    for (const key of keys) {
      const { data } = golden[`${name}/${key}`]!;
      const found = await logitsOf(own, { ids, interventions: [all[key]!] });
      const ends = (values: Float32Array) => values.slice(-data.length);
      expect(farthest(ends(found), data as Float32Array), key).toBeLessThan(1e-4);
      expect(farthest(ends(plain), data as Float32Array), key).toBeGreaterThan(1e-3);
    }
    own.dispose();
  });

  it('are there where they are named, and nowhere else', async () => {
    const names = hookNames(model, { optional: true }).filter((one) => OPTIONAL.test(one.name));
    expect(hookNames(model).some((one) => OPTIONAL.test(one.name))).toBe(false);
    const isShared = model.architecture.headCount !== model.architecture.keyValueHeadCount;
    expect(names.length).toBe(1 + (isShared ? 4 : 5) * model.architecture.layerCount);
    const many = [/./, /mlp/, /attn/, /hook_q/, /^blocks\.0\./, (one: string) => one !== 'x'];
    for (const capture of many) {
      const { captured, dispose } = await model.forward({ ids, capture });
      expect([...captured.keys()].some((one) => OPTIONAL.test(one))).toBe(false);
      expect(captured.size).toBeGreaterThan(1);
      dispose();
    }
    const two = await model.forward({ ids, capture: /blocks\.\d+\.hook_(q_input|mlp_in)$/ });
    expect(two.captured.size).toBe(2 * model.architecture.layerCount);
    two.dispose();
  });

  it('have the shapes that are said, and the residual in them', async () => {
    const plain = await logitsOf(model, { ids });
    const result = await model.forward({ ids, capture: OPTIONAL });
    const sizes = { B: 1, T: ids[0]!.length };
    for (const { name: place, shape } of hookNames(model, { optional: true })) {
      if (!OPTIONAL.test(place)) continue;
      const wanted = shape.map((size) => (typeof size === 'number' ? size : sizes[size]));
      expect(result.captured.get(place)?.shape, place).toEqual(wanted);
    }
    expect(await result.logits!.data()).toEqual(plain);
    result.dispose();
    expect([...result.captured.get('hook_tokens')!.data]).toEqual(ids[0]);
    const width = vector.length;
    const residual = golden[`${name}/resid_pre.1`]!.data as Float32Array;
    for (const what of ['attn_in', 'q_input', 'k_input', 'v_input']) {
      const found = result.captured.get(`blocks.1.hook_${what}`);
      if (found === undefined) continue;
      const count = found.shape[2]!;
      const repeated = found.data.map(
        (_, at) => residual[Math.floor(at / (count * width)) * width + (at % width)]!,
      );
      expect(farthest(found.data, repeated), what).toBeLessThan(1e-4);
    }
    const read = golden[`${name}/mlp_in.1`]!.data as Float32Array;
    expect(farthest(result.captured.get('blocks.1.hook_mlp_in')!.data, read)).toBeLessThan(1e-4);
    if (!model.architecture.sharesNorm) {
      expect(result.captured.has('blocks.1.ln2.hook_in')).toBe(true);
    }
  });

  it('changes what one head reads, and no other, and not the residual', async () => {
    const capture = /blocks\.1\.(attn\.hook_[qkv]|hook_resid_(pre|mid)|ln1\.hook_normalized)$/;
    const change = { kind: 'scale', site: 'hook_q_input', layer: 1, head: 1, value: -1 } as const;
    const plain = await model.forward({ ids, capture });
    const changed = await model.forward({ ids, capture, interventions: [change] });
    const { headCount, headWidth } = model.architecture;
    for (const [place, { data }] of plain.captured) {
      const other = changed.captured.get(place)!.data;
      const isOther = (_: number, at: number) => Math.floor(at / headWidth) % headCount !== 1;
      if (place.endsWith('hook_q')) {
        expect(other.filter(isOther)).toEqual(data.filter(isOther));
        expect(farthest(other, data)).toBeGreaterThan(1e-3);
      } else if (!place.endsWith('mid')) {
        expect(other, place).toEqual(data);
      }
    }
    plain.dispose();
    changed.dispose();
  });

  it('refuses heads of queries at keys that are shared, and ids that are none', async () => {
    const { headCount, keyValueHeadCount } = model.architecture;
    const pass = (change: Intervention) => model.forward({ ids, interventions: [change] });
    if (headCount !== keyValueHeadCount) {
      const head = { kind: 'zero', site: 'hook_k_input', layer: 0, head: 0 } as const;
      await expect(pass(head)).rejects.toThrow(`this place has ${keyValueHeadCount} heads`);
      const none = model.forward({ ids, capture: 'blocks.0.hook_attn_in' });
      await expect(none).rejects.toThrow('heads share keys here');
      await expect(pass({ kind: 'zero', site: 'hook_attn_in', layer: 0 })).rejects.toThrow(
        'heads share keys here',
      );
    }
    const tokens = { site: 'hook_tokens' } as const;
    await expect(pass({ ...tokens, kind: 'zero' })).rejects.toThrow('ids can only be patched');
    await expect(pass({ ...tokens, kind: 'patch', value: 0.5 })).rejects.toThrow('holds 0.5');
    await expect(pass({ ...tokens, kind: 'patch', value: 9999 })).rejects.toThrow('holds 9999');
    const { numTensors } = tf.memory();
    const run = (value: tf.Tensor) => tf.add(value, tf.scalar(9999, 'int32'));
    await expect(model.forward({ ids, hooks: [{ names: 'hook_tokens', run }] })).rejects.toThrow(
      /text 0, token 0 is \d+, the vocabulary has/,
    );
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it('patches ids, one token or all', async () => {
    const other = ids.map((row) => row.map((id, at) => (at === 4 ? 7 : id)));
    const wanted = await logitsOf(model, { ids: other });
    const patch = { kind: 'patch', site: 'hook_tokens' } as const;
    const one = { ...patch, value: 7, positions: [4] };
    expect(await logitsOf(model, { ids, interventions: [one] })).toEqual(wanted);
    const all = { ...patch, value: other[0]! };
    expect(await logitsOf(model, { ids, interventions: [all] })).toEqual(wanted);
  });

  it('gives slopes there', async () => {
    const places = /hook_(q_input|v_input|mlp_in)$/;
    const outputGradients = ({
      shape,
      data,
    }: {
      shape: readonly number[];
      data: Float32Array;
    }) => ({
      shape: [1, ...shape],
      data: data.map((_, token) => (token === 7 ? 1 : 0)),
    });
    const found = await hookGradients(model, { ids, places, outputGradients });
    const size = model.architecture.vocabularySize;
    for (const [place, { data, shape }] of found) {
      const direction = data.map((_, at) => Math.sin(at * 1.7 + place.length));
      const along = data.reduce((sum, value, at) => sum + value * direction[at]!, 0);
      const moved = async (step: number) => {
        const value = direction.map((one) => step * one);
        const run = (x: tf.Tensor) => tf.add(x, tf.tensor(value, [...shape.slice(1)]));
        const logits = await logitsOf(model, { ids, hooks: [{ names: place, run }] });
        return logits[logits.length - size + 7]!;
      };
      const slope = ((await moved(2e-3)) - (await moved(-2e-3))) / 4e-3;
      expect([along], place).toBeClose([slope], { atol: 2e-2, rtol: 2e-2 });
    }
    expect(found.size).toBe(3 * model.architecture.layerCount);
  });

  it('frees all of it, and changes generated texts as passes', async () => {
    const all = changes(vector, model);
    const interventions = ['zero.q_input.1.last', 'add.v_input.0.kv0', 'add.mlp_in.0'].map(
      (key) => all[key]!,
    );
    await expectNoLeak(async () => {
      await logitsOf(model, { ids, interventions, capture: OPTIONAL });
    });
    const prompts = [ids[0]!.slice(0, 6), ids[0]!.slice(3, 7)];
    const plain = await generate(model, prompts, { maxNewTokens: 3 });
    const made = await generate(model, prompts, { maxNewTokens: 3, interventions });
    expect(made.map(({ ids: own }) => own)).not.toEqual(plain.map(({ ids: own }) => own));
    for (const [at, prompt] of prompts.entries()) {
      const text = [...prompt];
      for (const id of made[at]!.ids) {
        const logits = await logitsOf(model, { ids: [text], interventions, logits: 'last' });
        expect(logits.indexOf(Math.max(...logits))).toBe(id);
        text.push(id);
      }
    }
  });

  it('changes of texts that are continued side by side stay apart', async () => {
    const all = changes(vector, model);
    const normed = { kind: 'scale', site: 'ln1.hook_normalized', layer: 1, value: 0.3 } as const;
    const lists = [[normed], [all['zero.q_input.1.last']!, all['project.mlp_in.1']!], []];
    const request = (interventions: Intervention[], at: number) => ({
      ...{ prompt: ids[0]!.slice(at, at + 6), interventions, maxNewTokens: 3, logprobs: true },
    });
    const together = createGenerationEngine(model);
    const alone = createGenerationEngine(model);
    const streams = lists.map((list, at) => together.submit(request(list, at)));
    for (const [at, stream] of streams.entries()) {
      const found = await stream.result;
      const wanted = await alone.submit(request(lists[at]!, at)).result;
      expect(found.ids).toEqual(wanted.ids);
      const numbers = (result: typeof found) => result.events.map((one) => one.logprob!);
      expect(numbers(found)).toBeClose(numbers(wanted), { atol: 1e-5 });
    }
    await together.dispose();
    await alone.dispose();
  });
});
