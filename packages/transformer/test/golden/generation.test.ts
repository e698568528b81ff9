import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import '@lab/core/testing';
import { selectBackend, tf } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { createGenerationEngine, generate, loadModel } from '../../src/index.js';

interface Text {
  readonly ids: number[];
  readonly new: number[];
  readonly logprobs: number[];
}

interface Golden {
  readonly texts: Text[];
  readonly stopped: {
    readonly ids: number[];
    readonly stopIds: number[];
    readonly minNewTokens: number;
    readonly maxNewTokens: number;
    readonly new: number[];
  };
  readonly uncached?: number[][];
}

const path = join(import.meta.dirname, 'generation.json');
const golden = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Golden>;
const decoders = Object.keys(golden).filter((name) => !name.startsWith('t5'));
const load = (name: string) => loadModel(join(import.meta.dirname, 'checkpoints', name));
/** Both sum in float32, in another order. */
const CLOSE = { atol: 1e-4, rtol: 0 };

beforeAll(async () => {
  await selectBackend('wasm');
});

describe.each(decoders)('%s', (name) => {
  const { texts, stopped, uncached } = golden[name]!;

  it('continues texts as transformers does, one by one and together', async () => {
    const model = await load(name);
    const { numTensors } = tf.memory();
    const options = { ignoreEos: true, logprobs: true };
    for (const text of texts) {
      const [found] = await generate(model, [text.ids], {
        ...options,
        maxNewTokens: text.new.length,
      });
      expect(found!.ids).toEqual(text.new);
      expect(found!.finishReason).toBe('length');
      const logprobs = found!.events.map(({ logprob }) => logprob!);
      expect(logprobs).toBeClose(text.logprobs, CLOSE);
    }
    // Long prompts in parts; a text enters when another has left.
    const engine = createGenerationEngine(model, { maxRows: 2, prefillTokens: 4 });
    const streams = texts.map(({ ids, new: { length } }) =>
      engine.submit({ ...options, prompt: ids, maxNewTokens: length }),
    );
    const together = await Promise.all(streams.map(({ result }) => result));
    expect(together.map(({ ids }) => ids)).toEqual(texts.map((text) => text.new));
    await engine.dispose();
    expect(engine.load.cachedBytes).toBe(0);
    expect(tf.memory().numTensors).toBe(numTensors);
    model.dispose();
  });

  it('gives the same without keys and values kept', async () => {
    const model = await load(name);
    const [text] = texts;
    const options = { ignoreEos: true, useCache: false, maxNewTokens: text!.new.length };
    const [found] = await generate(model, [text!.ids], options);
    expect(found!.ids).toEqual(uncached?.[0] ?? text!.new);
    model.dispose();
  });

  it('ends at the first stop id that may be taken', async () => {
    const model = await load(name);
    const { ids, new: wanted, ...options } = stopped;
    const [found] = await generate(model, [ids], options);
    expect(found!.ids).toEqual(wanted);
    expect(found!.finishReason).toBe(stopped.stopIds.includes(wanted.at(-1)!) ? 'stop' : 'length');
    model.dispose();
  });
});
