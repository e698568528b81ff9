import { ShapeError } from '@lab/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { normals } from '../__fixtures__/numbers.js';
import { expectSameBits } from '../__fixtures__/thread-bits.js';
import {
  type AttentionOptions,
  memoryReport,
  resetAllocationRecord,
  scaledDotProductAttention,
  selectBackend,
  tf,
} from '../index.js';
import { checkGradient, expectNoLeak } from '../testing.js';
import { activeKernels } from '../active-kernels.js';

type Arrays = readonly [q: ArrayLike<number>, k: ArrayLike<number>, v: ArrayLike<number>];

/** Heads of queries and of keys, queries, keys, features of keys and of values. */
type Sizes = readonly [H: number, G: number, T: number, S: number, D: number, C: number];

interface Reference extends Omit<AttentionOptions, 'keyMask'> {
  readonly keyMask?: ArrayLike<number>;
}

/** Product of a row of `a` with a row of `b`, both of `width` values. */
function dot(a: ArrayLike<number>, i: number, b: ArrayLike<number>, j: number, width: number) {
  let sum = 0;
  for (let d = 0; d < width; d++)
    sum += (a[i * width + d] as number) * (b[j * width + d] as number);
  return sum;
}

/** The formula query by query in float64. */
function attentionOf([q, k, v]: Arrays, sizes: Sizes, options: Reference): Float64Array {
  const [heads, kvHeads, length, keys, width, valueWidth] = sizes;
  const { causal = false, queryOffset = 0, scale = 1 / Math.sqrt(width), keyMask } = options;
  const maskRows = (keyMask?.length ?? 0) / keys;
  const out = new Float64Array(heads * length * valueWidth);
  for (let row = 0; row < heads * length; row++) {
    const head = Math.floor(row / length);
    const first = Math.floor((head * kvHeads) / heads) * keys;
    const maskStart = Math.floor((head * maskRows) / heads) * keys;
    const scores = Array.from({ length: keys }, (_, j) =>
      causal && j > (row % length) + queryOffset
        ? Number.NEGATIVE_INFINITY
        : scale * dot(q, row, k, first + j, width) + (keyMask?.[maskStart + j] ?? 0),
    );
    const top = Math.max(...scores);
    if (top === Number.NEGATIVE_INFINITY) continue;
    const weights = scores.map((s) => Math.exp(s - top));
    const sum = weights.reduce((a, b) => a + b);
    weights.forEach((weight, j) => {
      for (let d = 0; d < valueWidth; d++) {
        const to = row * valueWidth + d;
        const value = v[(first + j) * valueWidth + d] as number;
        out[to] = (out[to] as number) + (weight / sum) * value;
      }
    });
  }
  return out;
}

function inputsOf([heads, kvHeads, length, keys, width, valueWidth]: Sizes): tf.Tensor[] {
  return [
    normals('q', [heads, length, width]),
    normals('k', [kvHeads, keys, width]),
    normals('v', [kvHeads, keys, valueWidth]),
  ];
}

const attend = (xs: readonly tf.Tensor[], options: AttentionOptions = {}) =>
  scaledDotProductAttention(xs[0]!, xs[1]!, xs[2]!, options);

/** Some tens of units in the last place of the largest value: float32 sums of up to 900 terms. */
const RTOL = 3e-6;

function expectClose(found: ArrayLike<number>, wanted: Float64Array): void {
  const largest = wanted.reduce((m, v) => Math.max(m, Math.abs(v)), 1);
  const worst = wanted.reduce((m, v, i) => Math.max(m, Math.abs((found[i] as number) - v)), 0);
  expect(worst).toBeLessThan(RTOL * largest);
}

function expectReference(sizes: Sizes, options: Reference = {}): void {
  const inputs = inputsOf(sizes);
  const { keyMask: mask, ...rest } = options;
  const rows = mask === undefined ? [] : [mask.length / sizes[3], sizes[3]];
  const keyMask = mask && tf.tensor(Float32Array.from(mask), rows);
  const y = attend(inputs, keyMask === undefined ? rest : { ...rest, keyMask });
  expect(y.shape).toEqual([sizes[0], sizes[2], sizes[5]]);
  const arrays = inputs.map((x) => x.dataSync()) as unknown as Arrays;
  expectClose(y.dataSync(), attentionOf(arrays, sizes, options));
}

const HIDDEN = Number.NEGATIVE_INFINITY;

/** Around the blocks of 96 queries and 256 keys, of 6 x 8 tiles, and of 4 lanes. */
const SIZES: Sizes[] = [
  [1, 1, 1, 1, 1, 1],
  [2, 2, 3, 5, 4, 4],
  [2, 1, 7, 9, 5, 3],
  [4, 2, 6, 13, 8, 11],
  [1, 1, 97, 30, 5, 8],
  [1, 1, 98, 261, 3, 5],
  [2, 1, 2, 515, 8, 9],
];

