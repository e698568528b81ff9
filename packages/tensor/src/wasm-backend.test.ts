import { existsSync, readFileSync } from 'node:fs';
import { requireCondition, temporaryFolder } from '@lab/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { matrix, normals } from './__fixtures__/numbers.js';
import { bytesOf, expectSameBits } from './__fixtures__/thread-bits.js';
import {
  createHalfMatrix,
  halfMatMul,
  infoNce,
  l2NormalizeRows,
  modalContrast,
  multiSimilarity,
  scaledDotProductAttention,
  selectBackend,
  tf,
} from './index.js';

/** Whether this Node and this processor have 256-bit vectors. */
const hasWideVectors =
  Number.parseInt(process.versions.node, 10) >= 24 &&
  process.arch === 'x64' &&
  existsSync('/proc/cpuinfo') &&
  readFileSync('/proc/cpuinfo', 'utf8').includes(' avx2 ');

const unit = (name: string, rows: number, width: number) =>
  l2NormalizeRows(matrix(name, rows, width));

type Loss = (left: tf.Tensor2D, right: tf.Tensor2D) => tf.Scalar;

/** The value of a loss of 450 pairs, and its gradients. */
function slopesOf(loss: Loss): tf.Tensor[] {
  const sides = [unit('left', 450, 60), unit('right', 450, 60)];
  const run = (left: tf.Tensor, right: tf.Tensor) =>
    loss(left as tf.Tensor2D, right as tf.Tensor2D);
  const { value, grads } = tf.valueAndGrads(run)(sides);
  return [value, ...grads];
}

function modal(left: tf.Tensor2D, right: tf.Tensor2D): tf.Scalar {
  const [first, second] = [left, right].map((side) => tf.split(side, [40, 20], 1) as tf.Tensor2D[]);
  const modalities = first!.map((part, at) => ({ left: part, right: second![at]! }));
  const equal = tf.fill([450, 2], Math.SQRT1_2) as tf.Tensor2D;
  const options = {
    infoNce: { temperature: 0.1, direction: 'both' as const },
    multiSimilarity: { alpha: 5, beta: 40, lambda: 0.5 },
  };
  return modalContrast({ modalities, shares: { left: equal, right: equal } }, options).total;
}

function halfProduct(): tf.Tensor[] {
  const patterns = Uint16Array.from({ length: 300 * 70 }, (_, at) => 0x3800 + ((at * 37) % 2048));
  const options = { rows: 70, columns: 300, dtype: 'float16' as const };
  const weight = createHalfMatrix(patterns, options);
  const product = halfMatMul(matrix('x', 33, 300), weight);
  weight.dispose();
  return [product];
}

const cases: Readonly<Record<string, () => tf.Tensor[]>> = {
  'products of whole and partial tiles': () =>
    [
      [1, 1, 5],
      [7, 9, 11],
      [96, 384, 64],
      [130, 770, 210],
    ].flatMap(([m, k, n]) => [
      tf.matMul(matrix('a', m!, k!), matrix('b', k!, n!)),
      tf.matMul(matrix('a', k!, m!), matrix('b', n!, k!), true, true),
    ]),
  'a sum of stretches': () => [tf.matMul(matrix('a', 9001, 50), matrix('b', 9001, 70), true)],
  InfoNCE: () =>
    slopesOf((left, right) => infoNce(left, right, { temperature: 0.1, direction: 'both' })),
  'multi-similarity': () =>
    slopesOf((left, right) => multiSimilarity(left, right, { alpha: 5, beta: 40, lambda: 0.5 })),
  'the contrast of joined rows': () => slopesOf(modal),
  attention: () => {
    const run = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) =>
      scaledDotProductAttention(q, k, v, { causal: true });
    const { value, grads } = tf.valueAndGrads((...sides) =>
      tf.sum(tf.square(run(sides[0]!, sides[1]!, sides[2]!))),
    )(['q', 'k', 'v'].map((name) => normals(name, [2, 100, 24])));
    return [value, ...grads];
  },
  'a product with 16-bit weights': halfProduct,
};

describe.skipIf(!requireCondition('node24', hasWideVectors))(
  'products on 256 bits (needs node24 and AVX2)',
  () => {
    beforeAll(async () => {
      process.env['LAB_CACHE'] = temporaryFolder();
      const { vectorBits } = await selectBackend('wasm', { threads: 1 });
      expect(vectorBits).toBe(256);
    });
    afterAll(() => {
      delete process.env['LAB_CACHE'];
    });

    it.each(Object.keys(cases))('have the bits of those on 128: %s', async (name) => {
      const compute = () => tf.tidy(() => cases[name]!());
      const wide = bytesOf(compute);
      const narrow = await selectBackend('wasm', { threads: 1, wideVectors: false });
      expect(narrow.vectorBits).toBe(128);
      const expected = bytesOf(compute);
      expect(await selectBackend('wasm', { threads: 1 })).toMatchObject({ vectorBits: 256 });
      expect(wide.map((bytes, at) => bytes.equals(expected[at]!))).toEqual(
        expected.map(() => true),
      );
      expect(expected.every((bytes) => bytes.some((byte) => byte !== 0))).toBe(true);
    });

    it.each(Object.keys(cases))('have the same bits on any number of threads: %s', async (name) => {
      await expectSameBits(() => tf.tidy(() => cases[name]!()));
    });
  },
);
