import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { readSafetensors, type WritableArray, writeSafetensors } from '@lab/tensor/io';
import { beforeAll, expect, it } from 'vitest';
import { estimateRun, loadModel, loadT5 } from '../../src/index.js';
import { farthest, idRows } from './golden-files.js';

const checkpoints = join(import.meta.dirname, 'checkpoints');

beforeAll(async () => {
  await selectBackend('wasm');
});

it('a tower for pictures, and masks that are no weights, count for nothing', async () => {
  const folder = join(temporaryFolder(), 'model');
  cpSync(join(checkpoints, 'gemma3-wrapped'), folder, { recursive: true });
  const path = join(folder, 'model.safetensors');
  const { tensors } = await readSafetensors(path);
  const before = await loadModel(folder);
  const { sizeBytes, parameterCount } = before.parts.checkpoint;
  before.dispose();
  const tower = { shape: [1000, 100], data: new Float32Array(100_000) };
  const names = ['vision_tower.encoder.layers.0.fc1.weight', 'multi_modal_projector.weight'];
  const more = Object.fromEntries(names.map((name) => [name, tower]));
  await writeSafetensors(path, { ...tensors, ...more } as Record<string, WritableArray>);
  // What the language part takes at once, streamed, is far less than the tower.
  const model = await loadModel(folder, { budgetBytes: sizeBytes });
  expect(model.residency).toBe('resident');
  expect(model.parts.checkpoint).toMatchObject({ sizeBytes, parameterCount });
  model.dispose();
  const batches = [{ batchSize: 1, length: 4 }];
  expect((await estimateRun(folder, { batches })).readBytes).toBe(sizeBytes);
});

type Arrays = Record<string, WritableArray>;

/** A copy of a checkpoint with other arrays. */
async function withArrays(name: string, change: (arrays: Arrays) => Arrays): Promise<string> {
  const folder = join(temporaryFolder(), 'model');
  cpSync(join(checkpoints, name), folder, { recursive: true });
  const path = join(folder, 'model.safetensors');
  const { tensors } = await readSafetensors(path);
  await writeSafetensors(path, change(tensors as Arrays));
  return folder;
}

it('an output of GPT-NeoX may have the name that other families have for it', async () => {
  const folder = await withArrays('gpt-neox', ({ 'embed_out.weight': output, ...others }) => ({
    ...others,
    'lm_head.weight': output!,
  }));
  const { tensors } = await readSafetensors(join(folder, 'golden.safetensors'));
  const [ids, mask] = [idRows(tensors['ids']!), idRows(tensors['mask']!)];
  const model = await loadModel(folder);
  const result = await model.forward({ ids, mask });
  const found = (await result.logits!.data()) as Float32Array;
  const wanted = tensors['logits']!.data as Float32Array;
  expect(farthest(found, wanted, mask)).toBeLessThan(1e-4);
  result.dispose();
  model.dispose();
});

it('embeddings of one side of a T5 may be there, but not others than those of both', async () => {
  const own = 'decoder.embed_tokens.weight';
  const same = await withArrays('t5', (all) => ({ ...all, [own]: all['shared.weight']! }));
  (await loadT5(same)).dispose();
  const torn = await withArrays('t5', (all) => {
    const { shape, data } = all['shared.weight']!;
    const values = Float32Array.from(data as Float32Array);
    values[values.length - 1]! += 1e-3;
    return { ...all, [own]: { shape, data: values } };
  });
  await expect(loadT5(torn)).rejects.toThrow(`${own} is not shared.weight`);
  const short = await withArrays('t5', (all) => ({
    ...all,
    [own]: { shape: [1], data: Float32Array.of(0) },
  }));
  await expect(loadT5(short)).rejects.toThrow(`${own} is not shared.weight`);
});
