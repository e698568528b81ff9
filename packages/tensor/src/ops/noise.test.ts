import { beforeAll, describe, expect, it } from 'vitest';
import { expectSameBits } from '../__fixtures__/thread-bits.js';
import { noiseRows, selectBackend, tf } from '../index.js';
import { expectNoLeak } from '../testing.js';

const numbersTo = (count: number) => Int32Array.from({ length: count }, (_, i) => i);

function draw(rows: Int32Array, width: number, distribution: 'normal' | 'uniform', seed32 = 7) {
  return tf.tidy(() => {
    const numbers = tf.tensor1d(rows, 'int32');
    return noiseRows(numbers, { width, seed32, distribution }).dataSync() as Float32Array;
  });
}

const mean = (x: Float32Array, f: (value: number) => number = (value) => value) =>
  x.reduce((sum, value) => sum + f(value), 0) / x.length;

/** Mean product of two lists of standard numbers. */
const correlation = (x: Float32Array, y: Float32Array) =>
  x.reduce((sum, value, i) => sum + value * y[i]!, 0) / x.length;

describe.each(['cpu', 'wasm'] as const)('noiseRows on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend(backend);
  });

  it('has the moments and tails of a normal', () => {
    const x = draw(numbersTo(2000), 100, 'normal');
    // Standard errors for 200,000 draws: .0022, .0032, .0087 and .022.
    expect(Math.abs(mean(x))).toBeLessThan(0.009);
    expect(Math.abs(mean(x, (v) => v ** 2) - 1)).toBeLessThan(0.013);
    expect(Math.abs(mean(x, (v) => v ** 3))).toBeLessThan(0.035);
    expect(Math.abs(mean(x, (v) => v ** 4) - 3)).toBeLessThan(0.09);
    const beyond = (limit: number) => mean(x, (v) => Number(Math.abs(v) > limit));
    expect(beyond(1.959964)).toBeCloseTo(0.05, 2);
    expect(beyond(3.290527)).toBeGreaterThan(0.0006);
    expect(beyond(3.290527)).toBeLessThan(0.0014);
  });

  it('is uniform on [0, 1)', () => {
    const x = draw(numbersTo(2000), 100, 'uniform');
    expect(Math.min(...x.subarray(0, 1000))).toBeGreaterThanOrEqual(0);
    expect(x.every((value) => value >= 0 && value < 1)).toBe(true);
    const tenths = new Float64Array(10);
    for (const value of x) tenths[Math.floor(value * 10)]! += 1;
    const chi = tenths.reduce((sum, count) => sum + (count - 20_000) ** 2 / 20_000, 0);
    expect(chi).toBeLessThan(27.9); // the .001 quantile with nine degrees of freedom
  });

  it('has no correlation between neighbours, rows or seeds', () => {
    const rows = numbersTo(1000);
    const x = draw(rows, 96, 'normal');
    const shifted = (by: number) => correlation(x.subarray(0, x.length - by), x.subarray(by));
    for (const by of [1, 2, 4, 8, 96, 192]) expect(Math.abs(shifted(by))).toBeLessThan(0.015);
    expect(Math.abs(correlation(x, draw(rows, 96, 'normal', 8)))).toBeLessThan(0.015);
  });

  it('draws a row by its number, whatever else is drawn', () => {
    const all = draw(numbersTo(50), 13, 'normal');
    const some = draw(Int32Array.from([41, 3, 41]), 13, 'normal');
    const row = (x: Float32Array, i: number) => [...x.subarray(13 * i, 13 * (i + 1))];
    expect(row(some, 0)).toEqual(row(all, 41));
    expect(row(some, 1)).toEqual(row(all, 3));
    expect(row(some, 2)).toEqual(row(all, 41));
    expect(draw(new Int32Array(0), 13, 'normal')).toHaveLength(0);
  });

  it('leaks nothing', async () => {
    await expectNoLeak(() => void draw(numbersTo(3), 5, 'normal'));
  });
});

it('is the same on every backend, to some units in the last place', async () => {
  const rows = Int32Array.from([0, 1, 5, 1_000_000, 2 ** 31 - 1]);
  const drawn = [];
  for (const backend of ['cpu', 'wasm'] as const) {
    await selectBackend(backend);
    drawn.push(draw(rows, 203, 'normal'), draw(rows, 203, 'uniform'));
  }
  const [normal, uniform, others, sames] = drawn;
  normal!.forEach((value, i) => expect(Math.abs(value - others![i]!)).toBeLessThan(4e-6));
  expect(sames).toEqual(uniform);
});

it('has the same bits for any number of threads', async () => {
  await selectBackend('wasm');
  const rows = tf.tensor1d(numbersTo(2000), 'int32');
  const options = { width: 100, seed32: 3, distribution: 'normal' } as const;
  await expectSameBits(() => [noiseRows(rows, options)]);
});
