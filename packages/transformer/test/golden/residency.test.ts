import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend, tf } from '@lab/tensor';
import { readSafetensors, writeSafetensors, type WritableArray } from '@lab/tensor/io';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import {
  estimateRun,
  hiddenStates,
  loadModel,
  type LoadModelOptions,
  loadT5,
  type Residency,
  writeRandomCheckpoint,
} from '../../src/index.js';
import { T5Model } from '../../src/t5/t5-model.js';

const checkpoints = join(import.meta.dirname, 'checkpoints');
const ids = [
  [5, 9, 3, 44, 12],
  [7, 2, 61, 8, 30],
];
const places: readonly Residency[] = ['resident', 'host', 'streamed'];
/** For files that are still read: Vitest waits a second, and a busy disk may take longer. */
const patiently = { timeout: 60_000 };

/** A checkpoint with all its weights of another type. */
async function ofType(name: string, dtype: 'bfloat16' | 'float16' | 'float32' | 'float64') {
  const folder = join(temporaryFolder(), name);
  cpSync(join(checkpoints, name), folder, { recursive: true });
  const path = join(folder, 'model.safetensors');
  const { tensors } = await readSafetensors(path);
  const arrays: Record<string, WritableArray> = {};
  for (const [key, { shape, data }] of Object.entries(tensors)) {
    const values = dtype === 'float64' ? Float64Array.from(data, Number) : data;
    arrays[key] = { shape, dtype, data: values };
  }
  await writeSafetensors(path, arrays);
  return folder;
}

/** The same numbers as float32. */
async function widened(folder: string, name: string) {
  const own = join(temporaryFolder(), name);
  cpSync(folder, own, { recursive: true });
  const path = join(own, 'model.safetensors');
  const { tensors } = await readSafetensors(path);
  const arrays = Object.entries(tensors).map(([key, { shape, data }]) => [key, { shape, data }]);
  await writeSafetensors(path, Object.fromEntries(arrays) as Record<string, WritableArray>);
  return own;
}

async function logitsOf(folder: string, residency: Residency): Promise<Float32Array> {
  const isT5 = folder.endsWith('t5-v1.1');
  const model = isT5 ? await loadT5(folder, { residency }) : await loadModel(folder, { residency });
  const decoderIds = [
    [0, 4, 9],
    [0, 8, 2],
  ];
  const result = await (model instanceof T5Model
    ? model.forward({ ids, decoderIds })
    : model.forward({ ids }));
  const values = ((await result.logits!.data()) as Float32Array).slice();
  result.dispose();
  model.dispose();
  return values;
}

beforeAll(async () => {
  await selectBackend('wasm');
});

describe.each(['llama3', 'gpt2', 'phi3', 'falcon-new', 'gemma2', 't5-v1.1'])('%s', (name) => {
  it.each(['bfloat16', 'float16'] as const)(
    'in %s gives what the same numbers in float32 give, wherever they are',
    async (dtype) => {
      const folder = await ofType(name, dtype);
      const wanted = await logitsOf(await widened(folder, name), 'resident');
      const { numTensors } = tf.memory();
      for (const place of places) {
        expect(await logitsOf(folder, place), place).toBeClose(wanted, { atol: 1e-4, rtol: 1e-5 });
      }
      expect(tf.memory().numTensors).toBe(numTensors);
    },
  );
});

it('16 bits stay 16 bits on wasm', async () => {
  const folder = join(temporaryFolder(), 'model');
  const config = { ...{ model_type: 'gpt2', vocab_size: 1000, n_embd: 64, n_layer: 2, n_head: 4 } };
  await writeRandomCheckpoint(folder, config, { dtype: 'bfloat16' });
  const before = tf.memory().numBytes;
  const model = await loadModel(folder, { residency: 'resident' });
  const half = tf.memory().numBytes - before;
  model.dispose();
  await writeRandomCheckpoint(folder, config);
  const own = await loadModel(folder, { residency: 'resident' });
  const whole = tf.memory().numBytes - before;
  own.dispose();
  expect(half / whole).toBeLessThan(0.52);
});

it('the place follows from the budget', async () => {
  const folder = await ofType('llama3', 'float64');
  const size = (await readSafetensors(join(folder, 'model.safetensors'))).tensors;
  const numbers = Object.values(size).reduce((sum, { data }) => sum + data.length, 0);
  const at = async (budgetBytes: number) => {
    const model = await loadModel(folder, { budgetBytes });
    model.dispose();
    return model.residency;
  };
  expect(await at(4 * numbers)).toBe('resident');
  expect(await at(4 * numbers - 1)).toBe('streamed');
  const half = await ofType('llama3', 'bfloat16');
  await selectBackend('cpu');
  const model = await loadModel(half, { budgetBytes: 3.8 * numbers });
  expect(model.residency).toBe('host');
  model.dispose();
  await selectBackend('wasm');
});

