import { join } from 'node:path';
import { selectBackend } from '@lab/tensor';
import { exampleModel, loadModel, loadTokenizer, readPromptData } from '@lab/transformer';
import { beforeAll, expect, it } from 'vitest';
import { guardProbability } from './guard.js';

const folder = exampleModel('planted-grouped');

beforeAll(async () => {
  await selectBackend('wasm');
});

it('is the probability that the answer begins with a word', async () => {
  const loaded = { model: await loadModel(folder), tokenizer: loadTokenizer(folder) };
  const { records } = await readPromptData(join(folder, 'prompts.csv'));
  const first = (label: string) => records.find((one) => one.label === label)!.prompt;
  // The model says Sorry where a guard says unsafe.
  const guard = guardProbability(loaded, { unsafe: 'Sorry', question: '<s>{prompt}{response}' });
  expect(await guard(first('refused'), '')).toBeGreaterThan(0.5);
  expect(await guard(first('answered'), '')).toBeLessThan(0.5);
  const chat = guardProbability(loaded, { unsafe: 'Sorry' });
  const value = await chat(first('refused'), 'Sure');
  expect(value).toBeGreaterThanOrEqual(0);
  expect(value).toBeLessThanOrEqual(1);
  expect(() => guardProbability(loaded, { unsafe: 'qqqq' })).toThrow(/no token of the guard model/);
  loaded.model.dispose();
});
