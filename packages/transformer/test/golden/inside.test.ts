import '@lab/core/testing';
import { join } from 'node:path';
import { selectBackend, tf } from '@lab/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  hookNames,
  type Intervention,
  loadModel,
  logitLens,
  type Model,
  type TokenInput,
} from '../../src/index.js';

const folder = join(import.meta.dirname, 'checkpoints');
const ids = [
  [5, 9, 3, 44, 12],
  [7, 2, 61, 8, 30],
];

beforeAll(async () => {
  await selectBackend('wasm');
});

describe.each(['gpt2', 'gemma2', 'falcon-new', 'qwen3', 'falcon-alibi'])('inside of %s', (name) => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(join(folder, name));
  });
  afterAll(() => model.dispose());

  it('hooks are just where hookNames says, with its shapes', async () => {
    const isOfHeads = (place: string) => place.endsWith('_heads');
    const plain = await model.forward({ ids, capture: (place) => !isOfHeads(place) });
    const apart = await model.forward({ ids, capture: isOfHeads });
    const named = await model.forward({ ids, capture: /hook_(tokens|(attn|mlp)_in|[qkv]_input)$/ });
    const sizes = { B: 2, T: 5 };
    const listed = hookNames(model, { optional: true }).map((one) => ({
      name: one.name,
      shape: one.shape.map((size) => (typeof size === 'number' ? size : sizes[size])),
    }));
    const all = [...plain.captured, ...apart.captured, ...named.captured];
    const found = all.map(([place, { shape }]) => ({
      name: place,
      shape,
    }));
    const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
    expect(found.toSorted(byName)).toEqual(listed.toSorted(byName));
    for (const one of [plain, apart, named]) one.dispose();
  });

  it('the lens ends in the logits, and begins with the embedding', async () => {
    const layers = await logitLens(model, { ids, top: 3 });
    expect(layers.map(({ layer }) => layer)).toEqual(
      Array.from({ length: model.architecture.layerCount + 1 }, (_, layer) => layer),
    );
    const result = await model.forward({ ids, logits: 'last' });
    const rows = (await tf.logSoftmax(tf.squeeze(result.logits!, [1])).array()) as number[][];
    layers.at(-1)!.tokens.forEach((tokens, text) => {
      const best = Math.max(...rows[text]!);
      expect(tokens[0]!.logProbability).toBeCloseTo(best, 4);
      expect(rows[text]![tokens[0]!.id]).toBeCloseTo(best, 5);
      expect(tokens).toHaveLength(3);
    });
    const first = layers[0]!.tokens.map((tokens) => tokens[0]!.logProbability);
    const last = layers.at(-1)!.tokens.map((tokens) => tokens[0]!.logProbability);
    expect(first).not.toEqual(last);
    result.dispose();
  });

  it('an intervention at some tokens leaves those before it alone', async () => {
    const change: Intervention = { kind: 'zero', site: 'z', layer: 0, positions: [3] };
    const logits = async (interventions: readonly Intervention[]) => {
      const result = await model.forward({ ids, interventions });
      const values = (await result.logits!.array()) as number[][][];
      result.dispose();
      return values;
    };
    const [plain, changed] = [await logits([]), await logits([change])];
    expect(changed[0]!.slice(0, 3)).toEqual(plain[0]!.slice(0, 3));
    expect(changed[0]![4]).not.toEqual(plain[0]![4]);
  });

  it('a mean is of the tokens of a text, whatever padding stands beside them', async () => {
    const [own, other] = [ids[0]!, [...ids[1]!, 4, 6]];
    const padded: TokenInput = {
      ids: [[0, 0, ...own], other, [...own, 0, 0]],
      mask: [[0, 0, ...own.map(() => 1)], other.map(() => 1), [...own.map(() => 1), 0, 0]],
    };
    const logits = async (input: TokenInput, change: Intervention) => {
      const result = await model.forward({ ...input, interventions: [change], logits: 'last' });
      const rows = (await tf.squeeze(result.logits!, [1]).array()) as number[][];
      result.dispose();
      return rows;
    };
    const sites = ['q', 'k', 'v', 'scores', 'pattern', 'z', 'mlp.hook_post', 'hook_resid_post'];
    for (const site of sites) {
      const change: Intervention = { kind: 'mean', site, layer: 0 };
      const [alone] = await logits({ ids: [own] }, change);
      const [left, , right] = await logits(padded, change);
      expect(left, site).toBeClose(alone!, { atol: 1e-4 });
      expect(right, site).toBeClose(alone!, { atol: 1e-4 });
    }
  });

  it.each<[string, Intervention, RegExp]>([
    ['no layer', { kind: 'zero', site: 'z' }, /layer is not given/],
    ['a layer too many', { kind: 'zero', site: 'z', layer: 99 }, /layer is 99/],
    ['a head too many', { kind: 'zero', site: 'z', layer: 0, head: 99 }, /no head 99 of/],
    [
      'an unknown place',
      { kind: 'zero', site: 'blocks.0.hook_resid_pst' },
      /near: blocks\.0\.hook/,
    ],
    ['no factor', { kind: 'scale', site: 'z', layer: 0 }, /value is not given/],
    ['a value in vain', { kind: 'zero', site: 'z', layer: 0, value: 1 }, /value is 1/],
    [
      'a head of the residual',
      { kind: 'zero', site: 'blocks.0.hook_resid_pre', head: 0 },
      /has no heads/,
    ],
    [
      'a vector of another length',
      { kind: 'add', site: 'z', layer: 0, value: [1, 2, 3] },
      /3 numbers/,
    ],
    [
      'a kind that is none',
      { kind: 'zeros' as 'zero', site: 'z', layer: 0 },
      /kind must be one of/,
    ],
    ['half a head', { kind: 'zero', site: 'z', layer: 0, head: 0.5 }, /head must be a whole/],
    [
      'a place before the text',
      { kind: 'zero', site: 'z', layer: 0, positions: [-1] },
      /\[0\] must/,
    ],
    [
      'another layer than its place',
      { kind: 'zero', site: 'blocks.1.hook_resid_post', layer: 0 },
      /blocks\.1\.hook_resid_post is not in layer 0/,
    ],
    ['no number', { kind: 'scale', site: 'z', layer: 0, value: Number.NaN }, /value holds NaN/],
    [
      'a direction of no length',
      { kind: 'project-out', site: 'mlp.hook_post', layer: 0, value: [0, 0] },
      /the direction is zero/,
    ],
    [
      'a direction of several axes',
      { kind: 'project-out', site: 'scores', layer: 0, value: Array.from({ length: 25 }, () => 1) },
      /25 numbers/,
    ],
  ])('an intervention with %s is refused', async (_, change, message) => {
    await expect(model.forward({ ids, interventions: [change] })).rejects.toThrow(message);
  });

  it.each([
    ['ids of two lengths', { ids: [[1, 2], [3]] }, /ids must be 2 rows of 2, got 2 of 2, 1/],
    ['no ids', { ids: [] }, /ids are empty/],
    ['an id too many', { ids: [[1, 97]] }, /text 0, token 1 has the id 97, the vocabulary has 97/],
    ['half an id', { ids: [[0.5]] }, /has the id 0\.5/],
    ['a short mask', { ids: [[1, 2]], mask: [[1]] }, /mask must be 1 rows of 2/],
    ['blocks that are not there', { ids, stopBlock: 9 }, /blocks 0 to 9 of/],
    ['a start without a residual', { ids, startBlock: 1 }, /startBlock 1 needs a residual/],
  ])('%s are refused', async (_, input, message) => {
    await expect(model.forward(input)).rejects.toThrow(message);
    const { numTensors } = tf.memory();
    await expect(model.forward(input)).rejects.toThrow(message);
    expect(tf.memory().numTensors).toBe(numTensors);
  });
});

