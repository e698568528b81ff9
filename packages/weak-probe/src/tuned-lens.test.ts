import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { writeSafetensors } from '@lab/tensor/io';
import { expectNoLeak } from '@lab/tensor/testing';
import { loadModel, type Model } from '@lab/transformer';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { organism, organismPrompts } from './__fixtures__/organism.js';
import { lensStates } from './lens.js';
import { lastTokenStates, type StateRows } from './state-rows.js';
import { trainTunedLens } from './tuned-lens.js';
import { readTunedLens, translatedRows, writeTunedLens } from './tuned-lens-file.js';

let model: Model;
let rows: StateRows;
const options = { modelFingerprint: 'organism', states: [3], steps: 40, batchSize: 32 };

beforeAll(async () => {
  await selectBackend('wasm');
  model = await loadModel(organism);
  const { prompts } = await organismPrompts(24, ['data.format=chat']);
  rows = await lastTokenStates(model, prompts);
});
afterAll(() => model.dispose());

it('brings a state nearer to what the model says', async () => {
  const lens = await trainTunedLens(model, rows, options);
  const [translator] = lens.translators;
  expect(translator!.after).toBeLessThan(0.5 * translator!.before);
  const again = await trainTunedLens(model, rows, options);
  expect(again.translators[0]!.weight).toEqual(translator!.weight);
  const best = async (given: StateRows, state: number) => {
    for await (const { ids } of lensStates(model, given, { states: [state], top: 1 })) return ids;
    throw new Error('no state');
  };
  const end = await best(rows, 5);
  const same = (ids: Int32Array) => ids.filter((id, row) => id === end[row]).length;
  const tuned = same(await best(translatedRows(lens, rows), 3));
  expect(tuned).toBeGreaterThan(same(await best(rows, 3)));
  expect(await best(translatedRows(lens, rows), 5)).toEqual(end);
});

it('is the same from a file', async () => {
  const lens = await trainTunedLens(model, rows, { ...options, steps: 2 });
  const path = join(temporaryFolder(), 'lens.safetensors');
  await writeTunedLens(path, lens);
  expect(await readTunedLens(path)).toEqual(lens);
  writeFileSync(path, 'x');
  await expect(readTunedLens(path)).rejects.toThrow(/lens\.safetensors/);
});

it('is refused with its path where header or matrices are damaged', async () => {
  const path = join(temporaryFolder(), 'lens.safetensors');
  const bias = { shape: [2], data: new Float32Array(2) };
  const write = (header: string, arrays: Record<string, typeof bias>) =>
    writeSafetensors(path, arrays, { 'tuned-lens': header });
  await write('{', { '3.bias': bias });
  await expect(readTunedLens(path)).rejects.toThrow(/lens\.safetensors: is no tuned lens/);
  const translators = [{ state: 3, before: 1, after: 0 }];
  const size = { width: 2, stateCount: 6 };
  const header = { schemaVersion: 1, modelFingerprint: 'organism', ...size, translators };
  await write(JSON.stringify(header), { '3.bias': bias });
  const missing = await readTunedLens(path).catch((error: unknown) => error);
  expect(missing).toBeInstanceOf(DataError);
  expect((missing as DataError).message).toMatch(/lens\.safetensors: 3\.weight is missing/);
  await write(JSON.stringify(header), { '3.bias': bias, '3.weight': bias });
  await expect(readTunedLens(path)).rejects.toThrow(/3\.weight has 2 numbers, .* has 4/);
});

it('keeps nothing on the backend, and refuses settings out of range', async () => {
  await expectNoLeak(() => trainTunedLens(model, rows, { ...options, steps: 2 }));
  await expect(trainTunedLens(model, rows, { ...options, steps: 0 })).rejects.toThrow(/steps is 0/);
  await expect(trainTunedLens(model, rows, { ...options, states: [5] })).rejects.toThrow(/state 5/);
});
