import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { beforeAll, expect, it } from 'vitest';
import {
  createGenerationEngine,
  generate,
  loadModel,
  writeRandomCheckpoint,
} from '../../src/index.js';

const load = (name: string) => loadModel(join(import.meta.dirname, 'checkpoints', name));
const free = { maxNewTokens: 12, ignoreEos: true } as const;

beforeAll(async () => {
  await selectBackend('wasm');
});

it('gives a text the same bits, beside however many others', async () => {
  const folder = join(temporaryFolder(), 'model');
  const sizes = { hidden_size: 48, intermediate_size: 100, num_attention_heads: 4 };
  await writeRandomCheckpoint(
    folder,
    { model_type: 'llama', vocab_size: 203, num_hidden_layers: 2, ...sizes },
    { dtype: 'bfloat16' },
  );
  const model = await loadModel(folder);
  const lengths = [3, 40, 17, 16, 1, 9, 30, ...Array.from({ length: 15 }, (_, at) => 2 + (at % 5))];
  const texts = lengths.map((length, text) =>
    Array.from({ length }, (_, at) => (31 * text + 7 * at + 3) % 203),
  );
  const options = { ...free, maxNewTokens: 5, logprobs: true, topLogprobs: 5 };
  const logprobsOf = async (prompt: number[]) =>
    (await generate(model, [prompt], options))[0]!.events.map(({ topLogprobs }) => topLogprobs);
  const alone: unknown[] = [];
  for (const text of texts) alone.push(await logprobsOf(text));
  const together = await generate(model, texts, { ...options, maxRows: 22 });
  for (const [at, { events }] of together.entries()) {
    expect(events.map(({ topLogprobs }) => topLogprobs)).toEqual(alone[at]);
  }
  model.dispose();
});

it('has an end where rotary positions lose their sense, unless more is asked for', async () => {
  const model = await load('llama');
  expect(model.architecture.contextTokens).toBe(64);
  const request = { ...free, prompt: [5, 9, 3], maxNewTokens: 62 };
  const refused = 'more than the 64 places of the model';
  await expect(generate(model, [[5, 9, 3]], request)).rejects.toThrow(refused);
  const [longer] = await generate(model, [[5, 9, 3]], { ...request, contextTokens: 65 });
  expect(longer!.ids).toHaveLength(62);
  const { maxNewTokens: _, ...unbounded } = request;
  const [room] = await generate(model, [[5, 9, 3]], unbounded);
  expect(longer!.ids.slice(0, 61)).toEqual(room!.ids);
  expect(() => createGenerationEngine(model, { contextTokens: 0 })).toThrow('contextTokens is 0');
  model.dispose();
  const learned = await load('gpt2');
  const engine = createGenerationEngine(learned, { contextTokens: 100 });
  expect(engine.contextTokens).toBe(24);
  await engine.dispose();
  learned.dispose();
});