describe.each(['cpu', 'wasm'] as const)('attention on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend(backend);
  });

  test.each(SIZES)('equals float64: heads %i / %i, %i x %i, widths %i, %i', (...sizes) => {
    const keyMask = normals('mask', [1, sizes[3]]).dataSync();
    expectReference(sizes);
    expectReference(sizes, { causal: true });
    expectReference(sizes, { causal: true, queryOffset: sizes[3] - sizes[2], scale: 0.7 });
    expectReference(sizes, { keyMask });
  });

  test('a mask per sequence hides keys, for all its heads', () => {
    const keyMask = [0, HIDDEN, 0, 1, HIDDEN, HIDDEN, 0, 0, 0, HIDDEN];
    expectReference([4, 2, 3, 5, 4, 4], { keyMask });
    expectReference([4, 4, 8, 5, 4, 4], { keyMask, causal: true });
  });

  test('a query that sees nothing gives zeros and has no gradient', () => {
    const inputs = inputsOf([1, 1, 4, 3, 2, 2]);
    const options = { causal: true, queryOffset: -2 };
    const y = attend(inputs, options).dataSync();
    expect([...y.slice(0, 4)]).toEqual([0, 0, 0, 0]);
    expectReference([1, 1, 4, 3, 2, 2], options);
    const gradients = tf.grads((...xs) => tf.sum(attend(xs, options)))(inputs);
    const [dq = []] = gradients.map((x) => [...x.dataSync()]);
    expect(dq.slice(0, 4)).toEqual([0, 0, 0, 0]);
    expect(gradients.flatMap((x) => [...x.dataSync()]).every(Number.isFinite)).toBe(true);
    const keyMask = tf.fill([3], HIDDEN);
    expect([...attend(inputs, { keyMask }).dataSync()]).toEqual(Array(8).fill(0));
  });

  test.each<[Sizes, Omit<AttentionOptions, 'keyMask'>]>([
    [[1, 1, 3, 4, 5, 2], {}],
    [[2, 1, 7, 3, 2, 4], { causal: true, queryOffset: -1 }],
    [[4, 2, 2, 6, 3, 3], { causal: true, queryOffset: 4, scale: 0.3 }],
    [[2, 2, 8, 9, 1, 1], { causal: true }],
  ])('has the right gradients: %j, %j', async (sizes, options) => {
    const inputs = inputsOf(sizes);
    await checkGradient((...xs) => attend(xs, options), inputs, {
      reference: (...arrays) => attentionOf(arrays as unknown as Arrays, sizes, options),
    });
    const keyMask = normals('mask', [sizes[0], sizes[3]]);
    const masks = keyMask.dataSync();
    await checkGradient((...xs) => attend(xs, { ...options, keyMask }), inputs, {
      reference: (...arrays) =>
        attentionOf(arrays as unknown as Arrays, sizes, { ...options, keyMask: masks }),
    });
  });

  test('takes batches of heads on axes of their own', () => {
    const flat = inputsOf([4, 2, 3, 5, 6, 6]);
    const keyMask = normals('mask', [2, 5]);
    const split = flat.map((x) => tf.reshape(x, [2, x.shape[0]! / 2, ...x.shape.slice(1)]));
    const y = attend(split, { keyMask });
    expect(y.shape).toEqual([2, 2, 3, 6]);
    expectClose(y.dataSync(), Float64Array.from(attend(flat, { keyMask }).dataSync()));
  });

  test('nothing in, nothing out', () => {
    for (const sizes of [
      [0, 0, 2, 3, 4, 5],
      [2, 2, 0, 3, 4, 5],
      [2, 1, 3, 0, 4, 5],
    ] as const) {
      const inputs = inputsOf(sizes);
      expect([...attend(inputs).dataSync()]).toEqual(Array(sizes[0] * sizes[2] * 5).fill(0));
      const gradients = tf.grads((...xs) => tf.sum(attend(xs)))(inputs);
      gradients.forEach((x, i) => expect(x.shape).toEqual(inputs[i]!.shape));
      expect([...gradients[0]!.dataSync()].every((v) => v === 0)).toBe(true);
    }
  });

  test('large scores are safe, NaN stays in its row', () => {
    const [q, k, v] = inputsOf([1, 1, 3, 4, 2, 2]) as [tf.Tensor, tf.Tensor, tf.Tensor];
    const far = attend([tf.mul(q, 1e4), k, v]).dataSync();
    expect([...far].every(Number.isFinite)).toBe(true);
    const broken = tf.concat([q, tf.fill([1, 1, 2], NaN)], 1);
    const y = [...attend([broken, k, v]).dataSync()];
    expect(y.slice(0, 6).every(Number.isFinite)).toBe(true);
    expect(y.slice(6)).toEqual([NaN, NaN]);
  });

  test('refuses what does not fit, and leaves no tensor behind', async () => {
    const [q, k, v] = inputsOf([4, 2, 3, 5, 4, 4]) as [tf.Tensor, tf.Tensor, tf.Tensor];
    const attempts: [tf.Tensor[], AttentionOptions, RegExp][] = [
      [[q, normals('k', [3, 5, 4]), normals('v', [3, 5, 4])], {}, /no multiple of those of k/],
      [[q, normals('k', [2, 5, 3]), v], {}, /different features/],
      [[q, k, normals('v', [2, 4, 4])], {}, /different heads or tokens/],
      [[tf.reshape(q, [12, 4]), k, v], {}, /too few axes/],
      [[tf.expandDims(q, 0), k, v], {}, /different batches/],
      [[q, k, v], { keyMask: tf.zeros([3, 5]) }, /keyMask does not fit/],
      [[tf.cast(q, 'int32'), k, v], {}, /type int32/],
    ];
    for (const [inputs, options, message] of attempts) {
      const thrown = await expectNoLeak(() => attend(inputs, options));
      expect(thrown).toBeInstanceOf(ShapeError);
      expect((thrown as Error).message).toMatch(message);
    }
    const run = () => tf.grads((...xs) => tf.sum(attend(xs, { causal: true })))([q, k, v]);
    expect(await expectNoLeak(run)).toBeUndefined();
  });
});

