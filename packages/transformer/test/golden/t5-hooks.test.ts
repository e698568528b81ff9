import { join } from 'node:path';
import { selectBackend, tf } from '@lab/tensor';
import { type ArrayRecord, readSafetensors } from '@lab/tensor/io';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  generateT5,
  type Intervention,
  loadT5,
  t5LogitAttribution,
  t5LogitLens,
  type T5Model,
  validateT5,
} from '../../src/index.js';
import { idRows } from './golden-files.js';

const root = import.meta.dirname;

/** The changes whose logits PyTorch hooks gave, by their names in the files. */
const changes = (value: readonly number[]): Record<string, Intervention> => {
  const place = (
    attention: Intervention['attention'],
    [site, layer, head]: readonly [string, number, number],
  ) => ({ attention, site, layer, head });
  return {
    'zero.encoder.z.1.2': { kind: 'zero', ...place('encoder', ['z', 1, 2]) },
    'zero.decoder.z.1.2': { kind: 'zero', ...place('decoder', ['z', 1, 2]) },
    'zero.cross.z.0.1': { kind: 'zero', ...place('cross', ['z', 0, 1]) },
    'scale.cross.k.1.3': { kind: 'scale', ...place('cross', ['k', 1, 3]), value: 0.1 },
    'mean.encoder.v.0.0': { kind: 'mean', ...place('encoder', ['v', 0, 0]) },
    'mean.cross.z.1.0': { kind: 'mean', ...place('cross', ['z', 1, 0]) },
    'uniform.encoder.pattern.1.1': { kind: 'uniform', ...place('encoder', ['pattern', 1, 1]) },
    'uniform.decoder.scores.0.3': { kind: 'uniform', ...place('decoder', ['scores', 0, 3]) },
    'uniform.cross.pattern.1.2': { kind: 'uniform', ...place('cross', ['pattern', 1, 2]) },
    'scale.decoder.scores.1.0': {
      ...{ kind: 'scale', ...place('decoder', ['scores', 1, 0]), value: 0.2 },
    },
    'scale.encoder.scores.0.2': {
      ...{ kind: 'scale', ...place('encoder', ['scores', 0, 2]), value: 0.2 },
    },
    'add.encoder.resid_post.0': { kind: 'add', site: 'encoder.0.hook_resid_post', value },
    'project.decoder.resid_post.0': {
      ...{ kind: 'project-out', site: 'decoder.0.hook_resid_post', value },
    },
  };
};

const farthest = (found: ArrayLike<number>, wanted: ArrayLike<number>): number =>
  Array.from(found).reduce((most, value, at) => Math.max(most, Math.abs(value - wanted[at]!)), 0);

beforeAll(async () => {
  await selectBackend('wasm');
});

