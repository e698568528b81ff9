import { createRandom, DataError, ShapeError } from '@lab/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { ids, matrix, normals, raggedPattern, vector } from '../__fixtures__/numbers.js';
import {
  createCsr,
  csrMatMul,
  dropout,
  gatherRows,
  graphAttention,
  hostMatMul,
  l2NormalizeRows,
  layerNorm,
  maskedDropout,
  recompute,
  segmentMax,
  segmentMean,
  segmentSoftmax,
  segmentSum,
  selectBackend,
  sumOverRowBlocks,
  tf,
  writeColumns,
} from '../index.js';
import { checkGradient, expectNoLeak } from '../testing.js';
import { softmaxOf } from '../__fixtures__/reference.js';

const WIDTHS = [1, 3, 4, 7, 37];

async function values(x: tf.Tensor): Promise<number[]> {
  const found = [...(await x.data())];
  x.dispose();
  return found;
}

describe.each(['cpu', 'wasm'] as const)('graph operations on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend(backend);
  });

  test('gatherRows takes rows, also many times and none', async () => {
    const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
    expect(await values(gatherRows(x, ids([2, 0, 2])))).toEqual([5, 6, 1, 2, 5, 6]);
    expect(gatherRows(x, ids([])).shape).toEqual([0, 2]);
    await checkGradient((t) => gatherRows(t as tf.Tensor2D, ids([2, 0, 2])), [x], {
      reference: (a) => [4, 5, 0, 1, 4, 5].map((i) => a[i] as number),
    });
  });

  test('gatherRows refuses an index out of range', () => {
    const x = matrix('x', 3, 2);
    expect(() => gatherRows(x, ids([0, 3]))).toThrow(DataError);
    expect(() => gatherRows(x, ids([-1]))).toThrow(/indices\[0\] is -1/);
  });

  test('numbers of another type are refused, not read as bits', () => {
    const whole = tf.tensor2d([1, 2], [2, 1], 'int32');
    expect(() => gatherRows(whole, ids([0]))).toThrow(/x has type int32, expected float32/);
    expect(() => gatherRows(matrix('x', 2, 1), vector('i', 1))).toThrow(ShapeError);
    expect(() => segmentSum(whole, ids([0, 0]), 1)).toThrow(ShapeError);
  });

  test('segment sums and means leave zeros for empty segments', async () => {
    const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
    const segments = ids([2, 0, 2]);
    expect(await values(segmentSum(x, segments, 3))).toEqual([3, 4, 0, 0, 6, 8]);
    expect(await values(segmentMean(x, segments, 3))).toEqual([3, 4, 0, 0, 3, 4]);
    expect(await values(segmentSum(tf.tensor1d([1, 2, 4]), segments, 3))).toEqual([2, 0, 5]);
    expect(segmentSum(matrix('none', 0, 2), ids([]), 2).shape).toEqual([2, 2]);
  });

  test('segmentMax takes the largest per column', async () => {
    const x = tf.tensor2d([1, -2, -3, 4, -5, 6], [3, 2]);
    expect(await values(segmentMax(x, ids([1, 1, 3]), 4))).toEqual([0, 0, 1, 4, 0, 0, -5, 6]);
  });

  test('segment reductions have the right gradients', async () => {
    const segments = [1, 0, 1, 3, 1];
    const reference = (a: Float64Array, mean: boolean) => {
      const out = new Float64Array(12);
      const sizes = [1, 3, 1, 1];
      segments.forEach((s, e) => {
        for (let d = 0; d < 3; d++) {
          const share = (a[3 * e + d] as number) / (mean ? (sizes[s] as number) : 1);
          out[3 * s + d] = (out[3 * s + d] as number) + share;
        }
      });
      return out;
    };
    const x = matrix('x', 5, 3);
    const run = (f: typeof segmentSum) => (t: tf.Tensor) => f(t as tf.Tensor2D, ids(segments), 4);
    await checkGradient(run(segmentSum), [x], { reference: (a) => reference(a, false) });
    await checkGradient(run(segmentMean), [x], { reference: (a) => reference(a, true) });
    await checkGradient(run(segmentMax), [x], { step: 1e-3, rtol: 1e-2 });
  });

  test('segmentSoftmax sums to one in each segment and survives large scores', async () => {
    const segments = ids([1, 0, 1, 1, 0]);
    const large = tf.tensor1d([1000, -1000, 1001, 999, -1001]);
    const shares = segmentSoftmax(large, segments, 3);
    expect((await values(segmentSum(shares, segments, 3))).map((v) => v.toFixed(5))).toEqual([
      '1.00000',
      '1.00000',
      '0.00000',
    ]);
    await checkGradient((t) => segmentSoftmax(t as tf.Tensor1D, segments, 3), [vector('s', 5)], {
      reference: (a) => softmaxOf(a, [1, 0, 1, 1, 0]),
    });
  });

  test('segment ids out of range are refused', () => {
    const x = matrix('x', 2, 2);
    expect(() => segmentSum(x, ids([0, 5]), 3)).toThrow(DataError);
    expect(() => segmentMax(x, ids([0, 3]), 3)).toThrow(DataError);
    expect(() => segmentSoftmax(vector('s', 2), ids([0, -1]), 3)).toThrow(DataError);
    expect(() => segmentSum(x, ids([0]), 3)).toThrow(ShapeError);
  });

  test.each(WIDTHS)('csrMatMul equals the dense product, %i columns', async (width) => {
    const arrays = raggedPattern(9, 6);
    const csr = createCsr(arrays);
    const dense = matrix('dense', 6, width);
    const weights = vector('weights', csr.entryCount);
    const full = new Float32Array(9 * 6);
    const w = await weights.data();
    arrays.columns.forEach((column, e) => {
      const row = arrays.rowPointers.findIndex(
        (p, i) => p <= e && e < (arrays.rowPointers[i + 1] ?? 0),
      );
      full[row * 6 + column] = (full[row * 6 + column] as number) + (w[e] as number);
    });
    const expected = await values(tf.matMul(tf.tensor2d(full, [9, 6]), dense));
    const found = await values(csrMatMul(csr, dense, weights));
    found.forEach((value, i) => expect(value).toBeCloseTo(expected[i] as number, 4));
    await checkGradient(
      (x, v) => csrMatMul(csr, x as tf.Tensor2D, v as tf.Tensor1D),
      [dense, weights],
      { step: 5e-2, rtol: 5e-3 },
    );
    csr.dispose();
  });

  test('csrMatMul without values counts every entry once', async () => {
    const arrays = {
      rowCount: 2,
      columnCount: 3,
      rowPointers: Int32Array.of(0, 3, 3),
      columns: Int32Array.of(2, 0, 2),
    };
    const csr = createCsr(arrays);
    const x = tf.tensor2d([1, 10, 100], [3, 1]);
    expect(await values(csrMatMul(csr, x))).toEqual([201, 0]);
    const own = createCsr({ ...arrays, values: Float32Array.of(1, 2, 3) });
    expect(await values(csrMatMul(own, x))).toEqual([402, 0]);
    await checkGradient((t) => csrMatMul(csr, t as tf.Tensor2D), [x], {
      reference: (a) => [2 * (a[2] as number) + (a[0] as number), 0],
    });
    expect(() => csrMatMul(csr, matrix('x', 4, 2))).toThrow(ShapeError);
  });

  test('createCsr refuses broken patterns', () => {
    const base = { rowCount: 1, columnCount: 1, rowPointers: Int32Array.of(0, 1) };
    expect(() => createCsr({ ...base, columns: Int32Array.of(1) })).toThrow(DataError);
    expect(() => createCsr({ ...base, columns: Int32Array.of() })).toThrow(ShapeError);
    const falling = { ...base, rowCount: 2, rowPointers: Int32Array.of(0, 2, 1) };
    expect(() => createCsr({ ...falling, columns: Int32Array.of(0) })).toThrow(DataError);
  });

  test('l2NormalizeRows gives rows of length one and leaves zero rows', async () => {
    const x = tf.tensor2d([3, 4, 0, 0], [2, 2]);
    const found = await values(l2NormalizeRows(x));
    [0.6, 0.8, 0, 0].forEach((value, i) => expect(found[i]).toBeCloseTo(value, 6));
    await checkGradient((t) => l2NormalizeRows(t as tf.Tensor2D), [matrix('x', 3, 5)], {
      reference: (a) =>
        a.map((v, i) => {
          const row = a.subarray(5 * Math.floor(i / 5), 5 * Math.floor(i / 5) + 5);
          return v / Math.sqrt(row.reduce((sum, r) => sum + r * r, 0));
        }),
    });
    const gradient = tf.grad((t) => tf.sum(l2NormalizeRows(t as tf.Tensor2D)))(tf.zeros([1, 3]));
    for (const value of await values(gradient)) expect(Number.isFinite(value)).toBe(true);
  });

  test.each([1, 4, 7])('layerNorm and its three gradients, %i features', async (width) => {
    const inputs = [matrix('x', 3, width), vector('gain', width), vector('bias', width)];
    const f = (x: tf.Tensor, g: tf.Tensor, b: tf.Tensor) =>
      layerNorm(x as tf.Tensor2D, g as tf.Tensor1D, b as tf.Tensor1D, 1e-3);
    await checkGradient(f as (...xs: tf.Tensor[]) => tf.Tensor, inputs, {
      reference: (x, gain, bias) =>
        (x as Float64Array).map((v, i) => {
          const start = width * Math.floor(i / width);
          const row = (x as Float64Array).subarray(start, start + width);
          const mean = row.reduce((s, r) => s + r, 0) / width;
          const variance = row.reduce((s, r) => s + (r - mean) ** 2, 0) / width;
          const d = i % width;
          const scaled = (v - mean) / Math.sqrt(variance + 1e-3);
          return scaled * (gain?.[d] as number) + (bias?.[d] as number);
        }),
    });
  });

  test('dropout drops the stated share, scales the rest and repeats its mask', async () => {
    const x = tf.ones([100, 101]);
    const found = await values(dropout(x, 0.3, 5));
    const dropped = found.filter((v) => v === 0).length / found.length;
    expect(Math.abs(dropped - 0.3)).toBeLessThan(0.02);
    expect(Math.max(...found)).toBeCloseTo(1 / 0.7, 5);
    const gradient = await values(tf.grad((t) => tf.sum(dropout(t, 0.3, 5)))(x));
    expect(gradient).toEqual(found);
    expect(await values(dropout(x, 0.3, 6))).not.toEqual(found);
    expect(() => dropout(x, 1, 5)).toThrow(ShapeError);
  });

  test('maskedDropout scales what the mask keeps', async () => {
    const x = tf.tensor1d([1, 2, 3, 4]);
    const mask = tf.tensor1d([1, 0, 1, 0]);
    expect(await values(maskedDropout(x, mask, 0.5))).toEqual([2, 0, 6, 0]);
    expect(() => maskedDropout(x, tf.tensor1d([1]), 0.5)).toThrow(ShapeError);
  });

  test('sumOverRowBlocks equals the whole sum, and so do its gradients', async () => {
    const inputs = [matrix('a', 7, 3), matrix('b', 7, 3)];
    const f = (a: tf.Tensor2D, b: tf.Tensor2D) =>
      tf.sum(tf.mul(tf.exp(a), tf.square(b))) as tf.Scalar;
    const blocked = (a: tf.Tensor, b: tf.Tensor) =>
      sumOverRowBlocks([a, b] as tf.Tensor2D[], f, { blockRows: 3 });
    await checkGradient(blocked as (...xs: tf.Tensor[]) => tf.Tensor, inputs, {
      reference: (a, b) => [
        (a as Float64Array).reduce((s, v, i) => s + Math.exp(v) * (b?.[i] as number) ** 2, 0),
      ],
    });
    expect(await values(sumOverRowBlocks([matrix('none', 0, 3)], (x) => tf.sum(x)))).toEqual([0]);
    expect(() => sumOverRowBlocks([], () => tf.scalar(0))).toThrow(ShapeError);
  });

  test('hostMatMul equals the product of tensors', async () => {
    const x = matrix('x', 5, 3);
    const w = matrix('w', 3, 2);
    const host = { rowCount: 5, columnCount: 3, values: (await x.data()) as Float32Array };
    const direct = await values(tf.matMul(x, w));
    const found = await values(hostMatMul(host, w));
    found.forEach((value, i) => expect(value).toBeCloseTo(direct[i] as number, 5));
    await checkGradient((t) => hostMatMul(host, t as tf.Tensor2D), [w], { step: 0.1 });
    expect(() => hostMatMul({ ...host, rowCount: 4 }, w)).toThrow(ShapeError);
    expect(hostMatMul({ ...host, rowCount: 0, values: new Float32Array(0) }, w).shape).toEqual([
      0, 2,
    ]);
  });

  test('writeColumns writes where it is told, and nowhere else', async () => {
    const part = matrix('part', 3, 2);
    const host = { rowCount: 3, columnCount: 4, values: new Float32Array(12).fill(7) };
    await writeColumns(host, 1, part);
    const [a, b, c, d, e, f] = await part.data();
    expect([...host.values]).toEqual([7, a, b, 7, 7, c, d, 7, 7, e, f, 7]);
    await expect(writeColumns(host, 3, part)).rejects.toThrow(/2 columns from 3 on, of 4/);
    await expect(writeColumns(host, -1, part)).rejects.toThrow(ShapeError);
    await expect(writeColumns({ ...host, rowCount: 2 }, 0, part)).rejects.toThrow(ShapeError);
    part.dispose();
    const none = tf.zeros<tf.Rank.R2>([3, 0]);
    await writeColumns(host, 4, none);
    none.dispose();
    expect(host.values.filter((value) => value === 7)).toHaveLength(6);
  });

  test('recompute has the value and gradients of the function itself', async () => {
    const inputs = [matrix('x', 3, 4), matrix('w', 4, 2)];
    const f = (x: tf.Tensor, w: tf.Tensor) => tf.tanh(tf.matMul(x, w));
    const again = (...xs: tf.Tensor[]) => recompute(xs, f as (...xs: tf.Tensor[]) => tf.Tensor);
    const direct = await values(f(...(inputs as [tf.Tensor, tf.Tensor])));
    expect(await values(again(...inputs))).toEqual(direct);
    await checkGradient(again, inputs, { step: 1e-2 });
  });

  test('nothing leaks, on success and on error', async () => {
    const csr = createCsr(raggedPattern(6, 6));
    const x = matrix('x', 6, 5);
    const weights = matrix('weights', 2, 5);
    const scoreVectors = tf.reshape(matrix('scores', 4, 5), [2, 2, 5]) as tf.Tensor3D;
    const loss = (t: tf.Tensor) => {
      const attended = graphAttention({
        features: t as tf.Tensor2D,
        scoreVectors,
        headWeights: weights,
        csr,
        positiveSlope: 1,
        negativeSlope: 0.2,
      });
      const product = csrMatMul(csr, l2NormalizeRows(attended));
      return sumOverRowBlocks([dropout(product, 0.5, 3)], (b) => tf.sum(tf.square(b)), {
        blockRows: 2,
      });
    };
    expect(await expectNoLeak(() => tf.valueAndGrad(loss)(x))).toBeUndefined();
    const fails = () => tf.grad((t) => gatherRows(tf.square(t) as tf.Tensor2D, ids([9])))(x);
    expect(await expectNoLeak(() => tf.tidy(fails))).toBeInstanceOf(Error);
  });

  test.each([
    [1, 1],
    [2, 5],
    [2, 21],
    [3, 16],
  ])('graphAttention agrees with its formula, %i heads and %i features', async (heads, width) => {
    const nodes = 7;
    const arrays = raggedPattern(nodes, nodes);
    const csr = createCsr(arrays);
    const inputs = [
      matrix('features', nodes, width),
      tf.reshape(matrix('vectors', 2 * heads, width), [heads, 2, width]),
      matrix('weights', heads, width),
    ];
    const attend = (features: tf.Tensor, a: tf.Tensor, w?: tf.Tensor) =>
      graphAttention({
        features: features as tf.Tensor2D,
        scoreVectors: a as tf.Tensor3D,
        ...(w === undefined ? {} : { headWeights: w as tf.Tensor2D }),
        csr,
        positiveSlope: -1,
        negativeSlope: -0.2,
      });
    const reference = (x: Float64Array, a: Float64Array, w?: Float64Array) => {
      const scoreOf = (node: number, vector: number) =>
        [...x.subarray(node * width, (node + 1) * width)].reduce(
          (sum, value, d) => sum + value * (a[vector * width + d] as number),
          0,
        );
      const out = new Float64Array(nodes * width);
      const rows = Array.from(arrays.columns, (_, e) =>
        arrays.rowPointers.findLastIndex((pointer) => pointer <= e),
      );
      for (let k = 0; k < heads; k++) {
        const scores = Float64Array.from(arrays.columns, (column, e) => {
          const sum = scoreOf(rows[e] as number, 2 * k) + scoreOf(column, 2 * k + 1);
          return sum > 0 ? -sum : -0.2 * sum;
        });
        softmaxOf(scores, rows).forEach((share, e) => {
          for (let d = 0; d < width; d++) {
            const weight = w === undefined ? 1 : (w[k * width + d] as number);
            const sent = x[(arrays.columns[e] as number) * width + d] as number;
            const to = (rows[e] as number) * width + d;
            out[to] = (out[to] as number) + (weight * share * sent) / heads;
          }
        });
      }
      return out;
    };
    const f = attend as (...xs: tf.Tensor[]) => tf.Tensor;
    const plain = reference as (...xs: Float64Array[]) => Float64Array;
    const expected = plain(...inputs.map((x) => Float64Array.from(x.dataSync())));
    const found = await values(f(...inputs));
    found.forEach((value, i) => expect(value).toBeCloseTo(expected[i] as number, 4));
    await checkGradient(f, inputs, { reference: plain });
    await checkGradient(f, inputs.slice(0, 2), { reference: plain });
    csr.dispose();
  });

  test('graphAttention refuses other shapes', () => {
    const csr = createCsr(raggedPattern(4, 4));
    const vectors = (heads: number) =>
      tf.reshape(matrix('a', 2 * heads, 2), [heads, 2, 2]) as tf.Tensor3D;
    const input = {
      features: matrix('x', 4, 2),
      scoreVectors: vectors(2),
      csr,
      positiveSlope: 1,
      negativeSlope: 0.2,
    };
    expect(() => graphAttention({ ...input, features: matrix('x', 3, 2) })).toThrow(ShapeError);
    expect(() => graphAttention({ ...input, headWeights: matrix('w', 3, 2) })).toThrow(ShapeError);
    expect(() => graphAttention({ ...input, scoreVectors: vectors(9) })).toThrow(/1 to 8 heads/);
  });
});

test('dropout has the same mask on every backend', async () => {
  const masks: number[][] = [];
  for (const backend of ['cpu', 'wasm'] as const) {
    await selectBackend(backend);
    masks.push(await values(dropout(tf.ones([3, 7]), 0.4, createRandom(1).seed32())));
  }
  expect(masks[0]).toEqual(masks[1]);
});

test('normals of the fixtures differ by name', async () => {
  await selectBackend('cpu');
  expect(await values(normals('a', [3]))).not.toEqual(await values(normals('b', [3])));
});