describe('the kernel', () => {
  beforeAll(async () => {
    await selectBackend('wasm');
  });

  test.each<[Sizes, AttentionOptions]>([
    [[4, 2, 130, 290, 9, 7], { causal: true, queryOffset: 160 }],
    [[1, 1, 201, 600, 16, 16], {}],
    [[16, 8, 99, 20, 8, 8], { causal: true }],
  ])('has the gradients of the composed form in many blocks: %j', (sizes, options) => {
    const inputs = inputsOf(sizes);
    const loss = (f: typeof attend) =>
      tf
        .grads((...xs) => tf.sum(tf.square(f(xs, options))))(inputs)
        .map((x) => x.dataSync());
    const found = loss(attend);
    const wanted = loss((xs) => {
      const rows = sizes[0] / sizes[1];
      const [k, v] = [xs[1]!, xs[2]!].map((x) =>
        tf.reshape(tf.tile(tf.expandDims(x, 1), [1, rows, 1, 1]), [sizes[0], ...x.shape.slice(1)]),
      ) as [tf.Tensor, tf.Tensor];
      const scores = tf.mul(tf.matMul(xs[0]!, k, false, true), 1 / Math.sqrt(sizes[4]));
      const last = tf.add(tf.range(0, sizes[2]), options.queryOffset ?? 0);
      const seen = tf.lessEqual(tf.range(0, sizes[3]), tf.expandDims(last, 1));
      const hidden = options.causal ? tf.where(seen, scores, tf.fill([1, 1], HIDDEN)) : scores;
      return tf.matMul(tf.softmax(hidden), v);
    });
    found.forEach((values, i) => expectClose(values, Float64Array.from(wanted[i]!)));
  });

  test.each<Sizes>([
    [3, 3, 200, 300, 20, 20],
    [2, 1, 3, 900, 16, 16],
  ])('has the same bits on any number of threads: %i, %i, %i x %i', async (...sizes) => {
    const inputs = inputsOf(sizes);
    const options = { causal: true, queryOffset: sizes[3] - sizes[2] };
    const loss = (...xs: tf.Tensor[]) => tf.sum(tf.square(attend(xs, options)));
    await expectSameBits(() => [attend(inputs, options), ...tf.grads(loss)(inputs)]);
  });

  test('holds no matrix of all scores', () => {
    const inputs = inputsOf([1, 1, 1500, 1500, 2, 2]);
    const loss = (...xs: tf.Tensor[]) => tf.sum(attend(xs));
    activeKernels()?.useThreads(1);
    resetAllocationRecord();
    const before = memoryReport().peakHeapBytes ?? 0;
    tf.dispose(tf.grads(loss)(inputs));
    const most = (memoryReport().peakHeapBytes ?? 0) - before;
    expect(most).toBeGreaterThan(4 * 1500 * 6);
    expect(most).toBeLessThan((4 * 1500 * 1500) / 3);
  });
});
