import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { openSafetensors } from '@lab/tensor/io';
import { loadModel, writeRandomCheckpoint } from '@lab/transformer';
import { beforeAll, describe, expect, it } from 'vitest';
import { configs, type SmallModel } from './__fixtures__/small-models.js';
import { ablationChanges, type HeadAblation, resolveAblation } from './ablation.js';
import { compareCheckpoints } from './compare-checkpoints.js';
import type { HeadId } from './head.js';
import { mixCheckpoints } from './mix-checkpoints.js';
import { modifiedText, planSurgery, surgery, surgeryField, undoSurgery } from './surgery.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

async function checkpoint(name: SmallModel, seed = 1): Promise<string> {
  const folder = join(temporaryFolder(), name);
  await writeRandomCheckpoint(folder, configs[name], { seed });
  return folder;
}

const ids = [[3, 17, 5, 29, 11, 2]];

async function logitsOf(folder: string, heads: readonly HeadId[] = [], ablation?: HeadAblation) {
  const model = await loadModel(folder);
  const changes =
    ablation && ablationChanges(model, resolveAblation(ablation, model.architecture), heads);
  const result = await model.forward({ ids, ...changes });
  const values = Float32Array.from(await result.logits!.data());
  result.dispose();
  model.dispose();
  return values;
}

const heads = [
  { layer: 0, head: 3 },
  { layer: 2, head: 1 },
];

async function weightBytes(folder: string): Promise<Map<string, Uint8Array>> {
  const file = openSafetensors(join(folder, 'model.safetensors'));
  const bytes = new Map<string, Uint8Array>();
  for (const name of file.entries.keys()) bytes.set(name, await file.readBytes(name));
  file.close();
  return bytes;
}