it('even attention is shared among tokens that a query may see, and no others', async () => {
  for (const name of ['llama3', 'mistral', 'falcon-alibi']) {
    const model = await loadModel(join(folder, name));
    const change: Intervention = { kind: 'uniform', site: 'pattern', layer: 0 };
    const own = [5, 9, 3, 44, 12, 8, 2];
    const pattern = async (input: TokenInput) => {
      const place = 'blocks.0.attn.hook_pattern';
      const result = await model.forward({ ...input, interventions: [change], capture: place });
      result.dispose();
      return result.captured.get(place)!;
    };
    const rows = await pattern({ ids: [own] });
    const padded = await pattern({
      ids: [[0, 0, ...own]],
      mask: [[0, 0, ...own.map(() => 1)]],
    });
    const { window } = model.architecture.blocks[0]!;
    for (let query = 0; query < own.length; query += 1) {
      for (let key = 0; key < own.length; key += 1) {
        const seen = Math.min(query + 1, window ?? query + 1);
        const wanted = key <= query && query - key < seen ? 1 / seen : 0;
        expect(rows.data[query * own.length + key]!).toBeCloseTo(wanted, 5);
        const length = own.length + 2;
        expect(padded.data[(query + 2) * length + key + 2]!).toBeCloseTo(wanted, 5);
      }
    }
    model.dispose();
  }
});

it('texts longer than learned positions are refused', async () => {
  const model = await loadModel(join(folder, 'gpt2'));
  const { positions } = model.architecture;
  const count = positions.kind === 'learned' ? positions.count : 0;
  const long = [Array.from({ length: count + 1 }, () => 1)];
  await expect(model.forward({ ids: long })).rejects.toThrow(`this model has ${count} places`);
  model.dispose();
});
