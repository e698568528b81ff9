import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import '@lab/core/testing';
import { selectBackend, tf } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { generateT5, loadT5 } from '../../src/index.js';

interface Greedy {
  readonly ids: number[];
  readonly new: number[];
  readonly logprobs: number[];
}

interface Searched {
  readonly ids: number[];
  readonly stopIds: number[];
  readonly maxNewTokens: number;
  readonly numBeams: number;
  readonly lengthPenalty: number;
  readonly earlyStopping: boolean | 'never';
  readonly beams: { readonly new: number[]; readonly score: number }[];
}

const path = join(import.meta.dirname, 'generation.json');
const golden = JSON.parse(readFileSync(path, 'utf8')) as Record<
  string,
  { readonly texts: (Greedy | Searched)[] }
>;
const load = (name: string) => loadT5(join(import.meta.dirname, 'checkpoints', name));
/** Both sum in float32, in another order; scores are sums of up to 12. */
const CLOSE = { atol: 5e-4, rtol: 0 };

beforeAll(async () => {
  await selectBackend('wasm');
});

describe.each(['t5', 't5-v1.1'])('%s', (name) => {
  const greedy = golden[name]!.texts.filter((text): text is Greedy => 'new' in text);
  const searched = golden[name]!.texts.filter((text): text is Searched => 'beams' in text);

  it('writes what transformers writes, one by one and together', async () => {
    const model = await load(name);
    const { numTensors } = tf.memory();
    const options = { ignoreEos: true, logprobs: true };
    for (const text of greedy) {
      const maxNewTokens = text.new.length;
      const [found] = await generateT5(model, [text.ids], { ...options, maxNewTokens });
      expect(found!.ids).toEqual(text.new);
      const logprobs = found!.events.map(({ logprob }) => logprob!);
      expect(logprobs).toBeClose(text.logprobs, { atol: 1e-4, rtol: 0 });
    }
    const maxNewTokens = greedy[0]!.new.length;
    const inputs = greedy.map(({ ids }) => ids);
    const together = await generateT5(model, inputs, { ...options, maxNewTokens });
    expect(together.map(({ ids }) => ids)).toEqual(greedy.map((text) => text.new));
    expect(together.map(({ usage }) => usage.promptTokens)).toEqual(
      inputs.map((one) => one.length),
    );
    expect(tf.memory().numTensors).toBe(numTensors);
    model.dispose();
  });

  it('finds the beams of transformers, with their scores', async () => {
    const model = await load(name);
    const { numTensors } = tf.memory();
    for (const { ids, beams, ...options } of searched) {
      const [found] = await generateT5(model, [ids], options);
      const what = JSON.stringify(options);
      expect(
        found!.beams!.map((beam) => beam.ids),
        what,
      ).toEqual(beams.map((beam) => beam.new));
      const scores = found!.beams!.map(({ score }) => score);
      expect(scores).toBeClose(
        beams.map(({ score }) => score),
        CLOSE,
      );
    }
    const { ids: _, beams: __, ...options } = searched[0]!;
    const alike = searched.filter(
      (one) =>
        one.stopIds.join() === options.stopIds.join() &&
        one.numBeams === options.numBeams &&
        one.lengthPenalty === options.lengthPenalty &&
        one.earlyStopping === options.earlyStopping,
    );
    expect(alike.length).toBeGreaterThan(1);
    const together = await generateT5(
      model,
      alike.map(({ ids }) => ids),
      options,
    );
    expect(together.map(({ ids }) => ids)).toEqual(alike.map(({ beams }) => beams[0]!.new));
    expect(tf.memory().numTensors).toBe(numTensors);
    model.dispose();
  });

  it('refuses what does not go together', async () => {
    const model = await load(name);
    const asked = generateT5(model, [[5]], { numBeams: 2, temperature: 1, logprobs: true });
    await expect(asked).rejects.toThrow('temperature, logprobs and 2 beams do not go together');
    const none = generateT5(model, [[5]], { numBeams: 0 });
    await expect(none).rejects.toThrow('numBeams is 0');
    model.dispose();
  });
});