describe.each(['t5', 't5-v1.1'])('%s', (name) => {
  let model: T5Model;
  let inside: Record<string, ArrayRecord>;
  let texts: { readonly ids: number[][]; readonly decoderIds: number[][] };
  beforeAll(async () => {
    model = await loadT5(join(root, 'checkpoints', name), { validate: 'full' });
    inside = (await readSafetensors(join(root, 't5-hooks', `${name}.safetensors`))).tensors;
    texts = { ids: idRows(inside['ids']!), decoderIds: idRows(inside['decoderIds']!) };
  });
  afterAll(() => model.dispose());

  const logitsWith = async (interventions: readonly Intervention[], more: object = {}) => {
    const result = await model.forward({ ...texts, ...more, interventions });
    const values = ((await result.logits.data()) as Float32Array).slice();
    result.dispose();
    return values;
  };
  const all = () => changes(Array.from(inside['add.vector']!.data, Number));

  it('sees at every place what PyTorch hooks see', async () => {
    const wanted = Object.keys(inside).filter((key) => /^(en|de)coder\./.test(key));
    expect(wanted.length).toBeGreaterThan(40);
    const result = await model.forward({ ...texts, capture: (place) => wanted.includes(place) });
    for (const place of wanted) {
      const { shape, data } = inside[place]!;
      const found = result.captured.get(place);
      expect(found?.shape, place).toEqual(shape);
      expect(farthest(found!.data, data as Float32Array), place).toBeLessThan(1e-4);
    }
    result.dispose();
  });

  it('changes logits as PyTorch hooks do', async () => {
    const plain = await logitsWith([]);
    expect(farthest(plain, inside['logits']!.data as Float32Array)).toBeLessThan(1e-4);
    for (const [key, change] of Object.entries(all())) {
      const found = await logitsWith([change]);
      expect(farthest(found, inside[key]!.data as Float32Array), key).toBeLessThan(1e-4);
      expect(farthest(found, plain), key).toBeGreaterThan(1e-3);
    }
  });

  it('shares attention evenly among tokens that are no padding', async () => {
    const change = all()['uniform.encoder.pattern.1.1']!;
    const padded = {
      ids: [[...texts.ids[0]!, 0, 0]],
      mask: [[...texts.ids[0]!.map(() => 1), 0, 0]],
    };
    const found = await logitsWith([change], padded);
    expect(farthest(found, await logitsWith([change]))).toBeLessThan(1e-4);
  });

  it('takes means of the tokens of a text, not of padding', async () => {
    const padded = {
      ids: [[...texts.ids[0]!, 0, 0]],
      mask: [[...texts.ids[0]!.map(() => 1), 0, 0]],
    };
    for (const [site, attention] of [
      ...(['encoder', 'decoder', 'cross'] as const).flatMap((one) =>
        ['q', 'k', 'v', 'scores', 'z'].map((what) => [what, one] as const),
      ),
      ['encoder.1.hook_resid_post', undefined],
    ] as const) {
      const layer = attention === undefined ? undefined : 0;
      const change: Intervention = { kind: 'mean', site, attention, layer };
      const found = await logitsWith([change], padded);
      expect(farthest(found, await logitsWith([change])), `${site} ${attention}`).toBeLessThan(
        1e-4,
      );
    }
  });

  it('writes under changes what passes over all tokens give, alone or not', async () => {
    const { numTensors } = tf.memory();
    const options = { maxNewTokens: 12, ignoreEos: true };
    const plain = await generateT5(model, texts.ids, options);
    let moved = 0;
    for (const [key, change] of Object.entries(all())) {
      const wanted = inside[`generated.${key}`]?.data;
      if (wanted === undefined) continue;
      const inputs = [texts.ids[0]!, texts.ids[0]!.slice(0, 3)];
      const found = await generateT5(model, inputs, { ...options, interventions: [change] });
      expect(found[0]!.ids, key).toEqual(Array.from(wanted, Number));
      const [alone] = await generateT5(model, inputs.slice(1), {
        ...{ ...options, interventions: [change] },
      });
      expect(found[1]!.ids, key).toEqual(alone!.ids);
      moved += found[0]!.ids.join() === plain[0]!.ids.join() ? 0 : 1;
    }
    expect(moved).toBeGreaterThan(0);
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it('changes some steps alone, and beams', async () => {
    const change = { ...all()['zero.cross.z.0.1']!, kind: 'scale', value: -3 } as const;
    const options = { maxNewTokens: 8, ignoreEos: true };
    const [plain] = await generateT5(model, texts.ids, options);
    const at = (steps: readonly number[]) =>
      generateT5(model, texts.ids, { ...options, interventions: [{ ...change, steps }] });
    expect((await at([99]))[0]!.ids).toEqual(plain!.ids);
    expect((await at([7]))[0]!.ids.slice(0, 7)).toEqual(plain!.ids.slice(0, 7));
    const none = { numBeams: 3, interventions: [{ ...change, steps: [99] }] };
    const [beams] = await generateT5(model, texts.ids, { ...options, numBeams: 3 });
    const [same] = await generateT5(model, texts.ids, { ...options, ...none });
    expect(same!.beams!.map(({ ids }) => ids)).toEqual(beams!.beams!.map(({ ids }) => ids));
  });

  it('has a lens over the layers of the decoder', async () => {
    const { numTensors } = tf.memory();
    const layers = await t5LogitLens(model, { ...texts, top: 3 });
    expect(layers.map(({ layer }) => layer)).toEqual([0, 1, 2]);
    const logits = await logitsWith([]);
    const last = Array.from(logits.slice(-model.architecture.vocabularySize));
    const sum = last.reduce((total, value) => total + Math.exp(value), 0);
    const [best] = layers[2]!.tokens[0]!;
    expect(best!.id).toBe(last.indexOf(Math.max(...last)));
    expect(best!.logProbability).toBeCloseTo(Math.max(...last) - Math.log(sum), 4);
    expect(layers[0]!.tokens).not.toEqual(layers[2]!.tokens);
    const change = { kind: 'scale', site: 'decoder.final_ln.hook_normalized', value: 0 } as const;
    const even = await t5LogitLens(model, { ...texts, interventions: [change] });
    const share = -Math.log(model.architecture.vocabularySize);
    for (const { tokens } of even) expect(tokens[0]![0]!.logProbability).toBeCloseTo(share, 4);
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it('tells which parts of the decoder a logit comes from', async () => {
    const { numTensors } = tf.memory();
    const [tokens, against] = [[5], [17]];
    const found = await t5LogitAttribution(model, { ...texts, tokens, against });
    const wanted = inside['attribution']!.data as Float32Array;
    expect(found.shape).toEqual([1, wanted.length]);
    expect(farthest(found.values, wanted)).toBeLessThan(1e-4);
    expect(found.components.slice(0, 6).map((one) => one.name)).toEqual([
      'decoder.hook_embed',
      ...[0, 1, 2, 3].map((head) => `decoder.0.attn.head.${head}`),
      'decoder.0.cross_attn.head.0',
    ]);
    const logits = (await logitsWith([])).slice(-model.architecture.vocabularySize);
    expect(Math.abs(found.logits[0]! - (logits[5]! - logits[17]!))).toBeLessThan(1e-4);
    const change = all()['add.encoder.resid_post.0']!;
    const own = { kind: 'add', site: 'decoder.1.hook_resid_post', value: change.value! } as const;
    const interventions = [change, { ...own, value: [...(change.value as number[])] }];
    const changed = await t5LogitAttribution(model, { ...texts, tokens, interventions });
    const after = (await logitsWith(interventions)).slice(-model.architecture.vocabularySize);
    expect(Math.abs(changed.logits[0]! - after[5]!)).toBeLessThan(1e-4);
    expect(changed.components.at(-1)!.name).toBe('decoder.1.change');
    const wrong = t5LogitAttribution(model, { ...texts, tokens: [1, 2] });
    await expect(wrong).rejects.toThrow('tokens has 2 tokens for 1 texts');
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it('fits together, and is refused where it does not', async () => {
    const { numTensors } = tf.memory();
    const checks = await validateT5(model);
    expect(checks.filter(({ passed }) => !passed)).toEqual([]);
    expect(checks.map((one) => one.name)).toContain('token by token is the whole');
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it.each<[string, Intervention, RegExp]>([
    ['no attention', { kind: 'zero', site: 'z', layer: 0 }, /a T5 has three attentions/],
    ['no layer', { kind: 'zero', site: 'z', attention: 'cross' }, /layer is not given/],
    [
      'a layer too many',
      { kind: 'zero', site: 'z', attention: 'cross', layer: 2 },
      /Give|layer is 2/,
    ],
    [
      'a head too many',
      { kind: 'zero', site: 'z', attention: 'encoder', layer: 0, head: 4 },
      /no head 4 of 4/,
    ],
    ['no such place', { kind: 'zero', site: 'decoder.0.hook_resid_pst' }, /near: decoder\.0\.hook/],
    ['even values', { kind: 'uniform', site: 'z', attention: 'encoder', layer: 0 }, /only scores/],
  ])('refuses %s', async (_, change, message) => {
    await expect(logitsWith([change])).rejects.toThrow(message);
    await expect(generateT5(model, [[5]], { interventions: [change] })).rejects.toThrow(message);
  });
});
