import '@lab/core/testing';
import { join } from 'node:path';
import { selectBackend, tf } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, expect, it } from 'vitest';
import { loadModel, type Model, outputGradient } from '../../src/index.js';

/** Steps on either side, for central differences in float32. */
const STEP = 0.02;

beforeAll(async () => {
  await selectBackend('wasm');
});

const logitsOf = async (model: Model, rows: tf.Tensor2D): Promise<tf.Tensor2D> => {
  const { layerCount, vocabularySize } = model.architecture;
  const [count, width] = rows.shape;
  const residual = tf.reshape(rows, [1, count, width]) as tf.Tensor3D;
  const ids = [new Int32Array(count)];
  const { logits } = await model.forward({ ids, residual, startBlock: layerCount });
  return tf.reshape(logits!, [count, vocabularySize]) as tf.Tensor2D;
};

const sumOf = async (value: tf.Tensor): Promise<number> => (await tf.sum(value).data())[0]!;

// RMS norm; layer norm with bias; gains from 1 on, and a cap of logits.
it.each(['llama', 'gpt2', 'gemma2'])('of %s is that of differences', async (name) => {
  const model = await loadModel(join(import.meta.dirname, 'checkpoints', name));
  const { width, vocabularySize } = model.architecture;
  const rows = tf.randomNormal<tf.Rank.R2>([3, width], 0, 3, 'float32', 5);
  const gradients = tf.randomNormal<tf.Rank.R2>([3, vocabularySize], 0, 1, 'float32', 6);
  const logits = await logitsOf(model, rows);
  const found = await outputGradient(model, { rows, logits, gradients });
  for (const seed of [7, 8, 9]) {
    const direction = tf.randomNormal<tf.Rank.R2>([3, width], 0, 1, 'float32', seed);
    const valueAt = async (step: number) =>
      sumOf(tf.mul(await logitsOf(model, tf.add(rows, tf.mul(direction, step))), gradients));
    const expected = ((await valueAt(STEP)) - (await valueAt(-STEP))) / (2 * STEP);
    expect(await sumOf(tf.mul(found, direction))).toBeClose(expected, { rtol: 0.01, atol: 0.02 });
  }
  await expectNoLeak(() => outputGradient(model, { rows, logits, gradients }));
  model.dispose();
});
