import { join } from 'node:path';
import '@lab/core/testing';
import { selectBackend, tf } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  createGenerationEngine,
  generate,
  type GenerationRequest,
  type HookPoint,
  loadModel,
  loadTokenizer,
  type Residency,
} from '../../src/index.js';

const load = (name: string, residency?: Residency) =>
  loadModel(join(import.meta.dirname, 'checkpoints', name), { residency });
const prompts = [[5, 9, 3], [44, 12, 7, 2, 61, 8, 30], [17]];
const maxNewTokens = 12;
const free = { maxNewTokens, ignoreEos: true } as const;

beforeAll(async () => {
  await selectBackend('wasm');
});

describe('an engine', () => {
  it('gives a text its own tokens, whoever is there with whatever changes', async () => {
    const model = await load('llama3');
    const requests: GenerationRequest[] = prompts.flatMap((prompt, at) => [
      { ...free, prompt, temperature: 1, seed: 3, sample: at },
      { ...free, prompt, interventions: [{ kind: 'zero', site: 'k', layer: 1, head: 1 }] },
      { ...free, prompt, temperature: 0.7, topK: 20, topP: 0.9, seed: 'x' },
      { ...free, prompt, interventions: [{ kind: 'mean', site: 'z', layer: 0 }] },
    ]);
    const idsOf = async (given: readonly GenerationRequest[], maxRows: number) => {
      const engine = createGenerationEngine(model, { maxRows, prefillTokens: 3 });
      const streams = given.map((request) => engine.submit(request));
      const results = await Promise.all(streams.map(({ result }) => result));
      await engine.dispose();
      return results.map(({ ids }) => ids);
    };
    const alone = await idsOf(requests, 1);
    expect(await idsOf(requests, 5)).toEqual(alone);
    expect((await idsOf(requests.toReversed(), 12)).toReversed()).toEqual(alone);
    expect(new Set(alone.map(String)).size).toBeGreaterThan(prompts.length);
    model.dispose();
  });

  it('streams tokens, and lets a text enter while another goes on', async () => {
    const model = await load('gpt2');
    const engine = createGenerationEngine(model, { maxRows: 2 });
    const first = engine.submit({ ...free, prompt: prompts[0]! });
    let second: ReturnType<typeof engine.submit> | undefined;
    const ids: number[] = [];
    for await (const { id } of first) {
      ids.push(id);
      if (ids.length === 3) second = engine.submit({ ...free, prompt: prompts[1]! });
      if (ids.length === 6) expect(engine.load).toMatchObject({ activeRows: 2 });
    }
    expect(ids).toEqual((await first.result).ids);
    const [alone] = await generate(model, [prompts[1]!], free);
    expect((await second!.result).ids).toEqual(alone!.ids);
    await engine.dispose();
    model.dispose();
  });

  it('frees the row of an aborted text: by signal, call, or the end of its loop', async () => {
    const model = await load('mistral');
    const { numTensors } = tf.memory();
    const engine = createGenerationEngine(model, { maxRows: 1, contextTokens: 1000 });
    const stop = new AbortController();
    const long = { ...free, maxNewTokens: 400 };
    const first = engine.submit({ ...long, prompt: prompts[0]!, signal: stop.signal });
    const second = engine.submit({ ...long, prompt: prompts[1]! });
    const waiting = engine.submit({ ...long, prompt: prompts[2]! });
    for await (const { id } of first) {
      expect(id).toBeGreaterThanOrEqual(0);
      stop.abort();
    }
    expect(await first.result).toMatchObject({ finishReason: 'aborted', stoppedBy: null });
    waiting.abort();
    expect(await waiting.result).toMatchObject({ finishReason: 'aborted', ids: [] });
    for await (const _ of second) break;
    expect((await second.result).finishReason).toBe('aborted');
    const last = await engine.submit({ ...free, prompt: prompts[2]! }).result;
    expect(last.finishReason).toBe('length');
    await engine.dispose();
    expect(engine.load).toMatchObject({ activeRows: 0, waitingRequests: 0, cachedBytes: 0 });
    expect(tf.memory().numTensors).toBe(numTensors);
    expect(() => engine.submit({ prompt: [1] })).toThrow('this engine is disposed');
    model.dispose();
  });

  it('fails one text by its hook, and no other', async () => {
    const model = await load('llama3');
    const { numTensors } = tf.memory();
    const engine = createGenerationEngine(model);
    const hooks = [
      {
        names: 'blocks.1.hook_resid_post',
        run: (_: tf.Tensor, { step }: HookPoint) => {
          if (step === 4) throw new Error('enough');
        },
      },
    ];
    const bad = engine.submit({ ...free, prompt: prompts[0]!, hooks });
    const good = engine.submit({ ...free, prompt: prompts[1]! });
    await expect(bad.result).rejects.toThrow('enough');
    const [alone] = await generate(model, [prompts[1]!], free);
    expect((await good.result).ids).toEqual(alone!.ids);
    await engine.dispose();
    expect(engine.load.cachedBytes).toBe(0);
    expect(tf.memory().numTensors).toBe(numTensors);
    model.dispose();
  });

  it('tells hooks the step and where its tokens stand', async () => {
    const model = await load('llama3');
    const seen: (number | undefined)[][] = [];
    const hooks = [
      {
        names: 'blocks.0.hook_resid_pre',
        run: (value: tf.Tensor, { step, start }: HookPoint) => {
          seen.push([step, start, value.shape[1]]);
        },
      },
    ];
    await generate(model, [prompts[1]!], { ...free, maxNewTokens: 3, hooks, prefillTokens: 4 });
    expect(seen).toEqual([
      [0, 0, 4],
      [0, 4, 3],
      [1, 7, 1],
      [2, 8, 1],
    ]);
    model.dispose();
  });

  it('tells log-probabilities of the most probable tokens', async () => {
    const model = await load('qwen3');
    const [found] = await generate(model, [prompts[0]!], { ...free, topLogprobs: 3 });
    const result = await model.forward({ ids: [prompts[0]!], logits: 'last' });
    const logits = Array.from((await result.logits!.data()) as Float32Array);
    result.dispose();
    const sum = logits.reduce((all, value) => all + Math.exp(value), 0);
    const wanted = logits
      .map((value, id) => ({ id, logprob: value - Math.log(sum) }))
      .toSorted((a, b) => b.logprob - a.logprob)
      .slice(0, 3);
    const { id, logprob, topLogprobs } = found!.events[0]!;
    expect(topLogprobs!.map((one) => one.id)).toEqual(wanted.map((one) => one.id));
    expect(topLogprobs!.map((one) => one.logprob)).toBeClose(
      wanted.map((one) => one.logprob),
      { atol: 1e-4, rtol: 0 },
    );
    expect(topLogprobs![0]).toEqual({ id, logprob });
    model.dispose();
  });

  it('takes padding away', async () => {
    const model = await load('gemma3');
    const ids = prompts.map((row) => [...Array.from({ length: 7 - row.length }, () => 0), ...row]);
    const mask = ids.map((row, text) =>
      row.map((_, at) => (at < 7 - prompts[text]!.length ? 0 : 1)),
    );
    const [padded, plain] = [
      await generate(model, { ids, mask }, free),
      await generate(model, prompts, free),
    ];
    expect(padded.map((one) => one.ids)).toEqual(plain.map((one) => one.ids));
    model.dispose();
  });

  it.each(['resident', 'host', 'streamed'] as const)(
    'works with weights that are %s',
    async (place) => {
      const [model, resident] = [await load('qwen2', place), await load('qwen2', 'resident')];
      const { numTensors } = tf.memory();
      const found = await generate(model, prompts, free);
      const wanted = await generate(resident, prompts, free);
      expect(found.map(({ ids }) => ids)).toEqual(wanted.map(({ ids }) => ids));
      if (place === 'resident') expect(tf.memory().numTensors).toBe(numTensors);
      model.dispose();
      resident.dispose();
    },
  );

  it('keeps no more of a text than its windows, where every block has one', async () => {
    const model = await load('mistral');
    const engine = createGenerationEngine(model, { contextTokens: 303 });
    const stream = engine.submit({ ...free, prompt: prompts[0]!, maxNewTokens: 300 });
    const sizes = new Set<number>();
    for await (const _ of stream) sizes.add(engine.load.cachedBytes);
    const { layerCount, keyValueHeadCount, headWidth } = model.architecture;
    const most = 2 * 4 * layerCount * keyValueHeadCount * headWidth * 192;
    expect(Math.max(...sizes)).toBeLessThanOrEqual(most);
    await engine.dispose();
    model.dispose();
  });

  it.each([
    [{ temperature: -1 }, 'temperature is -1'],
    [{ topP: 0 }, 'topP is 0, expected above 0, at most 1'],
    [{ topK: 1.5 }, 'topK is 1.5'],
    [{ maxNewTokens: 0 }, 'maxNewTokens is 0'],
    [{ stop: ['a'] }, 'stop texts need a tokenizer'],
    [{ prompt: 'a' }, 'a prompt that is a text needs a tokenizer'],
    [{ prompt: [] }, 'a prompt has no tokens'],
    [{ prompt: [97] }, 'has the id 97, the vocabulary has 97'],
    [{ maxNewTokens: 23 }, '3 tokens and 23 new ones are more than the 24 places of the model'],
    [{ interventions: [{ kind: 'zero', site: 'z', layer: 9 }] }, 'layer is 9'],
    [{ hooks: [{ names: 'blocks.0.hook_nothing', run: () => undefined }] }, 'there is no place'],
  ])('refuses %j', async (wrong, message) => {
    const model = await load('gpt2');
    const engine = createGenerationEngine(model);
    const request = { ...{ prompt: prompts[0]! }, ...wrong } as GenerationRequest;
    expect(() => engine.submit(request)).toThrow(message);
    await engine.dispose();
    model.dispose();
  });

  it('refuses a text that would never fit, and lets others wait for room', async () => {
    const model = await load('llama3');
    const engine = createGenerationEngine(model, { maxCachedTokens: 20 });
    const wrong = () => engine.submit({ ...free, prompt: prompts[1]!, maxNewTokens: 14 });
    expect(wrong).toThrow('7 tokens and 14 new ones are more than the 20 that are kept together');
    const streams = prompts.map((prompt) => engine.submit({ ...free, prompt }));
    let most = 0;
    for await (const _ of streams[0]!) most = Math.max(most, engine.load.activeRows);
    expect(most).toBe(1);
    const ends = await Promise.all(streams.map(({ result }) => result));
    expect(ends.map(({ finishReason }) => finishReason)).toEqual(['length', 'length', 'length']);
    await engine.dispose();
    model.dispose();
  });

  it('ends at a stop text, and keeps what stands before it', async () => {
    const model = await load('llama3');
    const folder = join(import.meta.dirname, 'tokenizers/gpt2');
    const tokenizer = loadTokenizer(folder);
    const options = { ...free, tokenizer, maxNewTokens: 40 };
    const [plain] = await generate(model, [prompts[1]!], options);
    const { text } = plain!;
    expect(text.length).toBeGreaterThan(20);
    expect(plain!.events.map((event) => event.text).join('')).toBe(text);
    const stop = text.slice(12, 16);
    const [found] = await generate(model, [prompts[1]!], { ...options, stop: ['\u0000', stop] });
    expect(found).toMatchObject({ finishReason: 'stop', stoppedBy: stop });
    expect(found!.text).toBe(text.slice(0, text.indexOf(stop)));
    expect(found!.events.map((event) => event.text).join('')).toBe(found!.text);
    expect(found!.ids).toEqual(plain!.ids.slice(0, found!.ids.length));
    model.dispose();
  });
});
