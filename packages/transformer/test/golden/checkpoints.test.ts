import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { selectBackend } from '@lab/tensor';
import { readSafetensors } from '@lab/tensor/io';
import { expectNoLeak } from '@lab/tensor/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hiddenStates, loadModel, type Model, validateModel } from '../../src/index.js';
import { farthest, idRows, spreadOf, switchesOf, withField } from './golden-files.js';

const folder = join(import.meta.dirname, 'checkpoints');
const names = readdirSync(folder).filter((name) => !name.startsWith('t5'));

interface Golden {
  readonly ids: number[][];
  readonly mask: number[][];
  readonly logits: Float32Array;
  readonly hidden: readonly Float32Array[];
  readonly vocabularySize: number;
}

async function goldenOf(name: string): Promise<Golden> {
  const { tensors } = await readSafetensors(join(folder, name, 'golden.safetensors'));
  const rows = (key: string) => idRows(tensors[key]!);
  const hidden: Float32Array[] = [];
  while (`hidden.${hidden.length}` in tensors) {
    hidden.push(tensors[`hidden.${hidden.length}`]!.data as Float32Array);
  }
  const { data, shape } = tensors['logits']!;
  const own = { logits: data as Float32Array, vocabularySize: shape[2]! };
  return { ids: rows('ids'), mask: rows('mask'), hidden, ...own };
}

async function logitsOf(model: Model, input: { ids: number[][]; mask?: number[][] }) {
  const result = await model.forward(input);
  const values = (await result.logits!.data()) as Float32Array;
  result.dispose();
  return values.slice();
}

beforeAll(async () => {
  await selectBackend('wasm');
});

describe.each(names)('%s', (name) => {
  let golden: Golden;
  let model: Model;
  beforeAll(async () => {
    golden = await goldenOf(name);
    model = await loadModel(join(folder, name));
  });
  afterAll(() => model.dispose());

  it('gives logits and hidden states of transformers', async () => {
    const { ids, mask, hidden } = golden;
    expect(spreadOf(golden.logits, mask)).toBeGreaterThan(1);
    const capture = /hook_resid_pre$|^ln_final.hook_normalized$/;
    const result = await model.forward({ ids, mask, capture });
    const logits = (await result.logits!.data()) as Float32Array;
    result.dispose();
    const states = hidden.map((_, layer) =>
      layer === hidden.length - 1
        ? result.captured.get('ln_final.hook_normalized')!
        : result.captured.get(`blocks.${layer}.hook_resid_pre`)!,
    );
    states.forEach(({ data }, layer) => {
      expect(farthest(data, hidden[layer]!, mask), `hidden ${layer}`).toBeLessThan(1e-4);
    });
    expect(farthest(logits, golden.logits, mask), 'logits').toBeLessThan(1e-4);
  });

  it('gives each text alone what it gives in a padded batch', async () => {
    const { ids, mask, vocabularySize } = golden;
    const all = golden.logits;
    for (const [row, own] of ids.entries()) {
      // Some scalings depend on the longest text of a batch, in transformers, too.
      if (row > 0 && /dynamic|longrope/.test(name)) continue;
      const kept = own.filter((_, at) => mask[row]![at] === 1);
      const found = await logitsOf(model, { ids: [kept] });
      const end = (row + 1) * own.length * vocabularySize;
      const wanted = all.slice(end - kept.length * vocabularySize, end);
      expect(farthest(found, wanted, [kept.map(() => 1)]), `text ${row}`).toBeLessThan(1e-4);
    }
  });

  it('gives the same streamed and from the middle, and leaks nothing', async () => {
    const { ids, mask } = golden;
    const whole = await logitsOf(model, { ids, mask });
    const streamed = await loadModel(join(folder, name), { residency: 'streamed' });
    expect(await logitsOf(streamed, { ids, mask })).toEqual(whole);
    streamed.dispose();
    const half = await model.forward({ ids, mask, stopBlock: 1 });
    expect(half.logits).toBeNull();
    const rest = await model.forward({ ids, mask, startBlock: 1, residual: half.residual });
    expect((await rest.logits!.data()).slice()).toEqual(whole);
    half.dispose();
    rest.dispose();
    await expectNoLeak(async () => {
      await logitsOf(model, { ids, mask });
    });
  });

  it('holds together inside, and says where it does not', async () => {
    const checks = await validateModel(model);
    expect(checks.filter(({ passed }) => !passed)).toEqual([]);
    expect(checks.length).toBeGreaterThan(5);
  });

  it('gives the states of all batches layer by layer, streamed', async () => {
    const { ids, mask, hidden } = golden;
    const streamed = await loadModel(join(folder, name), { residency: 'streamed' });
    const one = (row: number) => ({ ids: [ids[row]!], mask: [mask[row]!] });
    const isWhole = /dynamic|longrope|gpt2/.test(name);
    const batches = isWhole ? [{ ids, mask }] : [one(0), one(2)];
    const width = streamed.architecture.width;
    const size = ids[0]!.length * width;
    let seen = 0;
    const all = hiddenStates(streamed, batches, { logits: true });
    for await (const { layer, batch, data, shape, logits } of all) {
      seen += 1;
      expect(logits !== undefined).toBe(layer === hidden.length - 1);
      if (logits !== undefined && batches.length === 1) {
        expect(farthest(logits.data, golden.logits, mask)).toBeLessThan(1e-4);
      }
      const start = batch * 2 * size;
      const wanted = hidden[layer]!.subarray(start, start + data.length);
      expect(shape).toEqual([batches[batch]!.ids.length, ids[0]!.length, width]);
      expect(farthest(data, wanted, batches[batch]!.mask), `${layer}`).toBeLessThan(1e-4);
    }
    expect(seen).toBe(batches.length * hidden.length);
    for await (const { layer, data } of hiddenStates(streamed, [one(0)], { positions: 'last' })) {
      expect(data).toHaveLength(width);
      if (/dynamic|longrope/.test(name)) continue;
      const wanted = hidden[layer]!.subarray(size - width, size);
      expect(farthest(data, wanted, [[1]]), `${layer}`).toBeLessThan(1e-4);
    }
    streamed.dispose();
  });

  it('moves as transformers does where a field of config.json is another', async () => {
    expect(switchesOf(name).length).toBeGreaterThan(0);
    for (const { field, value, change } of switchesOf(name)) {
      const changed = await loadModel(withField(join(folder, name), field, value));
      const { ids, mask } = golden;
      const moved = farthest(await logitsOf(changed, { ids, mask }), golden.logits, mask);
      changed.dispose();
      expect(moved, field).toBeGreaterThan(1e-2);
      expect(Math.abs(moved - change), `${field}: ${moved}, not ${change}`).toBeLessThan(2e-3);
    }
  });
});

it('all batches go through a block before the next one is asked for', async () => {
  const streamed = await loadModel(join(folder, 'llama3'), { residency: 'streamed' });
  const asked: number[] = [];
  const { blocks } = streamed.parts;
  const use = blocks.use.bind(blocks);
  blocks.use = (index, work) => {
    asked.push(index);
    return use(index, work);
  };
  const batches = [{ ids: [[1, 2, 3]] }, { ids: [[4, 5]] }, { ids: [[6]] }];
  for await (const { data } of hiddenStates(streamed, batches))
    expect(data.length).toBeGreaterThan(0);
  const { layerCount } = streamed.architecture;
  expect(asked).toEqual(
    Array.from({ length: layerCount }, (_, block) => [block, block, block]).flat(),
  );
  streamed.dispose();
});