describe('surgery', () => {
  it.each<[SmallModel, HeadAblation]>([
    ['gpt2', { kind: 'uniform' }],
    ['gpt2', { kind: 'scale', site: 'v', eps: 0.25 }],
    ['qwen2', { kind: 'uniform' }],
    ['qwen2', { kind: 'scale', site: 'q', eps: 0.1 }],
    ['qwen2', { kind: 'scale', site: 'scores', eps: 0.1 }],
    ['qwen2', { kind: 'scale', site: 'v', eps: 0.1, granularity: 'query-head' }],
    ['qwen3', { kind: 'uniform' }],
    ['qwen3', { kind: 'zero' }],
    ['gemma2', { kind: 'uniform' }],
    ['gemma2', { kind: 'scale', site: 'pattern', eps: 0.5 }],
    ['falcon', { kind: 'uniform' }],
    ['falcon', { kind: 'scale', site: 'z', eps: 0.1 }],
  ])('%s %o: the checkpoint does what the run does', async (name, ablation) => {
    const folder = await checkpoint(name);
    const to = join(temporaryFolder(), 'edited');
    const written = await surgery(folder, to, { heads, ablation });
    const wanted = await logitsOf(folder, heads, ablation);
    expect(await logitsOf(to)).toBeClose(wanted, { atol: 2e-5, rtol: 2e-4 });
    const [before, after] = [await weightBytes(folder), await weightBytes(to)];
    const changed = [...before.keys()].filter(
      (one) => !Buffer.from(before.get(one)!).equals(after.get(one)!),
    );
    // A bias of zeros stays what it is.
    expect(written.changedWeights).toEqual(expect.arrayContaining(changed));
    expect(changed.length).toBeGreaterThan(0);
  });

  it('counts what it changes, and says so in the headers', async () => {
    const folder = await checkpoint('qwen2');
    const plan = planSurgery(folder, { heads: [heads[0]!] });
    expect(plan.modified).toBe(32 * 8 + 8);
    expect(plan.share).toBe(plan.modified / plan.total);
    expect(modifiedText(plan)).toMatch(/^264 of [\d,]+ parameters \(\.?\d/);
    const once = join(temporaryFolder(), 'once');
    await surgery(folder, once, { heads: [heads[0]!] });
    const twice = join(temporaryFolder(), 'twice');
    await surgery(once, twice, { heads: [heads[1]!], ablation: { kind: 'zero' } });
    const file = openSafetensors(join(twice, 'model.safetensors'));
    const edits = JSON.parse(file.metadata[surgeryField]!) as { heads: string[]; kind: string }[];
    file.close();
    expect(edits.map((edit) => [edit.heads, edit.kind])).toEqual([
      [['0-3'], 'uniform'],
      [['2-1'], 'zero'],
    ]);
  });

  it('refuses what weights cannot hold', async () => {
    const [qwen3, gpt2] = [await checkpoint('qwen3'), await checkpoint('gpt2')];
    const plan =
      (folder: string, ablation: HeadAblation, own: readonly HeadId[] = heads) =>
      () =>
        planSurgery(folder, { heads: own, ablation });
    expect(plan(qwen3, { kind: 'scale', site: 'q', eps: 0.1 })).toThrow(
      /norms of queries and keys/,
    );
    expect(plan(gpt2, { kind: 'mean' })).toThrow(/means over heads/);
    expect(plan(gpt2, { kind: 'scale', eps: 1 })).toThrow(/changes nothing/);
    expect(plan(gpt2, { kind: 'uniform' }, [])).toThrow(/no heads are named/);
    expect(plan(gpt2, { kind: 'uniform' }, [heads[0]!, heads[0]!])).toThrow(/named twice/);
    expect(plan(gpt2, { kind: 'uniform' }, [{ layer: 3, head: 0 }])).toThrow(/Layers|no head 3-0/);
    const k = { kind: 'scale', site: 'k', eps: 0.1, granularity: 'query-head' } as const;
    expect(plan(qwen3, k)).toThrow(/norms of queries|share each/);
  });
});

describe('mixCheckpoints', () => {
  it('takes attention, MLPs, layers or heads of another checkpoint', async () => {
    const [own, donor] = [await checkpoint('qwen2', 1), await checkpoint('qwen2', 2)];
    const [mine, theirs] = [await weightBytes(own), await weightBytes(donor)];
    const partsOf = async (selector: Parameters<typeof mixCheckpoints>[2]['selector']) => {
      const to = join(temporaryFolder(), 'mixed');
      await mixCheckpoints(own, donor, { to, selector });
      const mixed = await weightBytes(to);
      const same = (name: string, all: Map<string, Uint8Array>) =>
        Buffer.from(mixed.get(name)!).equals(all.get(name)!);
      const names = [...mixed.keys()].filter((name) => !same(name, mine));
      return { to, names, isDonor: names.every((name) => same(name, theirs)) };
    };
    const attention = await partsOf('attention');
    expect(attention.isDonor).toBe(true);
    expect(attention.names).toHaveLength(3 * 4);
    expect(attention.names.every((name) => name.includes('self_attn'))).toBe(true);
    const mlp = await partsOf('mlp');
    expect(mlp).toMatchObject({ isDonor: true });
    expect(mlp.names.every((name) => name.includes('.mlp.'))).toBe(true);
    const layers = await partsOf({ layers: [1] });
    expect(layers.names.every((name) => name.includes('layers.1.'))).toBe(true);
    const one = await partsOf({ heads: [heads[0]!] });
    expect(new Set(one.names.map((name) => name.split('.').at(-2)))).toEqual(
      new Set(['o_proj', 'q_proj']),
    );
    expect(one.isDonor).toBe(false);
  });

  it('gives heads back from the original', async () => {
    const folder = await checkpoint('gpt2');
    const [edited, undone] = [join(temporaryFolder(), 'e'), join(temporaryFolder(), 'u')];
    await surgery(folder, edited, { heads });
    await mixCheckpoints(edited, folder, { to: undone, selector: { heads } });
    const [before, after] = [await weightBytes(folder), await weightBytes(undone)];
    const same = [...before].map(([name, bytes]) => Buffer.from(bytes).equals(after.get(name)!));
    expect(same.every(Boolean)).toBe(true);
    expect(after.size).toBe(before.size);
  });

  it('refuses checkpoints of other sizes, and parts that are not there', async () => {
    const [own, other] = [await checkpoint('qwen2'), await checkpoint('gpt2')];
    const to = join(temporaryFolder(), 'mixed');
    await expect(mixCheckpoints(own, other, { to, selector: 'mlp' })).rejects.toThrow(
      /and \[none\]/,
    );
    const layers = { layers: [7] };
    await expect(mixCheckpoints(own, own, { to, selector: layers })).rejects.toThrow(/no layer 7/);
  });
});

describe('undoSurgery', () => {
  it.each<[SmallModel, HeadAblation]>([
    ['gpt2', { kind: 'uniform' }],
    ['qwen2', { kind: 'scale', site: 'z', eps: 0.3 }],
    ['falcon', { kind: 'zero' }],
  ])('%s %o: every weight has its bytes again, after two edits', async (name, ablation) => {
    const folder = await checkpoint(name);
    const [once, twice, undone] = ['once', 'twice', 'undone'].map((one) =>
      join(temporaryFolder(), one),
    ) as [string, string, string];
    await surgery(folder, once, { heads, ablation });
    // One head again, in another way: the first edit's numbers are the last to come back.
    await surgery(once, twice, { heads: [heads[0]!], ablation: { kind: 'zero' } });
    await undoSurgery(twice, undone);
    const [before, after] = [await weightBytes(folder), await weightBytes(undone)];
    expect([...after.keys()]).toEqual([...before.keys()]);
    for (const [weight, bytes] of before) {
      expect(Buffer.from(bytes).equals(after.get(weight)!), weight).toBe(true);
    }
    const file = openSafetensors(join(undone, 'model.safetensors'));
    file.close();
    expect(file.metadata[surgeryField]).toBeUndefined();
    await expect(undoSurgery(undone, twice)).rejects.toThrow(/has no sahara-undo/);
    // Another edit in the place of the old one keeps its own numbers alone.
    await surgery(folder, twice, { heads: [heads[1]!], force: true });
    await undoSurgery(twice, once, { force: true });
    const again = await weightBytes(once);
    for (const [weight, bytes] of before) {
      expect(Buffer.from(bytes).equals(again.get(weight)!), weight).toBe(true);
    }
  });

  it('brings half precision back exactly', async () => {
    const folder = join(temporaryFolder(), 'half');
    await writeRandomCheckpoint(folder, configs.qwen2, { dtype: 'bfloat16' });
    const [edited, undone] = [join(temporaryFolder(), 'e'), join(temporaryFolder(), 'u')];
    await surgery(folder, edited, { heads });
    expect(await logitsOf(edited)).toBeClose(await logitsOf(folder, heads, { kind: 'uniform' }), {
      ...{ atol: 2e-5, rtol: 2e-4 },
    });
    await undoSurgery(edited, undone);
    expect(await weightBytes(undone)).toEqual(await weightBytes(folder));
  });
});

describe('compareCheckpoints', () => {
  it('says which heads and parts differ', async () => {
    const folder = await checkpoint('qwen2');
    const edited = join(temporaryFolder(), 'edited');
    await surgery(folder, edited, { heads, ablation: { kind: 'zero' } });
    const found = await compareCheckpoints(folder, edited);
    const changed = found.heads.flatMap((row, layer) =>
      row.flatMap((change, head) => (change > 0 ? [{ layer, head }] : [])),
    );
    expect(changed).toEqual(heads);
    // Columns of the output went, rows of the queries stayed.
    expect(found.heads[0]![3]).toBeGreaterThan(0.4);
    expect(found.heads[0]![3]).toBeLessThan(1);
    expect(found.groups.flat().every((change) => change === 0)).toBe(true);
    expect(found.weightCount - found.equalCount).toBe(2);
    const parts = found.parts.filter(({ change }) => change > 0);
    expect(parts.map(({ layer, part }) => [layer, part])).toEqual([
      [0, 'attention'],
      [2, 'attention'],
    ]);
    await expect(compareCheckpoints(folder, await checkpoint('gpt2'))).rejects.toThrow(/\[none\]/);
  });
});