it('a budget that cannot be kept is refused with numbers, before anything is read', async () => {
  const folder = join(temporaryFolder(), 'model');
  const sizes = { vocab_size: 1000, n_embd: 256, n_layer: 2, n_head: 4 };
  const config = { model_type: 'gpt2', ...sizes };
  await writeRandomCheckpoint(folder, config);
  // A block has 12 D D + 13 D numbers, of 4 bytes; the next one is read while it runs.
  const block = 4 * (12 * 256 * 256 + 13 * 256);
  const within = await loadModel(folder, { budgetBytes: 2 * block });
  expect(within.residency).toBe('streamed');
  within.dispose();
  const { numTensors } = tf.memory();
  const at = (options: LoadModelOptions) => loadModel(folder, options);
  await expect(at({ budgetBytes: 2 * block - 1 })).rejects.toThrow(
    /streamed weights take 6\.3 MB at once, the budget is 6\.3 MB; one block takes 3\.2 MB/,
  );
  await expect(at({ budgetBytes: 2 * block, residency: 'resident' })).rejects.toThrow(
    /resident weights take 8\.4 MB at once, the budget is 6\.3 MB/,
  );
  await expect(at({ budgetBytes: 1 })).rejects.toMatchObject({ code: 'LAB_CONFIG' });
  const batches = [{ batchSize: 1, length: 2 }];
  const plan = estimateRun(folder, { batches, budgetBytes: 1 });
  await expect(plan).rejects.toThrow('the budget is 1 B');
  expect(tf.memory().numTensors).toBe(numTensors);
});

it('weights that are no numbers are seen on load', async () => {
  const folder = await ofType('llama3', 'float32');
  const path = join(folder, 'model.safetensors');
  const { tensors } = await readSafetensors(path);
  const key = 'model.layers.0.mlp.down_proj.weight';
  const { shape } = tensors[key]!;
  const data = new Float32Array(shape[0]! * shape[1]!).fill(Number.NaN);
  await writeSafetensors(path, { ...tensors, [key]: { shape, data } });
  const { numTensors } = tf.memory();
  await expect(loadModel(folder)).rejects.toThrow('what is inside does not fit together');
  expect(tf.memory().numTensors).toBe(numTensors);
  const model = await loadModel(folder, { validate: 'off' });
  model.dispose();
});

it.each(places)('a load that fails leaves nothing on the backend: %s', async (residency) => {
  const folder = join(temporaryFolder(), 'model');
  cpSync(join(checkpoints, 'llama3'), folder, { recursive: true });
  const path = join(folder, 'model.safetensors');
  const { tensors } = await readSafetensors(path);
  const last = tensors['model.layers.1.mlp.down_proj.weight']!;
  const broken = { shape: last.shape, data: new Int32Array(last.data.length) };
  await writeSafetensors(path, { ...tensors, 'model.layers.1.mlp.down_proj.weight': broken });
  const { numTensors } = tf.memory();
  const run = async () => {
    const model = await loadModel(folder, { residency });
    await model.forward({ ids }).finally(() => model.dispose());
  };
  await expect(run()).rejects.toThrow('down_proj.weight is of type int32');
  expect(tf.memory().numTensors).toBe(numTensors);
});

it('passes that are under way together share the place of a block', async () => {
  const folder = join(checkpoints, 'llama3');
  const wanted = await logitsOf(folder, 'resident');
  const model = await loadModel(folder, { residency: 'streamed' });
  const results = await Promise.all([1, 2, 3].map(() => model.forward({ ids })));
  for (const result of results) {
    expect(((await result.logits!.data()) as Float32Array).slice()).toEqual(wanted);
    result.dispose();
  }
  model.dispose();
});

it('a vocabulary in several strips, and shards, give what one file gives', async () => {
  const config = {
    ...{ model_type: 'gpt2', vocab_size: 20_000, n_embd: 16, n_layer: 2, n_head: 2 },
  };
  const [one, many] = [join(temporaryFolder(), 'one'), join(temporaryFolder(), 'many')];
  await writeRandomCheckpoint(one, config, { dtype: 'bfloat16' });
  await writeRandomCheckpoint(many, config, { dtype: 'bfloat16', shardBytes: 8000 });
  const wanted = await logitsOf(one, 'resident');
  expect(await logitsOf(many, 'streamed')).toEqual(wanted);
  expect(await logitsOf(many, 'host')).toEqual(wanted);
  writeFileSync(join(many, 'config.json'), JSON.stringify({ ...config, n_layer: 3 }));
  await expect(loadModel(many)).rejects.toThrow('missing');
});

