import { BackendError, createRandom, DataError, ShapeError } from '@lab/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ids, matrix, vector } from '../__fixtures__/numbers.js';
import { expectSameBits } from '../__fixtures__/thread-bits.js';
import {
  createHalfMatrix,
  halfMatMul,
  halfRows,
  readHalfMatrix,
  type HalfDtype,
  type HalfMatrix,
  memoryReport,
  selectBackend,
  tf,
} from '../index.js';
import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
} from '../io/half.js';
import { checkGradient, expectNoLeak } from '../testing.js';

const DTYPES: HalfDtype[] = ['float16', 'bfloat16'];
const toHalf = { float16: float32ToFloat16, bfloat16: float32ToBfloat16 };
const toFloat = { float16: float16ToFloat32, bfloat16: bfloat16ToFloat32 };

/** Sizes around the lanes (8), the few rows (4), the strips (128) and the depth (384). */
const SIZES: [m: number, n: number, k: number][] = [
  [1, 1, 1],
  [1, 5, 9],
  [2, 7, 16],
  [3, 3, 33],
  [4, 130, 8],
  [5, 130, 17],
  [9, 257, 385],
  [0, 3, 4],
  [3, 0, 4],
  [6, 4, 0],
];

interface Weights {
  readonly matrix: HalfMatrix;
  readonly floats: Float32Array;
}

function weightsOf(dtype: HalfDtype, rows: number, columns: number): Weights {
  const values = createRandom(3).fillNormal(new Float32Array(rows * columns));
  const patterns = toHalf[dtype](values);
  const floats = toFloat[dtype](patterns);
  return { matrix: createHalfMatrix(patterns, { rows, columns, dtype }), floats };
}

/** `x w^T` in float64. */
function product(x: ArrayLike<number>, w: ArrayLike<number>, [m, n, k]: readonly number[]) {
  const out = new Float64Array(m! * n!);
  for (let i = 0; i < out.length; i++) {
    const [row, column] = [Math.floor(i / n!), i % n!];
    for (let p = 0; p < k!; p++) out[i]! += x[row * k! + p]! * w[column * k! + p]!;
  }
  return out;
}

function expectNear(found: ArrayLike<number>, wanted: ArrayLike<number>): void {
  expect(found.length).toBe(wanted.length);
  const errors = Array.from(wanted, (value, i) => Math.abs(value - found[i]!));
  expect(errors.reduce((worst, error) => Math.max(worst, error), 0)).toBeLessThan(5e-4);
}

afterAll(async () => {
  await selectBackend('wasm');
});

