import { createRandom } from '@lab/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { ids, normals } from '../__fixtures__/numbers.js';
import { softmaxOf } from '../__fixtures__/reference.js';
import { expectSameBits } from '../__fixtures__/thread-bits.js';
import {
  gatherRows,
  segmentMax,
  segmentMean,
  segmentSoftmax,
  segmentSum,
  selectBackend,
  tf,
} from '../index.js';
import { checkGradient, expectNoLeak } from '../testing.js';

interface Case {
  readonly rows: number;
  readonly width: number;
  readonly count: number;
}

/** Sizes around the narrow path (8), the strips (64 columns, 64 segments), the runs (512 rows). */
const CASES: Case[] = [
  { rows: 0, width: 3, count: 2 },
  { rows: 1, width: 1, count: 1 },
  { rows: 7, width: 5, count: 3 },
  { rows: 50, width: 9, count: 100 },
  { rows: 1300, width: 70, count: 2 },
  { rows: 1300, width: 11, count: 70 },
  { rows: 5, width: 0, count: 3 },
];

const segmentsOf = ({ rows, count }: Case): number[] => {
  const random = createRandom(rows + count);
  return Array.from({ length: rows }, () => random.integer(count));
};

/** A fold of the rows of each segment in float64, by the definition. */
function folded(
  values: ArrayLike<number>,
  segments: readonly number[],
  { width, count }: Case,
  join: (old: number | undefined, value: number) => number,
): Float64Array {
  const out = new Map<number, number>();
  segments.forEach((s, e) => {
    for (let d = 0; d < width; d++) {
      const to = s * width + d;
      out.set(to, join(out.get(to), values[e * width + d] as number));
    }
  });
  return Float64Array.from({ length: count * width }, (_, i) => out.get(i) ?? 0);
}

const sums = (values: ArrayLike<number>, segments: readonly number[], sizes: Case) =>
  folded(values, segments, sizes, (old = 0, value) => old + value);

function means(values: ArrayLike<number>, segments: readonly number[], sizes: Case) {
  const counts = segments.reduce((all, s) => all.set(s, (all.get(s) ?? 0) + 1), new Map());
  return sums(values, segments, sizes).map(
    (v, i) => v / (counts.get(Math.floor(i / sizes.width)) ?? 1),
  );
}

async function expectNear(found: tf.Tensor, wanted: ArrayLike<number>): Promise<void> {
  const values = await found.data();
  expect(values.length).toBe(wanted.length);
  const errors = Array.from(wanted, (value, i) => Math.abs(value - values[i]!));
  expect(errors.reduce((worst, error) => Math.max(worst, error), 0)).toBeLessThan(2e-4);
}

beforeAll(async () => {
  await selectBackend('wasm');
});

describe.each(CASES)('$rows rows of $width in $count segments', (sizes) => {
  const segments = segmentsOf(sizes);
  const x = () => normals('x', [sizes.rows, sizes.width]) as tf.Tensor2D;

  test('sums, means and maxima equal the float64 ones', async () => {
    const values = await x().data();
    const max = folded(values, segments, sizes, (old = -Infinity, value) => Math.max(old, value));
    await expectNear(segmentSum(x(), ids(segments), sizes.count), sums(values, segments, sizes));
    await expectNear(segmentMean(x(), ids(segments), sizes.count), means(values, segments, sizes));
    await expectNear(segmentMax(x(), ids(segments), sizes.count), max);
  });

  test('the gradients of a sum with weights come back row by row', async () => {
    const weights = normals('w', [sizes.count, sizes.width]);
    const w = await weights.data();
    const gradient = (f: typeof segmentSum) =>
      tf.grad((t) => tf.sum(tf.mul(f(t as tf.Tensor2D, ids(segments), sizes.count), weights)))(x());
    const rowOf = (s: number, d: number) => w[s * sizes.width + d] as number;
    const spread = (value: (s: number, d: number, e: number) => number) =>
      segments.flatMap((s, e) => Array.from({ length: sizes.width }, (_, d) => value(s, d, e)));
    await expectNear(gradient(segmentSum), spread(rowOf));
    const share = (s: number) => segments.filter((other) => other === s).length;
    const shares = Array.from({ length: sizes.count }, (_, s) => share(s));
    await expectNear(
      gradient(segmentMean),
      spread((s, d) => rowOf(s, d) / shares[s]!),
    );
    const values = await x().data();
    const max = folded(values, segments, sizes, (old = -Infinity, value) => Math.max(old, value));
    const isLargest = (s: number, d: number, e: number) =>
      Math.fround(max[s * sizes.width + d]!) === values[e * sizes.width + d];
    await expectNear(
      gradient(segmentMax),
      spread((s, d, e) => (isLargest(s, d, e) ? rowOf(s, d) : 0)),
    );
  });

  test('softmax equals the float64 one', async () => {
    const scores = normals('s', [sizes.rows]) as tf.Tensor1D;
    const wanted = softmaxOf(Float64Array.from(await scores.data()), segments);
    await expectNear(segmentSoftmax(scores, ids(segments), sizes.count), wanted);
  });
});

