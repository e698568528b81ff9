import { createRandom, type Random } from '@lab/core';
import '@lab/core/testing';
import { createCsr, type CsrTensors, selectBackend, tf } from '@lab/tensor';
import { checkGradient, expectNoLeak } from '@lab/tensor/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { normalizeAdjacency } from '../normalize.js';
import { diagonalAttention, fullAttention } from './gat.js';
import { graphConvolution } from './gcn.js';

// 0: {0, 1, 2}, 1: {0, 1}, 2: {2}
const rowPointers = Int32Array.of(0, 3, 5, 6);
const columns = Int32Array.of(0, 1, 2, 0, 1, 2);
const pattern = { rowCount: 3, columnCount: 3, rowPointers, columns };

function draw(shape: readonly number[], random: Random): tf.Tensor {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  return tf.tensor(random.fillNormal(values), [...shape]);
}

/** The layer as it is written in the reference: one number per edge, then sums. */
function plainAttention(
  x: number[][],
  heads: readonly { readonly h: number[][]; readonly a: number[] }[],
): number[][] {
  return x.map((_, i) => {
    const sum = new Array<number>(heads[0]?.h[0]?.length ?? 0).fill(0);
    for (const { h, a } of heads) {
      const neighbours = [...columns.slice(rowPointers[i], rowPointers[i + 1])];
      const weights = neighbours.map((j) => {
        const both = [...(h[i] as number[]), ...(h[j] as number[])];
        const score = both.reduce((total, value, d) => total + value * (a[d] as number), 0);
        return Math.exp(-(score > 0 ? score : 0.2 * score));
      });
      const total = weights.reduce((one, other) => one + other);
      for (const [k, j] of neighbours.entries()) {
        for (let d = 0; d < sum.length; d += 1) {
          const part = ((weights[k] as number) / total) * (h[j]?.[d] as number);
          sum[d] = (sum[d] as number) + part / heads.length;
        }
      }
    }
    return sum;
  });
}

let csr: CsrTensors;
beforeAll(async () => {
  await selectBackend('cpu');
  csr = createCsr(pattern);
});
afterAll(() => csr.dispose());

describe('diagonalAttention', () => {
  const random = createRandom(11);

  it('equals the plain form, heads averaged', async () => {
    const x = draw([3, 4], random) as tf.Tensor2D;
    const weights = draw([2, 4], random) as tf.Tensor2D;
    const attention = draw([2, 8], random) as tf.Tensor2D;
    const rows = (await x.array()) as number[][];
    const w = await weights.array();
    const a = await attention.array();
    const heads = w.map((head, k) => ({
      h: rows.map((row) => row.map((value, d) => value * (head[d] as number))),
      a: a[k] as number[],
    }));
    const output = diagonalAttention(x, { weights, attention }, { csr });
    expect(await output.array()).toBeClose(plainAttention(rows, heads), { rtol: 1e-4, atol: 1e-5 });
  });

  it('returns the weighted features of an isolated node itself', async () => {
    const x = tf.tensor2d([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const weights = tf.tensor2d([[2, 3]]);
    const output = diagonalAttention(x, { weights, attention: tf.ones([1, 4]) }, { csr });
    expect((await output.array())[2]).toBeClose([10, 18], { rtol: 1e-6 });
  });

  it('has the gradient of its formula and leaks nothing', async () => {
    const inputs = [draw([3, 4], random), draw([2, 4], random), draw([2, 8], random)];
    const f = (x: tf.Tensor, weights: tf.Tensor, attention: tf.Tensor): tf.Scalar => {
      const layer = { weights: weights as tf.Tensor2D, attention: attention as tf.Tensor2D };
      return tf.sum(tf.square(diagonalAttention(x as tf.Tensor2D, layer, { csr }))) as tf.Scalar;
    };
    await checkGradient(f as Parameters<typeof checkGradient>[0], inputs, { rtol: 1e-2 });
    const [x, weights, attention] = inputs as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
    await expectNoLeak(() => diagonalAttention(x, { weights, attention }, { csr }));
  });
});

describe('fullAttention', () => {
  const random = createRandom(12);

  it('averages or joins heads of the plain form', async () => {
    const x = draw([3, 4], random) as tf.Tensor2D;
    const layers = [0, 1].map(() => ({
      weight: draw([4, 2], random) as tf.Tensor2D,
      attention: draw([4], random) as tf.Tensor1D,
    }));
    const heads = await Promise.all(
      layers.map(async ({ weight, attention }) => ({
        h: (await tf.matMul(x, weight).array()) as number[][],
        a: await attention.array(),
      })),
    );
    const rows = await x.array();
    const mean = await fullAttention(x, layers, { csr }).array();
    expect(mean).toBeClose(plainAttention(rows, heads), { rtol: 1e-4, atol: 1e-5 });
    const joined = await fullAttention(x, layers, { csr, combine: 'concat' }).array();
    const parts = heads.map((head) => plainAttention(rows, [head]));
    const expected = rows.map((_, i) => parts.flatMap((part) => part[i] as number[]));
    expect(joined).toBeClose(expected, { rtol: 1e-4, atol: 1e-5 });
  });

  it('weighs neighbours the other way round with sign 1', async () => {
    const x = tf.tensor2d([[1], [2], [5]]);
    const head = { weight: tf.tensor2d([[1]]), attention: tf.tensor1d([0, 1]) };
    const towards = await fullAttention(x, [head], { csr, sign: 1 }).array();
    const away = await fullAttention(x, [head], { csr }).array();
    expect(towards[0]?.[0]).toBeGreaterThan(4);
    expect(away[0]?.[0]).toBeLessThan(2);
  });
});

describe('graphConvolution', () => {
  it('mixes neighbours by the values of the matrix', async () => {
    const weighted = createCsr(normalizeAdjacency(pattern, 'row'));
    const x = tf.tensor2d([[3], [6], [9]]);
    const mean = await graphConvolution(x, { weight: tf.tensor2d([[2]]) }, weighted).array();
    expect(mean).toBeClose([[12], [9], [18]], { rtol: 1e-6 });
    const layer = { weight: tf.tensor1d([2]), bias: tf.tensor1d([1]) };
    const diagonal = await graphConvolution(x, layer, weighted).array();
    expect(diagonal).toBeClose([[13], [10], [19]], { rtol: 1e-6 });
    weighted.dispose();
  });
});
