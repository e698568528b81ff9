import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { normals } from '../__fixtures__/numbers.js';
import { expectSameBits } from '../__fixtures__/thread-bits.js';
import { kernelReport, resetKernelReport, selectBackend, tf } from '../index.js';

type Operation = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;
const OPERATIONS: [string, Operation, (a: number, b: number) => number][] = [
  ['Add', tf.add, (a, b) => a + b],
  ['Sub', tf.sub, (a, b) => a - b],
  ['Multiply', tf.mul, (a, b) => a * b],
  ['RealDiv', tf.div, (a, b) => a / b],
];

/** Shapes of the operands, and whether our kernel takes them. */
const FORMS: [number[], number[], boolean][] = [
  [[7], [7], true],
  [[3, 5], [3, 5], true],
  [[2, 3, 9], [2, 3, 9], true],
  [[3, 5], [], true],
  [[], [3, 5], true],
  [[3, 5], [1, 1], true],
  [[3, 5], [5], true],
  [[5], [3, 5], true],
  [[2, 3, 5], [1, 5], true],
  [[3, 5], [3, 1], true],
  [[3, 1], [3, 5], true],
  [[2, 3, 4], [2, 3, 1], true],
  [[3, 1], [3, 1], true],
  [[0, 4], [4], true],
  [[3, 1], [1, 4], true],
  [[2, 3, 4], [2, 1, 4], false],
  [[2, 3, 4], [3, 1], false],
];

/** The result in float64, by broadcasting index by index. */
function reference(a: tf.Tensor, b: tf.Tensor, f: (a: number, b: number) => number) {
  const shape = tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
  const [x, y] = [a.dataSync(), b.dataSync()];
  const place = (index: number, own: number[]): number => {
    let rest = index;
    let at = 0;
    let stride = 1;
    for (let axis = 1; axis <= shape.length; axis += 1) {
      const size = shape[shape.length - axis]!;
      const mine = own[own.length - axis] ?? 1;
      if (mine > 1) at += (rest % size) * stride;
      stride *= mine;
      rest = Math.floor(rest / size);
    }
    return at;
  };
  const length = shape.reduce((product, size) => product * size, 1);
  return Array.from({ length }, (_, i) => f(x[place(i, a.shape)]!, y[place(i, b.shape)]!));
}

beforeAll(async () => {
  await selectBackend('wasm');
});
afterAll(() => resetKernelReport());

describe.each(OPERATIONS)('%s', (name, operation, f) => {
  it.each(FORMS)('of %j and %j equals float64', (first, second, isOurs) => {
    const a = normals('a', first);
    const b = tf.add(tf.abs(normals('b', second)), 0.5);
    resetKernelReport();
    const y = operation(a, b);
    const use = kernelReport().find(({ kernel }) => kernel === name);
    expect(use).toMatchObject(isOurs ? { ours: 1, stock: 0 } : { ours: 0, stock: 1 });
    const wanted = reference(a, b, f);
    expect(y.size).toBe(wanted.length);
    const found = y.dataSync();
    wanted.forEach((value, i) => expect(Math.abs(found[i]! - value)).toBeLessThan(1e-6 * 8));
  });

  it('has the same bits for any number of threads', async () => {
    const a = normals('a', [300, 301]);
    const [b, row, column] = [[300, 301], [301], [300, 1]].map((shape) => normals('b', shape));
    await expectSameBits(() => [operation(a, b!), operation(a, row!), operation(column!, a)]);
  });
});

it('divides by zero as numbers do', () => {
  const quotients = tf.div(tf.tensor1d([1, -1, 0]), tf.tensor1d([0, 0, 0])).dataSync();
  expect([...quotients]).toEqual([Infinity, -Infinity, NaN]);
});
