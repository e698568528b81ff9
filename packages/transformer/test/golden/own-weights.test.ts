import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { readSafetensors, type WritableArray, writeSafetensors } from '@lab/tensor/io';
import { beforeAll, expect, it } from 'vitest';
import { estimateRun, loadModel } from '../../src/index.js';

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
