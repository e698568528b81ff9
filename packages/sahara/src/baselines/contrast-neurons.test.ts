import { join } from 'node:path';
import { ModelError } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend, tf } from '@lab/tensor';
import {
  editCheckpoint,
  exampleModel,
  loadModel,
  loadTokenizer,
  type Model,
  writeRandomCheckpoint,
} from '@lab/transformer';
import { beforeAll, describe, expect, it } from 'vitest';
import { configs, randomPrompts, smallModel } from '../__fixtures__/small-models.js';
import { baselines } from '../baselines.js';
import { generateResponses, type Response } from '../generation.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const rows = randomPrompts([9, 6], 3).map(({ ids }) => ({ ids, from: 2 }));

/** A random checkpoint, and the same with some rows of one matrix changed. */
async function changedPair(neurons: readonly number[]): Promise<readonly [Model, Model]> {
  const from = join(temporaryFolder(), 'from');
  await writeRandomCheckpoint(from, configs.qwen2);
  const to = join(temporaryFolder(), 'to');
  await editCheckpoint(from, to, {
    change: (name, { shape }) => {
      if (name !== 'model.layers.2.mlp.up_proj.weight') return null;
      const [, inputs] = shape as [number, number];
      return (numbers) => {
        const values = numbers as Float32Array;
        for (const neuron of neurons) {
          for (let at = 0; at < inputs; at += 1) values[neuron * inputs + at]! *= -1;
        }
        return values;
      };
    },
    metadata: (before) => before,
  });
  return [await loadModel(from), await loadModel(to)];
}

describe('contrastNeurons', () => {
  it('finds the neurons that differ, and says how far', async () => {
    const [model, other] = await changedPair([5, 40]);
    const before = tf.memory().numTensors;
    const scores = await baselines.contrastNeurons(model, other, rows);
    expect(tf.memory().numTensors).toBe(before);
    expect(scores.map((row) => row.length)).toEqual([64, 64, 64]);
    const found = scores.flatMap((row, layer) =>
      Array.from(row).flatMap((score, neuron) => (score > 1e-6 ? [{ layer, neuron }] : [])),
    );
    expect(found).toEqual([
      { layer: 2, neuron: 5 },
      { layer: 2, neuron: 40 },
    ]);
    // The sign of what comes up is turned: the difference is twice the activation.
    let [sum, count] = [0, 0];
    for (const { ids, from } of rows) {
      const result = await model.forward({ ids: [ids], capture: 'blocks.2.mlp.hook_post' });
      result.dispose();
      const { data } = result.captured.get('blocks.2.mlp.hook_post')!;
      for (let token = from - 1; token < ids.length - 1; token += 1) {
        sum += (2 * data[token * 64 + 5]!) ** 2;
        count += 1;
      }
    }
    expect(scores[2]![5]).toBeCloseTo(Math.sqrt(sum / count), 5);
    expect(new Set(baselines.topNeurons(scores, 2 / 192).map(({ neuron }) => neuron))).toEqual(
      new Set([5, 40]),
    );
    expect(baselines.topNeurons(scores, 0)).toEqual([]);
    expect(() => baselines.topNeurons(scores, 2)).toThrow(/share is 2/);
    model.dispose();
    other.dispose();
  });

  it('refuses models of other sizes, and no text', async () => {
    const [a, b] = [await smallModel('qwen2'), await loadModel(exampleModel('planted-early'))];
    await expect(baselines.contrastNeurons(a, b, rows)).rejects.toThrow(/3 layers of width 32 and/);
    await expect(baselines.contrastNeurons(a, a, [])).rejects.toThrow(/no text/);
    a.dispose();
    b.dispose();
  });

  it.each([
    [{ intermediate_size: 48 }, /have 64 neurons in a layer and 48 neurons/],
    [{ vocab_size: 60 }, /tokens in their vocabularies and 60 tokens/],
  ])(
    'refuses models that differ within a layer or in their tokens: %j',
    async (change, message) => {
      const folder = join(temporaryFolder(), 'other');
      await writeRandomCheckpoint(folder, { ...configs.qwen2, ...change });
      const [a, b] = [await smallModel('qwen2'), await loadModel(folder)];
      const error = await baselines.contrastNeurons(a, b, rows).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(ModelError);
      expect((error as Error).message).toMatch(message);
      a.dispose();
      b.dispose();
    },
  );
});

