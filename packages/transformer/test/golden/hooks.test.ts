import { join } from 'node:path';
import { selectBackend, tf } from '@lab/tensor';
import { type ArrayRecord, readSafetensors } from '@lab/tensor/io';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Intervention, loadModel, type Model } from '../../src/index.js';

const root = import.meta.dirname;

/** The changes whose logits PyTorch hooks gave, by their names in the files. */
const changes = (vector: readonly number[]): Record<string, Intervention> => ({
  'zero.z.1.2': { kind: 'zero', site: 'z', layer: 1, head: 2 },
  'scale.z.0.1': { kind: 'scale', site: 'z', layer: 0, head: 1, value: 0.5 },
  'mean.z.1.0': { kind: 'mean', site: 'z', layer: 1, head: 0 },
  'uniform.pattern.1.1': { kind: 'uniform', site: 'pattern', layer: 1, head: 1 },
  'zero.k.1.kv0': { kind: 'zero', site: 'k', layer: 1, head: 0, granularity: 'kv-group' },
  'scale.q.1.3': { kind: 'scale', site: 'q', layer: 1, head: 3, value: 0.1 },
  'add.resid_post.0': { kind: 'add', site: 'blocks.0.hook_resid_post', value: vector },
  'project.resid_post.0': {
    ...{ kind: 'project-out', site: 'blocks.0.hook_resid_post', value: vector },
  },
});

/** More of them, of whose logits the files have those of the last tokens. */
function moreChanges(vector: readonly number[], headWidth: number): Record<string, Intervention> {
  const [own, row] = [vector.slice(0, headWidth), vector.slice(0, 18)];
  const group = { head: 0, granularity: 'kv-group' } as const;
  const site = (layer: number, head: number, name: string) => ({ site: name, layer, head });
  const post = (layer: number) => ({ site: `blocks.${layer}.hook_resid_post` });
  const patch = (value: number | readonly number[]) => ({ kind: 'patch', value }) as const;
  return {
    'patch.z.1.2': { ...patch(own), ...site(1, 2, 'z') },
    'patch.z.0.1.at3.7': { ...patch(own), ...site(0, 1, 'z'), positions: [3, 7] },
    'patch.z.1.kv0': { ...patch(0.7), ...site(1, 0, 'z'), ...group },
    'patch.k.1.kv0': { ...patch(0.3), ...site(1, 0, 'k'), ...group },
    'patch.v.0.kv0.at2': { ...patch(own), ...site(0, 0, 'v'), ...group, positions: [2] },
    'patch.q.1.3.at17': { ...patch(own), ...site(1, 3, 'q'), positions: [17] },
    'patch.pattern.1.0.at17': { ...patch(row), ...site(1, 0, 'pattern'), positions: [17] },
    'patch.resid_post.0': { ...patch(vector), ...post(0), positions: [4] },
    'patch.resid_post.1.number': { ...patch(0.25), ...post(1), positions: [0, 16] },
    'mean.z.1.kv0.at16': { kind: 'mean', ...site(1, 0, 'z'), ...group, positions: [16] },
    'project.z.0.1': { kind: 'project-out', ...site(0, 1, 'z'), value: own },
    'scale.scores.1.1': { kind: 'scale', ...site(1, 1, 'scores'), value: 0.1 },
    'zero.scores.1.kv0': { kind: 'zero', ...site(1, 0, 'scores'), ...group },
    'uniform.scores.0.2': { kind: 'uniform', ...site(0, 2, 'scores') },
    'add.scores.1.3': { kind: 'add', ...site(1, 3, 'scores'), value: row },
    'patch.scores.1.0.at5.17': { ...patch(row), ...site(1, 0, 'scores'), positions: [5, 17] },
  };
}

const farthest = (found: ArrayLike<number>, wanted: ArrayLike<number>): number =>
  Array.from(found).reduce((most, value, at) => Math.max(most, Math.abs(value - wanted[at]!)), 0);

beforeAll(async () => {
  await selectBackend('wasm');
});

