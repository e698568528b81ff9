import { selectBackend, tf } from '@lab/tensor';
import type { Model } from '@lab/transformer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import '@lab/core/testing';
import { randomPrompts, smallModel } from './__fixtures__/small-models.js';
import {
  ablationChanges,
  ablationRemarks,
  changesNothing,
  type HeadAblation,
  headCounts,
  queryHeads,
  resolveAblation,
} from './ablation.js';

let [gpt2, qwen2]: Model[] = [];
const { ids } = randomPrompts([9])[0]!;

beforeAll(async () => {
  await selectBackend('wasm');
  gpt2 = await smallModel('gpt2');
  qwen2 = await smallModel('qwen2');
});
afterAll(() => {
  gpt2!.dispose();
  qwen2!.dispose();
});

type Head = { readonly layer: number; readonly head: number };

async function values(
  model: Model,
  ablation: HeadAblation,
  heads: readonly Head[],
): Promise<{ readonly logits: Float32Array; readonly place: (name: string) => Float32Array }> {
  const resolved = resolveAblation(ablation, model.architecture);
  const { interventions, hooks } = ablationChanges(model, resolved, heads);
  const capture = /attn\.hook_(q|k|v|z|pattern)$/;
  const result = await model.forward({ ids: [ids], interventions, hooks, capture });
  const logits = ((await result.logits!.data()) as Float32Array).slice();
  result.dispose();
  return { logits, place: (name) => result.captured.get(`blocks.${name}`)!.data };
}

const head = { layer: 1, head: 2 };

describe('ablations', () => {
  it('uniform: the head gives the running mean of its values', async () => {
    const { place } = await values(gpt2!, { kind: 'uniform' }, [head]);
    const [z, v] = [place('1.attn.hook_z'), place('1.attn.hook_v')];
    const at = (token: number, feature: number) => (token * 4 + 2) * 8 + feature;
    for (const token of [0, 3, 8]) {
      for (const feature of [0, 5]) {
        let sum = 0;
        for (let before = 0; before <= token; before += 1) sum += v[at(before, feature)]!;
        expect(z[at(token, feature)]).toBeCloseTo(sum / (token + 1), 5);
      }
    }
  });

  it('a small factor of queries, keys or scores comes to the uniform pattern', async () => {
    const { logits: wanted } = await values(gpt2!, { kind: 'uniform' }, [head]);
    for (const site of ['q', 'k', 'scores'] as const) {
      for (const eps of [0, 1e-7]) {
        const { logits } = await values(gpt2!, { kind: 'scale', site, eps }, [head]);
        expect(logits, `${site} ${eps}`).toBeClose(wanted, { atol: 1e-5 });
      }
    }
  });

  it('values and outputs times a factor are the same; zero is the factor 0', async () => {
    const of = async (ablation: HeadAblation) => (await values(gpt2!, ablation, [head])).logits;
    const half = await of({ kind: 'scale', site: 'v', eps: 0.5 });
    expect(await of({ kind: 'scale', site: 'z', eps: 0.5 })).toBeClose(half, { atol: 1e-5 });
    const zero = await of({ kind: 'zero' });
    expect(await of({ kind: 'scale', site: 'v', eps: 0 })).toBeClose(zero, { atol: 1e-5 });
    expect(await of({ kind: 'zero', site: 'v' })).toBeClose(zero, { atol: 1e-5 });
  });

  it('mean: the heads of a layer, also several together, are the mean of all', async () => {
    const intact = await values(gpt2!, { kind: 'scale', eps: 1 }, []);
    const heads = [head, { layer: 1, head: 0 }];
    const { place } = await values(gpt2!, { kind: 'mean', site: 'q' }, heads);
    const [q, before] = [place('1.attn.hook_q'), intact.place('1.attn.hook_q')];
    for (const feature of [0, 7]) {
      const at = (one: number) => (3 * 4 + one) * 8 + feature;
      const mean = [0, 1, 2, 3].reduce((sum, one) => sum + before[at(one)]! / 4, 0);
      expect(q[at(2)]).toBeCloseTo(mean, 6);
      expect(q[at(0)]).toBeCloseTo(mean, 6);
      expect(q[at(1)]).toBeCloseTo(before[at(1)]!, 6);
    }
  });

  it('of a head of keys and values change all queries that share it, of one no other', async () => {
    const intact = await values(qwen2!, { kind: 'scale', eps: 1 }, []);
    const changed = async (granularity: 'kv-group' | 'query-head') => {
      const { place } = await values(qwen2!, { kind: 'zero', site: 'v', granularity }, [
        { layer: 0, head: 1 },
      ]);
      const [z, before] = [place('0.attn.hook_z'), intact.place('0.attn.hook_z')];
      const of = (one: number) => z.slice(one * 8, one * 8 + 8);
      return [0, 1, 2, 3].filter((one) => {
        const own = before.slice(one * 8, one * 8 + 8);
        return of(one).some((value, at) => Math.abs(value - own[at]!) > 1e-6);
      });
    };
    expect(await changed('query-head')).toEqual([1]);
    expect(await changed('kv-group')).toEqual([2, 3]);
  });

  it('factor 1 changes nothing at all', async () => {
    const one = resolveAblation({ kind: 'scale', eps: 1 }, gpt2!.architecture);
    expect(changesNothing(one)).toBe(true);
    expect(ablationChanges(gpt2!, one, [head])).toEqual({ interventions: [], hooks: [] });
    expect(tf.memory().numTensors).toBeGreaterThan(0);
  });
});

describe('what an ablation must say', () => {
  const plain = { headCount: 4, keyValueHeadCount: 4 };
  const grouped = { headCount: 8, keyValueHeadCount: 2 };

  it('factors below 0 or not finite, and sites of another kind, are refused', () => {
    for (const eps of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => resolveAblation({ kind: 'scale', eps }, plain)).toThrow(/eps is/);
    }
    expect(() => resolveAblation({ kind: 'uniform', site: 'z' }, plain)).toThrow(/at z/);
    expect(() => resolveAblation({ kind: 'mean', site: 'pattern' }, plain)).toThrow(/at pattern/);
  });

  it('keys and values of groups need a granularity, and count by it', () => {
    const keys: HeadAblation = { kind: 'scale', site: 'k' };
    expect(() => resolveAblation(keys, grouped)).toThrow(/4 heads of queries share each of 2/);
    expect(resolveAblation(keys, plain).granularity).toBe('query-head');
    const groups = resolveAblation({ ...keys, granularity: 'kv-group' }, grouped);
    const architecture = { ...grouped, layerCount: 3, hasQueryKeyNorm: false };
    const positions = { kind: 'rotary' } as const;
    expect(headCounts({ ...architecture, positions }, groups)).toEqual({
      ...{ layerCount: 3, headCount: 2 },
    });
    expect(queryHeads(1, grouped, groups)).toEqual([4, 5, 6, 7]);
  });

  it('norms of queries and biases of positions are remarked on', () => {
    const base = { ...plain, layerCount: 1 };
    const queries = resolveAblation({ kind: 'scale', site: 'q', eps: 1e-3 }, plain);
    const normed = { ...base, hasQueryKeyNorm: true, positions: { kind: 'rotary' } } as const;
    expect(ablationRemarks(normed, queries)[0]).toMatch(/undo most/);
    const alibi = { ...base, hasQueryKeyNorm: false, positions: { kind: 'alibi' } } as const;
    expect(ablationRemarks(alibi, queries)[0]).toMatch(/biases of positions/);
    const uniform = resolveAblation({ kind: 'uniform' }, plain);
    expect(ablationRemarks(normed, uniform)).toEqual([]);
  });
});
