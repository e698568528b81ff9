import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { selectBackend, tf } from '@lab/tensor';
import { readSafetensors } from '@lab/tensor/io';
import { expectNoLeak } from '@lab/tensor/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  accumulatedLogits,
  accumulatedResidual,
  directLogits,
  type Intervention,
  loadModel,
  logitAttribution,
  logitDirections,
  type Model,
  normedComponents,
  residualComponents,
  stackedHeads,
} from '../../src/index.js';
import { idRows } from './golden-files.js';

const root = import.meta.dirname;

interface Golden {
  readonly tokens: number[];
  readonly against: number[];
  readonly components: string[];
  readonly values: number[][];
}

/** What PyTorch gives, by make_attribution.py. */
const golden = JSON.parse(readFileSync(join(root, 'attribution.json'), 'utf8')) as Record<
  string,
  Golden
>;

/** Float32 sums of some twenty numbers of up to a hundred, in another order. */
const TOLERANCE = 1e-4;

beforeAll(async () => {
  await selectBackend('wasm');
});

describe.each(Object.keys(golden))('%s', (name) => {
  const { tokens, against, components, values } = golden[name]!;
  let model: Model;
  let texts: { ids: number[][]; mask: number[][] };
  beforeAll(async () => {
    model = await loadModel(join(root, 'checkpoints', name));
    const { tensors } = await readSafetensors(
      join(root, 'checkpoints', name, 'golden.safetensors'),
    );
    texts = { ids: idRows(tensors['ids']!), mask: idRows(tensors['mask']!) };
  });
  afterAll(() => model.dispose());

  /** Logits of the last tokens before any cap. */
  const logitsOf = async (interventions: readonly Intervention[] = []): Promise<number[][]> => {
    const { logitCap: cap } = model.architecture;
    const result = await model.forward({ ...texts, interventions, logits: 'last' });
    const rows = (await tf.squeeze(result.logits!, [1]).array()) as number[][];
    result.dispose();
    return cap === null ? rows : rows.map((row) => row.map((x) => cap * Math.atanh(x / cap)));
  };

  it('gives of every component what PyTorch gives', async () => {
    const found = await logitAttribution(model, { ...texts, tokens, against });
    expect(found.components.map((one) => one.name)).toEqual(components);
    expect(found.shape).toEqual([3, components.length]);
    values.flat().forEach((wanted, at) => {
      const what = components[at % components.length];
      expect(Math.abs(found.values[at]! - wanted), what).toBeLessThan(TOLERANCE);
    });
  });

  it('adds up to the logits, also of single tokens and under interventions', async () => {
    const plain = await logitsOf();
    const one = await logitAttribution(model, { ...texts, tokens });
    const both = await logitAttribution(model, { ...texts, tokens, against });
    const grown = accumulatedLogits(both);
    for (const [text, row] of plain.entries()) {
      const [wanted, other] = [row[tokens[text]!]!, row[against[text]!]!];
      expect(Math.abs(one.logits[text]! - wanted)).toBeLessThan(TOLERANCE);
      expect(Math.abs(both.logits[text]! - (wanted - other))).toBeLessThan(TOLERANCE);
      const end = grown[(text + 1) * components.length - 1]!;
      expect(Math.abs(end - (wanted - other))).toBeLessThan(TOLERANCE);
    }
    const interventions: Intervention[] = [
      { kind: 'zero', site: 'z', layer: 1, head: 0 },
      { kind: 'scale', site: 'blocks.0.hook_mlp_out', value: 0.5 },
      { kind: 'add', site: 'blocks.0.hook_resid_post', value: 0.25 },
    ];
    const changed = await logitAttribution(model, { ...texts, tokens, interventions });
    const at = (what: string) => changed.components.findIndex((each) => each.name === what);
    const rows = await logitsOf(interventions);
    for (const [text, row] of rows.entries()) {
      expect(Math.abs(changed.logits[text]! - row[tokens[text]!]!)).toBeLessThan(TOLERANCE);
      const own = changed.values.subarray(text * changed.shape[1], (text + 1) * changed.shape[1]);
      expect(own[at('blocks.1.attn.head.0')]).toBeCloseTo(0, 10);
      expect(own[at('blocks.1.change')]).toBeCloseTo(0, 3);
    }
  });

  it('components add up to the residual, streamed as resident, and leak nothing', async () => {
    const streamed = await loadModel(join(root, 'checkpoints', name), { residency: 'streamed' });
    const found = await residualComponents(streamed, texts);
    streamed.dispose();
    const [count, batchSize, width] = found.shape;
    const result = await model.forward({
      ...{ ...texts, logits: 'none', capturePositions: 'last' },
      capture: new RegExp(`^blocks.${model.architecture.layerCount - 1}.hook_resid_post$`),
    });
    const [after] = [...result.captured.values()];
    result.dispose();
    expect(after!.shape).toEqual([batchSize, 1, width]);
    for (let place = 0; place < batchSize * width; place += 1) {
      let sum = 0;
      for (let at = 0; at < count; at += 1) sum += found.data[at * batchSize * width + place]!;
      expect(Math.abs(sum - after!.data[place]!)).toBeLessThan(TOLERANCE);
    }
    await expectNoLeak(async () => {
      await logitAttribution(model, { ...texts, tokens });
    });
    await expectNoLeak(async () => {
      const wrong: Intervention = { kind: 'add', site: 'z', layer: 1, value: [1, 2, 3, 4, 5] };
      await logitAttribution(model, { ...texts, tokens, interventions: [wrong] });
    });
  });

  it('stacks are the same, step by step', async () => {
    const found = await residualComponents(model, texts);
    const directions = await logitDirections(model, tokens, against);
    const normed = normedComponents(model, found);
    const whole = await logitAttribution(model, { ...texts, tokens, against });
    const count = components.length - (directions.biases === null ? 0 : 1);
    const own = directLogits(normed, directions);
    const heads = directLogits(stackedHeads(normed), directions);
    const sums = directLogits(accumulatedResidual(normed), directions);
    const grown = accumulatedLogits(whole);
    const places = components.flatMap((one, at) => (one.includes('.head.') ? [at] : []));
    expect(heads.length).toBe(3 * places.length);
    for (let text = 0; text < 3; text += 1) {
      const start = text * components.length;
      for (let at = 0; at < count; at += 1) {
        const wanted = whole.values[start + at]!;
        expect(Math.abs(own[text * count + at]! - wanted)).toBeLessThan(TOLERANCE);
        const sum = sums[text * count + at]! - grown[start + at]!;
        expect(Math.abs(sum)).toBeLessThan(TOLERANCE);
      }
      for (const [row, at] of places.entries()) {
        const value = heads[text * places.length + row]!;
        expect(Math.abs(value - whole.values[start + at]!)).toBeLessThan(TOLERANCE);
      }
      if (directions.biases === null) continue;
      const bias = whole.values[start + count]!;
      expect(Math.abs(directions.biases[text]! - bias)).toBeLessThan(TOLERANCE);
    }
    const result = await model.forward({ ...texts, logits: 'none', residualPositions: 'last' });
    const end = (await result.residual.data()) as Float32Array;
    result.dispose();
    const last = accumulatedResidual(found).data.slice(-end.length);
    end.forEach((value, at) => expect(Math.abs(value - last[at]!)).toBeLessThan(TOLERANCE));
    const one = await logitDirections(model, [1]);
    expect(() => directLogits(normed, one)).toThrow(/directions must be \[3, \d+\], got \[1/);
    const bare = { ...found, components: [] };
    expect(() => stackedHeads(bare)).toThrow('no heads among the components');
    await expect(logitDirections(model, [1], [1, 2])).rejects.toThrow(/against has 2 tokens/);
  });

  it.each([
    ['tokens of another number of texts', { tokens: [1] }, /tokens has 1 tokens for 3 texts/],
    ['against of another number', { tokens, against: [1] }, /against has 1 tokens for 3 texts/],
    ['a token too many', { tokens: [1, 2, 97] }, /tokens has the id 97, the vocabulary has 97/],
  ])('refuses %s', async (_, given, message) => {
    await expect(logitAttribution(model, { ...texts, ...given })).rejects.toThrow(message);
  });
});

it('copies of last tokens are the last of all copies, at every place', async () => {
  for (const name of ['gpt2', 'gemma2', 'falcon-new']) {
    const model = await loadModel(join(root, 'checkpoints', name));
    const { tensors } = await readSafetensors(
      join(root, 'checkpoints', name, 'golden.safetensors'),
    );
    const texts = { ids: idRows(tensors['ids']!), mask: idRows(tensors['mask']!) };
    const length = texts.ids[0]!.length;
    const all = await model.forward({ ...texts, capture: /./ });
    const last = await model.forward({ ...texts, capture: /./, capturePositions: 'last' });
    expect([...last.captured.keys()]).toEqual([...all.captured.keys()]);
    for (const [place, { shape, data }] of last.captured) {
      const whole = all.captured.get(place)!;
      const axis = /attn_scores|pattern/.test(place) ? 2 : 1;
      expect(shape, place).toEqual(whole.shape.map((size, at) => (at === axis ? 1 : size)));
      const size = whole.shape.slice(axis + 1).reduce((product, one) => product * one, 1);
      for (const [at, value] of data.entries()) {
        const wanted =
          whole.data[(Math.floor(at / size) + 1) * length * size - size + (at % size)]!;
        expect(Math.abs(value - wanted), place).toBeLessThan(TOLERANCE);
      }
    }
    all.dispose();
    last.dispose();
    await expectNoLeak(() => model.forward({ ...texts, capture: /./, capturePositions: 'last' }));
    model.dispose();
  }
});