test('rows with a negative id belong to no segment, and get no gradient', async () => {
  const x = normals('x', [4, 9]) as tf.Tensor2D;
  const some = ids([1, -1, 0, 1]);
  const [values, y] = [await x.data(), await tf.unsortedSegmentSum(x, some, 2).data()];
  expect(y[9]).toBeCloseTo(values[0]! + values[27]!, 5);
  const gradient = tf.grad((t) => tf.sum(tf.unsortedSegmentSum(t, some, 2)))(x);
  const ones = [...(await tf.sum(gradient, 1).data())];
  expect(ones).toEqual([9, 0, 9, 9]);
});

test.each(['cpu', 'wasm'] as const)('a maximum over NaN is NaN on %s', async (backend) => {
  await selectBackend(backend);
  const column = [1, Number.NaN, 3, Number.NaN, 5, -0];
  const x = tf.tensor2d(
    column.flatMap((v) => [v, v, v, v, v]),
    [6, 5],
  );
  const found = await segmentMax(x, ids([0, 0, 0, 1, 2, 3]), 4).data();
  expect([0, 5, 10, 15].map((i) => found[i])).toEqual([Number.NaN, Number.NaN, 5, -0]);
});

test('gathers along any axis, of floats and of integers', async () => {
  const x = normals('x', [3, 5, 4]);
  const values = await x.data();
  const found = await tf.gather(x, tf.tensor2d([4, 0, 2, 2], [2, 2], 'int32'), 1).data();
  const wanted = [0, 1, 2].flatMap((o) =>
    [4, 0, 2, 2].flatMap((i) => [...values.subarray((o * 5 + i) * 4, (o * 5 + i + 1) * 4)]),
  );
  expect([...found]).toEqual(wanted);
  const whole = tf.gather(tf.tensor1d([7, 8, 9], 'int32'), ids([2, 0]));
  expect([whole.dtype, ...(await whole.data())]).toEqual(['int32', 9, 7]);
  expect(tf.gather(x, ids([]), 2).shape).toEqual([3, 5, 0]);
  expect(() => tf.gather(x, ids([5]), 1)).toThrow(/indices\[0\] is 5, outside 0 .. 4/);
  await checkGradient((t) => tf.gather(t, ids([1, 1, 0]), 2), [normals('y', [2, 2, 3])]);
});

test('nothing is left over, on success and on error', async () => {
  const x = normals('x', [6, 9]) as tf.Tensor2D;
  const some = ids([0, 1, 1, 2, 0, 1]);
  for (const f of [segmentSum, segmentMean, segmentMax]) {
    const run = (count: number) => () =>
      tf.grad((t) => tf.sum(f(t as tf.Tensor2D, some, count)))(x);
    expect(await expectNoLeak(run(3))).toBeUndefined();
    expect(String(await expectNoLeak(run(2)))).toContain('ids[3] is 2');
  }
});

test('three threads give the bits of one', async () => {
  const sizes = { rows: 6000, width: 90, count: 200 };
  const segments = ids(segmentsOf(sizes));
  const x = normals('x', [sizes.rows, sizes.width]) as tf.Tensor2D;
  const long = normals('s', [60_000]) as tf.Tensor1D;
  const few = ids(Array.from({ length: 60_000 }, (_, i) => i % 7));
  await expectSameBits(() => [
    ...[segmentSum, segmentMean, segmentMax].map((f) => f(x, segments, sizes.count)),
    gatherRows(x, segments),
    tf.grad((t) => tf.sum(tf.square(segmentMax(t as tf.Tensor2D, segments, sizes.count))))(x),
    segmentSoftmax(long, few, 7),
    tf.grad((t) => tf.sum(tf.square(segmentSoftmax(t as tf.Tensor1D, few, 7))))(long),
  ]);
});