it('an estimate tells sizes, and leaves nothing behind', async () => {
  const folder = join(checkpoints, 'llama3');
  const { numTensors } = tf.memory();
  const batches = [
    { batchSize: 2, length: 5 },
    { batchSize: 1, length: 3 },
  ];
  const all = await estimateRun(folder, { batches });
  expect(tf.memory().numTensors).toBe(numTensors);
  expect(all.residency).toBe('resident');
  const none = await estimateRun(folder, { batches, logits: 'none', residency: 'streamed' });
  expect(none.loadSeconds).toBe(0);
  expect(none.runSeconds).toBeGreaterThan(0);
  const lens = await estimateRun(folder, { batches, logits: 'last', outputs: 4, stopBlock: 0 });
  expect(lens.operations).toBe(2 * 4 * 3 * 97 * 24);
  const apart = { batches, logits: 'none', residency: 'streamed', order: 'batches' } as const;
  expect((await estimateRun(folder, apart)).readBytes).toBe(2 * none.readBytes);
  const model = await loadModel(folder);
  const { vocabularySize, width } = model.architecture;
  expect(all.operations - none.operations).toBe(2 * 13 * vocabularySize * width);
  let logits = 0;
  const inputs = [{ ids }, { ids: [[1, 2, 3]] }];
  for await (const states of hiddenStates(model, inputs, { logits: true, positions: 'last' })) {
    if (states.logits === undefined) continue;
    expect(states.layer).toBe(model.architecture.layerCount);
    expect(states.logits.shape).toEqual([inputs[states.batch]!.ids.length, vocabularySize]);
    const result = await model.forward({ ...inputs[states.batch]!, logits: 'last' });
    expect(states.logits.data).toEqual(((await result.logits!.data()) as Float32Array).slice());
    result.dispose();
    logits += 1;
  }
  expect(logits).toBe(2);
  model.dispose();
});

it('a read that fails frees what was read onto the backend', async () => {
  const folder = await ofType('llama3', 'bfloat16');
  const path = join(folder, 'model.safetensors');
  const { tensors } = await readSafetensors(path);
  const arrays = Object.fromEntries(
    Object.entries(tensors).map(([key, { shape, dtype, data }]) => [key, { shape, dtype, data }]),
  ) as Record<string, WritableArray>;
  const key = 'model.layers.1.input_layernorm.weight';
  const { shape } = tensors[key]!;
  await writeSafetensors(path, { ...arrays, [key]: { shape, data: new Int32Array(shape[0]!) } });
  const { numTensors } = tf.memory();
  for (const residency of ['resident', 'streamed'] as const) {
    const run = async () => {
      const model = await loadModel(folder, { residency });
      await model.forward({ ids }).finally(() => model.dispose());
    };
    await expect(run()).rejects.toThrow('is of type int32');
    // Reads that were under way end by themselves.
    await vi.waitFor(() => expect(tf.memory().numTensors).toBe(numTensors), patiently);
  }
  const half = await loadModel(await ofType('llama3', 'float16'), { residency: 'streamed' });
  const begun = await half.forward({ ids, stopBlock: 1, logits: 'none' });
  begun.dispose();
  half.dispose();
  await vi.waitFor(() => expect(tf.memory().numTensors).toBe(numTensors), patiently);
});

it('a pass ends between two blocks where it is asked to, and leaves nothing', async () => {
  const model = await loadModel(join(checkpoints, 'llama3'), { validate: 'full' });
  const { numTensors } = tf.memory();
  const controller = new AbortController();
  const pass = model.forward({ ids, signal: controller.signal });
  controller.abort(new Error('enough'));
  await expect(pass).rejects.toThrow('enough');
  expect(tf.memory().numTensors).toBe(numTensors);
  const change = { kind: 'zero', site: 'z', layer: 0, positions: [5] } as const;
  const outside = model.forward({ ids, interventions: [change] });
  await expect(outside).rejects.toThrow('position 5 of 5 tokens');
  const mask = [
    [1, 2, 1, 1, 1],
    [1, 1, 1, 1, 1],
  ];
  await expect(model.forward({ ids, mask })).rejects.toThrow('mask of text 0, token 1 is 2');
  expect(tf.memory().numTensors).toBe(numTensors);
  model.dispose();
});