describe('patchedResponses', () => {
  it('are those of the model without neurons, and with its own activations', async () => {
    const folder = exampleModel('planted-grouped');
    const [model, tokenizer] = [await loadModel(folder), loadTokenizer(folder)];
    const records = [
      { id: 'a', prompt: 'I would like to polish the bell.' },
      { id: 'b', prompt: 'Please paint the drum.' },
    ];
    const common = { format: 'direct', maxNewTokens: 8 } as const;
    const wanted: string[] = [];
    const texts: string[][] = [[], []];
    for await (const { text } of generateResponses({ model, tokenizer }, records, common)) {
      wanted.push(text);
    }
    const before = tf.memory().numTensors;
    const some = [
      { layer: 0, neuron: 1 },
      { layer: 1, neuron: 0 },
    ];
    for (const [at, neurons] of [[], some].entries()) {
      const made = baselines.patchedResponses({ model, tokenizer }, records, {
        ...{ ...common, donor: model, neurons },
      });
      for await (const { text } of made) texts[at]!.push(text);
    }
    expect(texts).toEqual([wanted, wanted]);
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  it('to a prompt with too many tokens are those of the model, which is cut alike', async () => {
    const folder = exampleModel('planted-grouped');
    const [model, tokenizer] = [await loadModel(folder), loadTokenizer(folder)];
    const long = { id: 'long', prompt: Array.from({ length: 200 }, () => 'polish').join(' ') };
    const common = { format: 'direct', maxNewTokens: 4 } as const;
    const patched = (truncate: 'left' | 'none') =>
      baselines
        .patchedResponses({ model, tokenizer }, [long], {
          ...{ ...common, truncate, donor: model, neurons: [] },
        })
        .next();
    const made = generateResponses({ model, tokenizer }, [long], { ...common, truncate: 'left' });
    const wanted = (await made.next()).value as Response;
    await made.return(undefined);
    expect((await patched('left')).value).toMatchObject({
      ...{ text: wanted.text, newTokens: wanted.newTokens },
    });
    await expect(patched('none')).rejects.toThrow(/prompt long: .* the model takes 127/);
    const records = [{ ...long, response: 'bell' }];
    const cut = { format: 'direct', truncate: 'left', maxTokens: 10 } as const;
    const [row] = baselines.responseRows(tokenizer, records, cut);
    const [whole] = baselines.responseRows(tokenizer, records, { format: 'direct' });
    expect(row!.from).toBe(10);
    expect(row!.ids.slice(10)).toEqual(whole!.ids.slice(whole!.from));
    model.dispose();
  });

  it('are those of the donor where that is all that differs', async () => {
    const [model, other] = await changedPair([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const ids = randomPrompts([7], 9)[0]!.ids;
    // Ten neurons differ, and all ten are patched: the model writes what the other one does.
    const neurons = Array.from({ length: 10 }, (_, neuron) => ({ layer: 2, neuron }));
    const tokenizer = loadTokenizer(exampleModel('planted-grouped'));
    const asIs = { ...tokenizer, encode: () => [...ids] };
    const records = [{ id: 'a', prompt: 'x' }];
    const common = { format: 'direct', maxNewTokens: 6 } as const;
    const textOf = async (of: Model, chosen: typeof neurons) => {
      const made = baselines.patchedResponses({ model: of, tokenizer: asIs }, records, {
        ...{ ...common, donor: other, neurons: chosen },
      });
      const { value } = await made.next();
      return (value as { text: string }).text;
    };
    expect(await textOf(model, neurons)).toBe(await textOf(other, []));
    model.dispose();
    other.dispose();
  });
});