describe.each(['cpu', 'wasm'] as const)('16-bit weights on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend(backend);
  });

  test.each(SIZES)('a product of %i rows, %i x %i weights', async (m, n, k) => {
    for (const dtype of DTYPES) {
      const { matrix: weight, floats } = weightsOf(dtype, n, k);
      const [x, bias] = [matrix('x', m, k), vector('bias', n)];
      const wanted = product(await x.data(), floats, [m, n, k]);
      expectNear(await halfMatMul(x, weight).data(), wanted);
      const shifts = await bias.data();
      const shifted = wanted.map((v, i) => v + shifts[i % n]!);
      expectNear(await halfMatMul(x, weight, { bias }).data(), shifted);
      weight.dispose();
    }
  });

  test('the gradient is the product with the weights themselves', async () => {
    for (const dtype of DTYPES) {
      for (const [m, n, k] of [
        [2, 3, 5],
        [6, 5, 9],
      ] as const) {
        const { matrix: weight, floats } = weightsOf(dtype, n, k);
        const reference = (x: Float64Array, b: Float64Array) =>
          product(x, floats, [m, n, k]).map((v, i) => v + b[i % n]!);
        const run = (x: tf.Tensor, bias: tf.Tensor) =>
          halfMatMul(x as tf.Tensor2D, weight, { bias: bias as tf.Tensor1D });
        await checkGradient(run, [matrix('x', m, k), vector('b', n)], { reference });
        weight.dispose();
      }
    }
  });

  test.each(DTYPES)('every pattern of %s becomes its float, bit by bit', async (dtype) => {
    const patterns = Uint16Array.from({ length: 65_536 }, (_, i) => i);
    const wanted = toFloat[dtype](patterns);
    for (const columns of [1, 16, 20]) {
      const rows = Math.floor(65_536 / columns);
      const data = patterns.slice(0, rows * columns);
      const weight = createHalfMatrix(data, { rows, columns, dtype });
      const all = tf.range(0, rows, 1, 'int32') as tf.Tensor1D;
      const found = await halfRows(weight, all).data();
      const differing = found.findIndex((value, i) => !Object.is(value, wanted[i]));
      expect(differing).toBe(-1);
      weight.dispose();
    }
  });

  test('infinite and NaN weights stay so in products', async () => {
    const data = float32ToFloat16(Float32Array.of(1, Infinity, 2, Number.NaN, 3, 2 ** -24));
    const weight = createHalfMatrix(data, { rows: 3, columns: 2, dtype: 'float16' });
    expect(weight.isFinite).toBe(false);
    const y = await halfMatMul(tf.tensor2d([1, 2], [1, 2]), weight).data();
    expect([...y]).toEqual([Infinity, Number.NaN, Math.fround(3 + 2 ** -23)]);
    weight.dispose();
  });

  test('bytes of a file at any place are taken, and nothing is left over', async () => {
    const bytes = new Uint8Array(9);
    bytes.set(new Uint8Array(float32ToFloat16(Float32Array.of(1, 2, 3, 4)).buffer), 1);
    const before = memoryReport().tensorCount;
    const leak = await expectNoLeak(() => {
      const options = { rows: 2, columns: 2, dtype: 'float16' } as const;
      const weight = createHalfMatrix(bytes.subarray(1), options);
      expect(memoryReport().tensorCount).toBe(before + 1);
      const f = (x: tf.Tensor) => tf.sum(halfMatMul(x as tf.Tensor2D, weight));
      const gradient = tf.tidy(() => tf.grad(f)(tf.ones([1, 2])));
      expect([...gradient.dataSync()]).toEqual([4, 6]);
      weight.dispose();
      return gradient;
    });
    expect(leak).toBeUndefined();
  });

  test('shapes and indices that do not fit are refused', () => {
    const { matrix: weight } = weightsOf('float16', 2, 3);
    expect(() => halfMatMul(matrix('x', 1, 2), weight)).toThrow(ShapeError);
    expect(() => halfMatMul(matrix('x', 1, 3), weight, { bias: vector('b', 3) })).toThrow(
      ShapeError,
    );
    expect(() => halfRows(weight, ids([2]))).toThrow(DataError);
    const options = { rows: 2, columns: 2, dtype: 'bfloat16' } as const;
    expect(() => createHalfMatrix(new Uint16Array(5), options)).toThrow('has 8 bytes');
    weight.dispose();
  });
});

test('a matrix made on wasm is refused on another backend', async () => {
  await selectBackend('wasm');
  const { matrix: weight } = weightsOf('float16', 2, 3);
  await selectBackend('cpu');
  expect(() => halfMatMul(matrix('x', 1, 3), weight)).toThrow(BackendError);
  await selectBackend('wasm');
  weight.dispose();
});

test('three threads give the bits of one', async () => {
  await selectBackend('wasm');
  const { matrix: weight } = weightsOf('float16', 900, 400);
  const [one, many] = [matrix('one', 1, 400), matrix('many', 20, 400)];
  await expectSameBits(() => [
    halfMatMul(one, weight),
    halfMatMul(many, weight),
    tf.grad((t) => tf.sum(tf.square(halfMatMul(t as tf.Tensor2D, weight))))(many),
  ]);
});

describe('readHalfMatrix', () => {
  test.each(['bfloat16', 'float16'] as const)('is that of its bytes, %s', async (dtype) => {
    const x = tf.tensor2d([1, -2, 3], [1, 3]);
    const patterns = Uint16Array.of(0x3c00, 0x4049, 0x8000, 0x0001, 0x3555, 0xc2c8, 1, 2, 3);
    const bytes = new Uint8Array(patterns.buffer);
    const options = { rows: 3, columns: 3, dtype };
    const before = tf.memory().numTensors;
    const own = await readHalfMatrix(async (target) => target.set(bytes), options);
    const wanted = createHalfMatrix(patterns, options);
    expect(own.isFinite).toBe(wanted.isFinite);
    expect(await own.values.data()).toEqual(await wanted.values.data());
    expect(await halfMatMul(x, own).data()).toEqual(await halfMatMul(x, wanted).data());
    own.dispose();
    wanted.dispose();
    expect(tf.memory().numTensors).toBe(before + 2);
  });

  test('frees its memory where the data does not come', async () => {
    const before = tf.memory().numTensors;
    const fail = () => Promise.reject(new Error('no disk'));
    const read = readHalfMatrix(fail, { rows: 2, columns: 2, dtype: 'float16' });
    await expect(read).rejects.toThrow('no disk');
    expect(tf.memory().numTensors).toBe(before);
  });
});
