import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '@lab/core';
import { selectBackend } from '@lab/tensor';
import { readSafetensors } from '@lab/tensor/io';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hookNames, type Intervention, loadModel, type Model } from '../../src/index.js';
import { idRows } from './golden-files.js';

const root = import.meta.dirname;
/** First numbers at the last token of every module, under its name in transformers. */
const modules = JSON.parse(readFileSync(join(root, 'modules.json'), 'utf8')) as Record<
  string,
  Record<string, number[]>
>;

/** Modules whose output is no place: several values in one, or a step within one. */
const without = [
  /\.(c_attn|query_key_value|qkv_proj|gate_up_proj)$/,
  /\.(q_norm|k_norm)$/,
  /(drop|dropout|\.act|\.act_fn|\.activation_fn|rotary_emb)$/,
  /^(model|transformer|gpt_neox)$/,
];

beforeAll(async () => {
  await selectBackend('wasm');
});

describe.each(Object.keys(modules))('%s', (name) => {
  let model: Model;
  let ids: number[][];
  beforeAll(async () => {
    model = await loadModel(join(root, 'checkpoints', name));
    const golden = await readSafetensors(join(root, 'checkpoints', name, 'golden.safetensors'));
    ids = [idRows(golden.tensors['ids']!)[0]!];
  });
  afterAll(() => model.dispose());

  const isCapped = (path: string) => path === 'lm_head' && model.architecture.logitCap !== null;

  it('modules of transformers stand for places with just their output', async () => {
    const result = await model.forward({ ids, capture: /./ });
    const paths = Object.keys(modules[name]!).filter(
      (path) => !without.some((pattern) => pattern.test(path)) && !isCapped(path),
    );
    expect(paths.length).toBeGreaterThanOrEqual(8 * model.architecture.layerCount);
    for (const path of paths) {
      const { shape, data } = result.captured.get(path)!;
      const width = data.length / ids[0]!.length;
      expect(shape.slice(0, 2), path).toEqual([1, ids[0]!.length]);
      const last = Array.from(data.slice(-width)).slice(0, 8);
      for (const [at, wanted] of modules[name]![path]!.entries()) {
        expect(Math.abs(last[at]! - wanted), path).toBeLessThan(1e-4);
      }
    }
    for (const path of Object.keys(modules[name]!)) {
      expect(result.captured.has(path), path).toBe(paths.includes(path));
    }
    result.dispose();
  });

  it('every alias stands for one place, and is the name of none', () => {
    const places = hookNames(model);
    const aliases = places.flatMap((place) => place.aliases);
    expect(new Set(aliases).size).toBe(aliases.length);
    const names = new Set(places.map((place) => place.name));
    expect(aliases.filter((alias) => names.has(alias))).toEqual([]);
    const { hasPostNorms, sharesNorm } = model.architecture;
    const wanted = [
      ...['embed.hook_out', 'embed_tokens', 'ln_final', 'ln_final.hook_out', 'unembed.hook_in'],
      ...['layers.1', 'layers.1.self_attn', 'layers.1.mlp', 'blocks.1.hook_in'],
      ...['blocks.1.hook_out', 'blocks.1.attn.q.hook_out', 'blocks.1.attn.o.hook_in'],
      ...['blocks.1.mlp.in.hook_out', 'blocks.1.mlp.out.hook_in', 'blocks.1.ln1.hook_out'],
      ...(sharesNorm ? [] : ['blocks.1.ln2.hook_out', 'blocks.1.attn.hook_in']),
      ...(hasPostNorms ? ['blocks.1.ln1_post.hook_out'] : ['blocks.1.attn.hook_out']),
    ];
    expect(wanted.filter((alias) => !aliases.includes(alias))).toEqual([]);
  });

  it('a name is taken wherever there is one', async () => {
    const block = model.architecture.modules.block.replace('{i}', '1');
    const own = 'blocks.1.hook_resid_post';
    let seen = '';
    const looks = {
      names: block,
      run: (_: unknown, point: { name: string }) => void (seen = point.name),
    };
    const result = await model.forward({ ids, capture: block, hooks: [looks] });
    expect(seen).toBe(own);
    expect([...result.captured.keys()]).toEqual([own]);
    expect(result.captured.get(block)).toBe(result.captured.get(own));
    expect(result.captured.has('blocks.1.hook_out')).toBe(true);
    expect(result.captured.get('blocks.0.hook_out')).toBeUndefined();
    result.dispose();
    const changed = async (site: string) => {
      const interventions = [{ kind: 'scale', site, value: 0.5 } as const];
      const found = await model.forward({ ids, interventions, logits: 'last' });
      const logits = (await found.logits!.data()).slice();
      found.dispose();
      return logits;
    };
    expect(await changed('layers.1.self_attn')).toEqual(
      await changed(
        model.architecture.hasPostNorms ? 'blocks.1.attn.hook_out' : 'blocks.1.hook_attn_out',
      ),
    );
  });

  it('a head counts queries under every name of keys, unless groups are meant', async () => {
    const { modules, headCount } = model.architecture;
    if (modules.inBlock.k === null) return;
    const site = `${modules.block.replace('{i}', '1')}.${modules.inBlock.k}`;
    const changed = async (
      change: Pick<Intervention, 'granularity' | 'layer' | 'site'>,
      head: number,
    ) => {
      const interventions = [{ kind: 'zero', head, ...change } as const];
      const result = await model.forward({ ids, interventions, logits: 'last' });
      const logits = (await result.logits!.data()).slice();
      result.dispose();
      return logits;
    };
    const last = headCount - 1;
    expect(await changed({ site }, last)).toEqual(await changed({ site: 'k', layer: 1 }, last));
    const granularity = 'kv-group';
    const group = await changed({ site: 'k', layer: 1, granularity }, 0);
    expect(await changed({ site, granularity }, 0)).toEqual(group);
    const isShared = model.architecture.keyValueHeadCount < headCount;
    expect(Buffer.from((await changed({ site }, 0)).buffer).equals(Buffer.from(group.buffer))).toBe(
      !isShared,
    );
  });

  it.each([
    [
      'blocks.0.hook_resid_pst',
      /no place blocks\.0\.hook_resid_pst; near: blocks\.0\.hook_resid_p/,
    ],
    ['blocks.99.hook_resid_post', /no block 99 for blocks\.99\.hook_resid_post, the last is \d/],
    ['layers.7.mlp', /no block 7 for layers\.7\.mlp/],
    ['attn', /there is no place attn/],
  ])('%s is no place, in capture as in a hook', async (wrong, message) => {
    const asked = [
      { ids, capture: wrong },
      { ids, hooks: [{ names: wrong, run: () => undefined }] },
      { ids, interventions: [{ kind: 'zero' as const, site: wrong }] },
    ];
    for (const input of asked) {
      const failure = await model.forward(input).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(ConfigError);
      expect((failure as Error).message).toMatch(message);
    }
    const none = await model.forward({ ids, capture: /nowhere/ });
    expect(none.captured.size).toBe(0);
    none.dispose();
  });
});