describe.each(['gpt2', 'llama3', 'gemma2', 'falcon'])('%s', (name) => {
  let model: Model;
  let inside: Record<string, ArrayRecord>;
  let ids: number[][];
  beforeAll(async () => {
    model = await loadModel(join(root, 'checkpoints', name));
    inside = (await readSafetensors(join(root, 'hooks', `${name}.safetensors`))).tensors;
    const golden = await readSafetensors(join(root, 'checkpoints', name, 'golden.safetensors'));
    const { shape, data } = golden.tensors['ids']!;
    ids = [Array.from(data.slice(0, shape[1]), Number)];
  });
  afterAll(() => model.dispose());

  const logitsWith = async (interventions: readonly Intervention[]): Promise<Float32Array> => {
    const result = await model.forward({ ids, interventions });
    const values = (await result.logits!.data()).slice() as Float32Array;
    result.dispose();
    return values;
  };

  it('sees at every place what PyTorch hooks see', async () => {
    const wanted = Object.keys(inside).filter((key) => key.startsWith('blocks.'));
    expect(wanted.length).toBeGreaterThan(25);
    const result = await model.forward({ ids, capture: (place) => wanted.includes(place) });
    for (const place of wanted) {
      const { shape, data } = inside[place]!;
      const found = result.captured.get(place);
      expect(found?.shape, place).toEqual(shape);
      expect(farthest(found!.data, data as Float32Array), place).toBeLessThan(1e-4);
    }
    result.dispose();
  });

  it('changes logits as PyTorch hooks do', async () => {
    const vector = Array.from(inside['add.vector']!.data, Number);
    const plain = await logitsWith([]);
    for (const [key, change] of Object.entries(changes(vector))) {
      const found = await logitsWith([change]);
      expect(farthest(found, inside[key]!.data as Float32Array), key).toBeLessThan(1e-4);
      expect(farthest(found, plain), key).toBeGreaterThan(1e-3);
    }
  });

  it('changes last logits as PyTorch hooks do: patches, scores, groups, one token', async () => {
    const vector = Array.from(inside['add.vector']!.data, Number);
    const plain = await logitsWith([]);
    const all = moreChanges(vector, model.architecture.headWidth);
    expect(Object.keys(all).every((key) => key in inside)).toBe(true);
    for (const [key, change] of Object.entries(all)) {
      const found = await logitsWith([change]);
      const wanted = inside[key]!.data as Float32Array;
      const ends = (values: Float32Array) => values.slice(-wanted.length);
      expect(farthest(ends(found), wanted), key).toBeLessThan(1e-4);
      expect(farthest(ends(plain), wanted), key).toBeGreaterThan(1e-3);
    }
  });

  it('scales the keys of one head of queries as its scores', async () => {
    const wanted = inside['scale.scores.1.1']!.data as Float32Array;
    const keys = { kind: 'scale', site: 'k', layer: 1, head: 1, value: 0.1 } as const;
    const found = await logitsWith([keys]);
    // A bias of keys is scaled, too, and so are all scores.
    expect(farthest(found.slice(-wanted.length), wanted)).toBeLessThan(1e-4);
  });

  it('changes turned keys of one head of queries, or of a group, as their scores', async () => {
    if (model.architecture.positions.kind !== 'rotary') return;
    const ends = (values: Float32Array, wanted: ArrayLike<number>) =>
      farthest(values.slice(-wanted.length), wanted);
    const site = 'blocks.1.attn.hook_rot_k';
    const one = { kind: 'scale', site, head: 1, value: 0.1 } as const;
    const ofOne = inside['scale.scores.1.1']!.data as Float32Array;
    expect(ends(await logitsWith([one]), ofOne)).toBeLessThan(1e-4);
    const group = { kind: 'zero', site, head: 0, granularity: 'kv-group' } as const;
    const ofGroup = inside['zero.scores.1.kv0']!.data as Float32Array;
    expect(ends(await logitsWith([group]), ofGroup)).toBeLessThan(1e-4);
    // Where keys are there for every head, a group is still all of its heads.
    const apart = { kind: 'scale', site: 'k', layer: 1, head: 3, value: 1 } as const;
    expect(ends(await logitsWith([apart, group]), ofGroup)).toBeLessThan(1e-4);
  });

  it('takes a place in a block by its layer', async () => {
    const whole = { kind: 'scale', site: 'blocks.1.mlp.hook_post', value: 0.5 } as const;
    const wanted = await logitsWith([whole]);
    expect(await logitsWith([{ ...whole, site: 'mlp.hook_post', layer: 1 }])).toEqual(wanted);
    expect(await logitsWith([{ ...whole, layer: 1 }])).toEqual(wanted);
  });

  it('changes a head of queries where keys are shared by several', async () => {
    const { headCount, keyValueHeadCount } = model.architecture;
    const size = headCount / keyValueHeadCount;
    const group: Intervention = {
      ...{ kind: 'scale', site: 'v', layer: 1, head: 0, granularity: 'kv-group', value: 0.3 },
    };
    const each = Array.from({ length: size }, (_, head) => ({
      ...group,
      head,
      granularity: 'query-head' as const,
    }));
    const whole = await logitsWith([group]);
    expect(farthest(await logitsWith(each), whole)).toBeLessThan(1e-4);
    if (size === 1) return;
    expect(farthest(await logitsWith(each.slice(1)), whole)).toBeGreaterThan(1e-3);
  });

  it('gives the same with a hook that only looks, and takes what a hook returns', async () => {
    const plain = await logitsWith([]);
    let seen = 0;
    const looks = { names: /./, run: () => void (seen += 1) };
    const looked = await model.forward({ ids, hooks: [looks] });
    expect(farthest(await looked.logits!.data(), plain)).toBeLessThan(1e-4);
    looked.dispose();
    expect(seen).toBeGreaterThan(20 * model.architecture.layerCount);
    const names = 'blocks.2.hook_resid_post';
    const halved = await model.forward({
      ids,
      hooks: [{ names, run: (value) => tf.mul(value, 0.5) }],
    });
    const wanted = await logitsWith([{ kind: 'scale', site: names, value: 0.5 }]);
    expect(await halved.logits!.data()).toEqual(wanted);
    halved.dispose();
    const wrong = { names, run: (value: tf.Tensor) => tf.sum(value) };
    const message = /hook blocks.2.hook_resid_post: returned float32 \[\], the value is float32/;
    await expect(model.forward({ ids, hooks: [wrong] })).rejects.toThrow(message);
    const late = { names, run: (async () => undefined) as unknown as () => void };
    const pass = model.forward({ ids, hooks: [late] });
    await expect(pass).rejects.toThrow('hook blocks.2.hook_resid_post: returned no tensor');
  });
});
