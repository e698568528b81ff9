/**
 * Continuations on the backends that are not the default one.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import '@lab/core/testing';
import { requireCondition } from '@lab/core/testing';
import { type BackendChoice, selectBackend, tf } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { generate, generateT5, loadModel, loadT5 } from '../../src/index.js';

interface Text {
  readonly ids: number[];
  readonly new: number[];
  readonly logprobs: number[];
}

const golden = join(import.meta.dirname, '../golden');
const all = JSON.parse(readFileSync(join(golden, 'generation.json'), 'utf8')) as Record<
  string,
  { readonly texts: (Partial<Text> & Pick<Text, 'ids'>)[] }
>;
const textsOf = (name: string) => all[name]!.texts.filter((one): one is Text => 'new' in one);
/** Both sum in float32, in another order. */
const CLOSE = { atol: 1e-4, rtol: 0 };
/** One of each kind of positions, windows, caps and shared keys. */
const names = ['gpt2', 'llama3', 'mistral', 'gemma2', 'falcon-alibi', 'phi3-longrope'];

// What was set up on this machine is taken when it is asked for.
process.env['LAB_TENSOR_HOME'] = process.env['LAB_SETUP_HOME'];
const isThere = (backend: BackendChoice) =>
  selectBackend(backend).then(
    () => true,
    () => false,
  );
const hasTensorflow = requireCondition('tensorflow', await isThere('tensorflow'));

for (const backend of ['cpu', 'tensorflow'] as const) {
  const isAbsent = backend === 'tensorflow' && !hasTensorflow;
  describe.skipIf(isAbsent)(`continuations on ${backend} (needs ${backend})`, () => {
    beforeAll(async () => {
      await selectBackend(backend);
    });

    it.each(names)('of %s are those of transformers', async (name) => {
      const model = await loadModel(join(golden, 'checkpoints', name), { validate: 'full' });
      const texts = textsOf(name);
      const { numTensors } = tf.memory();
      const options = { ignoreEos: true, logprobs: true, prefillTokens: 4 };
      for (const text of texts) {
        const maxNewTokens = text.new.length;
        const [found] = await generate(model, [text.ids], { ...options, maxNewTokens });
        expect(found!.ids).toEqual(text.new);
        const logprobs = found!.events.map(({ logprob }) => logprob!);
        expect(logprobs).toBeClose(text.logprobs, CLOSE);
      }
      expect(tf.memory().numTensors).toBe(numTensors);
      model.dispose();
    });

    it('of a T5 are those of transformers', async () => {
      const model = await loadT5(join(golden, 'checkpoints/t5-v1.1'), { validate: 'full' });
      const texts = textsOf('t5-v1.1');
      const maxNewTokens = texts[0]!.new.length;
      const inputs = texts.map(({ ids }) => ids);
      const found = await generateT5(model, inputs, { maxNewTokens, ignoreEos: true });
      expect(found.map(({ ids }) => ids)).toEqual(texts.map((text) => text.new));
      model.dispose();
    });
  });
}
