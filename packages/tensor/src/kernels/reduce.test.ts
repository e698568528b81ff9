import { beforeAll, describe, expect, test } from 'vitest';
import { normals } from '../__fixtures__/numbers.js';
import { expectSameBits } from '../__fixtures__/thread-bits.js';
import { selectBackend, tf } from '../index.js';
import { checkGradient, expectNoLeak } from '../testing.js';

type Name = 'sum' | 'mean' | 'prod' | 'max' | 'min';
const NAMES: readonly Name[] = ['sum', 'mean', 'prod', 'max', 'min'];
const START = { sum: 0, mean: 0, prod: 1, max: -Infinity, min: Infinity };
const JOIN: Record<Name, (a: number, b: number) => number> = {
  sum: (a, b) => a + b,
  mean: (a, b) => a + b,
  prod: (a, b) => a * b,
  max: Math.max,
  min: Math.min,
};

/** The reduction in float64: every element joined to the result of its kept axes. */
function reduced(name: Name, values: ArrayLike<number>, shape: number[], axes: number[]) {
  const kept = shape.map((size, a) => (axes.includes(a) ? 1 : size));
  const out = new Float64Array(kept.reduce((p, s) => p * s, 1)).fill(START[name]);
  for (let i = 0; i < values.length; i++) {
    let [rest, to, step] = [i, 0, 1];
    for (let a = shape.length - 1; a >= 0; a--) {
      const size = shape[a] as number;
      if (!axes.includes(a)) {
        to += (rest % size) * step;
        step *= size;
      }
      rest = Math.floor(rest / size);
    }
    out[to] = JOIN[name](out[to] as number, values[i] as number);
  }
  const count = axes.reduce((p, a) => p * (shape[a] as number), 1);
  return name === 'mean' ? out.map((v) => v / count) : out;
}

/** Sizes around the lanes (4, 16), the narrow path (32), the parts (512 rows, 2048, 16384). */
const CASES: { shape: number[]; axes: number[] }[] = [
  { shape: [1], axes: [0] },
  { shape: [17], axes: [0] },
  { shape: [40_001], axes: [0] },
  { shape: [5, 3], axes: [0] },
  { shape: [5, 3], axes: [1] },
  { shape: [5, 3], axes: [] },
  { shape: [1100, 33], axes: [0] },
  { shape: [8200, 5], axes: [0] },
  { shape: [9000, 2], axes: [0, 1] },
  { shape: [6, 2051], axes: [0] },
  { shape: [2, 530, 65], axes: [1] },
  { shape: [3, 4, 5], axes: [0, 2] },
  { shape: [2, 3, 4, 5], axes: [1, 3] },
  { shape: [2, 3, 4, 5], axes: [0, 2] },
  { shape: [2, 3, 2, 3, 2], axes: [0, 2, 4] },
  { shape: [0, 3], axes: [0] },
  { shape: [3, 0], axes: [0] },
];

beforeAll(async () => {
  await selectBackend('wasm');
});

describe.each(CASES)('reductions of [$shape] over [$axes]', ({ shape, axes }) => {
  test.each(NAMES)('%s equals the float64 one', async (name) => {
    const x = normals('x', shape);
    const near = name === 'prod' ? tf.add(1, tf.mul(x, 1e-3)) : x;
    const y = tf[name](near, axes);
    expect(y.shape).toEqual(shape.filter((_, a) => !axes.includes(a)));
    const wanted = reduced(name, await near.data(), shape, axes);
    const found = await y.data();
    const scale = name === 'sum' ? 1e-6 * Math.sqrt(x.size / Math.max(y.size, 1)) + 1e-6 : 1e-5;
    wanted.forEach((value, i) => {
      if (Number.isFinite(value)) expect(Math.abs(found[i]! - value)).toBeLessThan(10 * scale);
      else expect(found[i]).toBe(value);
    });
    expect(tf[name](near, axes, true).shape).toEqual(
      shape.map((size, a) => (axes.includes(a) ? 1 : size)),
    );
  });
});

test.each(NAMES)('%s of NaN is NaN, wherever it stands', async (name) => {
  for (const at of [0, 3, 16, 20]) {
    const values = Array.from({ length: 21 }, (_, i) => (i === at ? Number.NaN : i));
    expect([...(await tf[name](tf.tensor1d(values)).data())]).toEqual([Number.NaN]);
    expect([...(await tf[name](tf.tensor2d(values, [21, 1]), 1).data())]).toEqual(values);
  }
});

test('sums of millions keep their accuracy', async () => {
  const x = tf.fill([3_000_000], 0.1);
  expect((await tf.sum(x).data())[0]).toBeCloseTo(3_000_000 * Math.fround(0.1), 0);
  expect((await tf.sum(tf.reshape(x, [1_000_000, 3]), 0).data())[1]).toBeCloseTo(100_000, 0);
});

test('gradients over axes apart, with nothing left over', async () => {
  const x = normals('x', [2, 3, 4]);
  for (const name of ['sum', 'mean', 'max', 'min'] as const) {
    const reference = (a: Float64Array) => reduced(name, a, [2, 3, 4], [0, 2]);
    await checkGradient((t) => tf[name](t, [0, 2]), [x], { reference });
    expect(await expectNoLeak(() => tf[name](x, [0, 2]))).toBeUndefined();
  }
});

test('three threads give the bits of one', async () => {
  const inputs = [normals('a', [1500, 300]), normals('b', [300_000]), normals('c', [90, 70, 50])];
  await expectSameBits(() => [
    tf.sum(inputs[0]!, 0),
    tf.mean(inputs[0]!, 1),
    tf.sum(inputs[1]!),
    tf.sum(inputs[2]!, [0, 2]),
  ]);
});
