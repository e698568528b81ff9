import { createRandom } from '@lab/core';
import '@lab/core/testing';
import { l2NormalizeRows, selectBackend, tf } from '@lab/tensor';
import { checkGradient, expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { syntheticPair } from '../datasets/synthetic-pair.js';
import { neighbourhood } from '../neighbourhood.js';
import { pairBlocks } from '../pair-blocks.js';
import { relationPairs } from '../relation-pairs.js';
import { createReflectionPattern, reflectionAttention, relationVectors } from './reflection.js';

const width = 4;
const random = createRandom(3);
const pair = syntheticPair({ entities: 60, random: random.fork('pair'), relations: 5 });
const pairs = relationPairs(pair, { relationCount: 9 });
const draw = (name: string, shape: number[]) =>
  tf.tensor(random.fork(name).fillNormal(new Float32Array(shape[0]! * (shape[1] ?? 1))), shape);

describe.each(['cpu', 'wasm'] as const)('reflectionAttention of a block on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend(backend);
  });

  it('gives the rows of the whole layer, block by block', async () => {
    const thrown = await expectNoLeak(() => {
      const h = draw('h', [120, width]) as tf.Tensor2D;
      const relations = draw('relations', [18, width]) as tf.Tensor2D;
      const kernel = draw('kernel', [width]) as tf.Tensor1D;
      const whole = createReflectionPattern(pairs);
      const expected = tf.tidy(() => {
        const setVectors = relationVectors(relations, whole);
        return reflectionAttention(h, { pattern: whole, setVectors, kernel });
      });
      const targets = Int32Array.from({ length: 50 }, (_, i) => 2 * i);
      const near = neighbourhood(pairs, targets, { layers: 1 });
      const limit = { cost: { row: 1, source: 1, entry: 0 }, most: 20 };
      const blocks = pairBlocks(near.layers[0]!, pairs, limit);
      const wanted = expected.arraySync();
      let row = 0;
      for (let index = 0; index < blocks.count; index += 1) {
        const block = blocks.at(index);
        const pattern = createReflectionPattern(block.pairs);
        const sources = block.sources.map((local) => near.entities[local]!);
        const rows = tf.tidy(() => {
          const own = tf.gather(h, tf.tensor1d(sources, 'int32')) as tf.Tensor2D;
          const setVectors = relationVectors(relations, pattern);
          return reflectionAttention(own, { pattern, setVectors, kernel });
        });
        for (const got of rows.arraySync()) {
          expect(got).toBeClose(wanted[targets[row]!]!, { atol: 1e-5 });
          row += 1;
        }
        tf.dispose(rows);
        pattern.dispose();
      }
      expect(row).toBe(50);
      whole.dispose();
      return [h, relations, kernel, expected];
    });
    expect(thrown).toBeUndefined();
  });

  it('has the gradients of its inputs', async () => {
    const near = neighbourhood(pairs, Int32Array.of(1, 0, 9), { layers: 1 });
    const limit = { cost: { row: 1, source: 1, entry: 0 }, most: 12 };
    const block = pairBlocks(near.layers[0]!, pairs, limit).at(0);
    const pattern = createReflectionPattern(block.pairs);
    const inputs = [
      draw('x', [block.sources.length, width]),
      draw('r', [block.pairs.averaging.rowCount, width]),
      draw('k', [width]),
    ];
    const f = (h: tf.Tensor, r: tf.Tensor, kernel: tf.Tensor) => {
      const setVectors = l2NormalizeRows(r as tf.Tensor2D);
      return reflectionAttention(h as tf.Tensor2D, {
        pattern,
        setVectors,
        kernel: kernel as tf.Tensor1D,
      });
    };
    await checkGradient(f as (...all: tf.Tensor[]) => tf.Tensor, inputs, { rtol: 2e-2 });
    tf.dispose(inputs);
    pattern.dispose();
  });
});
