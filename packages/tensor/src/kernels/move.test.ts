import { beforeAll, describe, expect, test } from 'vitest';
import { normals } from '../__fixtures__/numbers.js';
import { expectSameBits } from '../__fixtures__/thread-bits.js';
import { selectBackend, tf } from '../index.js';
import { expectNoLeak } from '../testing.js';

/** A tensor whose element at a place is `valueAt(place)`. */
function placed(shape: number[], valueAt: (place: number[]) => number): Float32Array {
  const size = shape.reduce((product, length) => product * length, 1);
  return Float32Array.from({ length: size }, (_, i) => {
    const place = shape.map(() => 0);
    let rest = i;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place[axis] = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    return valueAt(place);
  });
}

/** Reads elements of a tensor by place. */
function reader(values: ArrayLike<number>, shape: number[]): (place: number[]) => number {
  return (place) => values[place.reduce((at, p, axis) => at * shape[axis]! + p, 0)]!;
}

async function expectSame(found: tf.Tensor, wanted: Float32Array): Promise<void> {
  const values = (await found.data()) as Float32Array;
  expect(values.length).toBe(wanted.length);
  expect(values.findIndex((value, i) => value !== wanted[i])).toBe(-1);
}

beforeAll(async () => {
  await selectBackend('wasm');
});

/** Rows shorter and longer than a piece (16,384 floats) and than a plain loop (512). */
const SHAPES = [[1], [3, 5], [2, 700], [3, 1, 4], [2, 20_000], [40_000, 1], [2, 3, 600], [0, 4]];

describe.each(SHAPES.map((shape) => ({ shape })))('moves of [$shape]', ({ shape }) => {
  test('tile repeats each axis', async () => {
    const x = normals('x', shape);
    const read = reader(await x.data(), shape);
    const cases = [shape.map(() => 1), shape.map(() => 2), shape.map((_, i) => (i === 0 ? 5 : 1))];
    for (const reps of cases) {
      const whole = shape.map((size, i) => size * reps[i]!);
      const wanted = placed(whole, (place) => read(place.map((p, i) => p % shape[i]!)));
      await expectSame(tf.tile(x, reps), wanted);
    }
  });

  test('slice, pad and concat along each axis', async () => {
    const x = normals('x', shape);
    const read = reader(await x.data(), shape);
    for (let axis = 0; axis < shape.length; axis++) {
      const begin = shape.map((size, i) => (i === axis ? Math.floor(size / 3) : 0));
      const size = shape.map((length, i) => length - begin[i]!);
      const cut = placed(size, (place) => read(place.map((p, i) => p + begin[i]!)));
      await expectSame(tf.slice(x, begin, size), cut);
      const paddings = shape.map((_, i): [number, number] => (i === axis ? [2, 1] : [0, 0]));
      const padded = shape.map((length, i) => length + paddings[i]![0] + paddings[i]![1]);
      const isInside = (p: number): boolean => p >= 2 && p < 2 + shape[axis]!;
      const zeroed = placed(padded, (place) =>
        isInside(place[axis]!) ? read(place.map((p, i) => p - paddings[i]![0])) : 0,
      );
      await expectSame(tf.pad(x, paddings), zeroed);
      const twice = shape.map((length, i) => (i === axis ? 2 * length : length));
      const joined = placed(twice, (place) => read(place.map((p, i) => p % shape[i]!)));
      await expectSame(tf.concat([x, x], axis), joined);
    }
  });
});

test('boxes cut along two axes are cut too', async () => {
  const x = normals('x', [4, 5]);
  const read = reader(await x.data(), [4, 5]);
  await expectSame(
    tf.slice(x, [1, 2], [2, 3]),
    placed([2, 3], ([i, j]) => read([i! + 1, j! + 2])),
  );
  const padded = placed([6, 6], ([i, j]) => (i! > 0 && i! < 5 && j! < 5 ? read([i! - 1, j!]) : 0));
  await expectSame(
    tf.pad(x, [
      [1, 1],
      [0, 1],
    ]),
    padded,
  );
});

test('nothing is left over, and three threads copy what one does', async () => {
  const x = normals('x', [300, 700]);
  const moves = [
    () => tf.tile(x, [2, 3]),
    () => tf.slice(x, [0, 5], [-1, 600]),
    () =>
      tf.pad(x, [
        [9, 20],
        [0, 0],
      ]),
    () => tf.concat([x, x], 1),
  ];
  for (const move of moves) {
    expect(await expectNoLeak(move)).toBeUndefined();
    await expectSameBits(() => [move()]);
  }
});
