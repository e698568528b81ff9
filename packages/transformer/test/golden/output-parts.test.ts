import '@lab/core/testing';
import { join } from 'node:path';
import { selectBackend, tf } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, expect, it } from 'vitest';
import { loadModel, type Model, outputParts, type Residency } from '../../src/index.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const folder = (name: string) => join(import.meta.dirname, 'checkpoints', name);

const logitsOf = async (model: Model, rows: tf.Tensor2D): Promise<Float32Array> => {
  const { layerCount } = model.architecture;
  const [count, width] = rows.shape;
  const residual = tf.reshape(rows, [1, count, width]) as tf.Tensor3D;
  const ids = [new Int32Array(count)];
  const result = await model.forward({ ids, residual, startBlock: layerCount });
  residual.dispose();
  const data = Float32Array.from(await result.logits!.data());
  result.dispose();
  return data;
};

/** Logits of all parts, and how many tokens each had. */
const inParts = async (model: Model, rows: tf.Tensor2D, tokens: number) => {
  const { vocabularySize } = model.architecture;
  const found = new Float32Array(rows.shape[0] * vocabularySize);
  const sizes: number[] = [];
  for await (const { start, logits } of outputParts(model, rows, tokens)) {
    const [count, size] = logits.shape;
    sizes.push(size);
    const data = await logits.data();
    for (let row = 0; row < count; row += 1) {
      found.set(data.subarray(row * size, (row + 1) * size), row * vocabularySize + start);
    }
  }
  return { found, sizes };
};

// RMS norm; layer norm with bias; gains from 1 on, and a cap of logits.
it.each([
  ['llama', 'resident'],
  ['llama', 'streamed'],
  ['gpt2', 'resident'],
  ['gemma2', 'resident'],
  ['gemma2', 'host'],
] as [string, Residency][])('of %s, %s, are the logits of a pass', async (name, residency) => {
  const model = await loadModel(folder(name), { residency });
  const { width, vocabularySize } = model.architecture;
  const rows = tf.randomNormal<tf.Rank.R2>([3, width], 0, 3, 'float32', 5);
  const expected = await logitsOf(model, rows);
  for (const tokens of [7, vocabularySize, 10 * vocabularySize]) {
    const { found, sizes } = await inParts(model, rows, tokens);
    expect(found).toBeClose(expected, { atol: 1e-4, rtol: 1e-5 });
    expect(Math.max(...sizes)).toBe(Math.min(tokens, vocabularySize));
  }
  await expectNoLeak(() => inParts(model, rows, 7));
  await expect(inParts(model, rows, 0)).rejects.toThrow(/parts of 0 tokens/);
  rows.dispose();
  model.dispose();
});
