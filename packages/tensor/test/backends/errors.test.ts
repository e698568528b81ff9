import { ConfigError, DataError, ShapeError } from '@lab/core';
import { describe, expect, test } from 'vitest';
import { ids, matrix, raggedPattern, vector } from '../../src/__fixtures__/numbers.js';
import {
  createCsr,
  csrMatMul,
  gatherRows,
  graphAttention,
  hostMatMul,
  iclLoss,
  infoNce,
  layerNorm,
  segmentMax,
  segmentSoftmax,
  segmentSum,
  tf,
} from '../../src/index.js';
import { type BackendUnderTest, describeBackends } from './backends.js';

type ErrorKind = abstract new (...parameters: never[]) => Error;

const rows = (values: readonly number[], width: number): tf.Tensor2D =>
  tf.tensor2d([...values], [values.length / width, width]);

const csrOf = (columns: readonly number[], rowPointers: readonly number[]) =>
  createCsr({
    ...{ rowCount: rowPointers.length - 1, columnCount: 3 },
    ...{ rowPointers: Int32Array.from(rowPointers), columns: Int32Array.from(columns) },
  });

const softLabels = (columns: readonly number[]) => ({
  ...{ columns: Int32Array.from(columns), weights: new Float32Array(columns.length).fill(1) },
});

/** What was given, what the message must say, and which kind it is. */
const REFUSED: readonly [string, () => unknown, RegExp, ErrorKind][] = [
  ['a row past the end', () => gatherRows(matrix('x', 3, 2), ids([0, 3])), /\[1\] is 3/, DataError],
  ['a negative row', () => gatherRows(matrix('x', 3, 2), ids([-1])), /\[0\] is -1/, DataError],
  [
    'a segment past the end',
    () => segmentSum(matrix('x', 2, 2), ids([0, 5]), 3),
    /\[1\] is 5, outside 0 .. 2/,
    DataError,
  ],
  [
    'a negative segment',
    () => segmentSum(matrix('x', 2, 2), ids([-1, 0]), 3),
    /\[0\] is -1/,
    DataError,
  ],
  [
    'a segment past the end of a maximum',
    () => segmentMax(matrix('x', 2, 2), ids([0, 3]), 3),
    /\[1\] is 3/,
    DataError,
  ],
  [
    'a negative segment of a softmax',
    () => segmentSoftmax(vector('s', 2), ids([0, -7]), 3),
    /\[1\] is -7/,
    DataError,
  ],
  ['an entry past the last column', () => csrOf([0, 3], [0, 2]), /column 3, outside 0/, DataError],
  ['row pointers that fall', () => csrOf([0, 1, 2], [0, 2, 1, 3]), /fall from row 1/, DataError],
  [
    'a label outside the batch',
    () =>
      infoNce(matrix('a', 2, 3), matrix('b', 2, 3), {
        ...{ temperature: 1, direction: 'both', softLabels: softLabels([0, 2]) },
      }),
    /column 2 of row 1/,
    ConfigError,
  ],
  [
    'losses of no rows',
    () => iclLoss(matrix('a', 0, 3), matrix('b', 0, 3), { temperature: 1 }),
    /left is \[0,3\]/,
    ShapeError,
  ],
  [
    'inner sizes that differ',
    () => csrMatMul(csrOf([0], [0, 1]), matrix('x', 4, 2)),
    /expected|3/,
    ShapeError,
  ],
  [
    'host values of another size',
    () =>
      hostMatMul({ rowCount: 2, columnCount: 3, values: new Float32Array(5) }, matrix('w', 3, 2)),
    /5|6/,
    ShapeError,
  ],
];

function caughtFrom(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Fails unless the backend still multiplies. */
async function expectAlive(): Promise<void> {
  const product = tf.tidy(() => tf.matMul(rows([1, 2, 3, 4], 2), rows([1, 2, 3, 4], 2)));
  expect([...(await product.data())]).toEqual([7, 10, 15, 22]);
  product.dispose();
}

/** Operations of nothing: the shape of the result. */
const EMPTY: readonly [string, () => tf.Tensor, number[]][] = [
  ['no rows gathered', () => gatherRows(matrix('x', 3, 2), ids([])), [0, 2]],
  ['segments of no rows', () => segmentSum(matrix('x', 0, 2), ids([]), 3), [3, 2]],
  ['maxima of no rows', () => segmentMax(matrix('x', 0, 2), ids([]), 3), [3, 2]],
  ['softmax of no scores', () => segmentSoftmax(vector('s', 0), ids([]), 3), [0]],
  ['a sparse matrix without entries', () => csrMatMul(csrOf([], [0, 0]), tf.ones([3, 2])), [1, 2]],
  ['a product of no rows', () => tf.matMul(tf.zeros([0, 4]), tf.ones([4, 2])), [0, 2]],
  ['a product over nothing', () => tf.matMul(tf.zeros([3, 0]), tf.zeros([0, 2])), [3, 2]],
  ['layer norm of no rows', () => layerNorm(matrix('x', 0, 2), tf.ones([2]), tf.ones([2])), [0, 2]],
  ['a sum of no rows', () => tf.sum(tf.zeros([0, 3]), 0), [3]],
  ['elements of nothing', () => tf.tanh(tf.mul(tf.zeros([0, 3]), 2)), [0, 3]],
];

/** NaN in the first row: which rows of the result must be NaN, and that others are not. */
const NOT_A_NUMBER: readonly [string, (x: tf.Tensor2D) => tf.Tensor, boolean[]][] = [
  ['a product', (x) => tf.matMul(x, tf.ones([2, 1])), [true, false, false]],
  ['a sum', (x) => tf.sum(x, 1), [true, false, false]],
  ['a gather', (x) => tf.sum(gatherRows(x, ids([1, 0])), 1), [false, true]],
  ['segment sums', (x) => tf.sum(segmentSum(x, ids([1, 1, 0]), 2), 1), [false, true]],
  ['a sparse product', (x) => tf.sum(csrMatMul(csrOf([0, 1], [0, 1, 2]), x), 1), [true, false]],
  [
    'a layer norm',
    (x) => tf.sum(layerNorm(x, tf.ones([2]), tf.ones([2])), 1),
    [true, false, false],
  ],
  ['exp', (x) => tf.sum(tf.exp(x), 1), [true, false, false]],
];

/** Sizes that no heap or adapter holds, and what the error says. */
const OVERSIZE: Readonly<Record<string, RegExp>> = {
  wasm: /wasm heap cannot hold another 7.2 GB/,
  webgpu: /\[60000, 30000\] takes 7.2 GB, but this webgpu adapter binds at most/,
};

function oversizeTests({ name }: BackendUnderTest): void {
  const message = OVERSIZE[name.split(',')[0] as string];
  if (message === undefined) return; // the backend has the machine's own memory
  test('a tensor past what it holds is refused with sizes', async () => {
    const before = tf.memory().numTensors;
    const seed = tf.ones([1, 1]);
    expect(caughtFrom(() => tf.tile(seed, [60_000, 30_000]))).toMatchObject({
      code: 'LAB_BACKEND',
      message: expect.stringMatching(message) as string,
    });
    seed.dispose();
    expect(tf.memory().numTensors).toBe(before);
    await expectAlive();
  });
}

describeBackends('wrong inputs', (backend) => {
  describe('are refused with numbers, and work goes on', () => {
    test.each(REFUSED)('%s', async (_, run, message, kind) => {
      const before = tf.memory().numTensors;
      const error = caughtFrom(() => tf.tidy(() => void run()));
      expect(error).toBeInstanceOf(kind);
      expect((error as Error).message).toMatch(message);
      expect(tf.memory().numTensors - before).toBeLessThanOrEqual(8); // a matrix that was kept
      await expectAlive();
    });
  });

  test('what failing operations were given keeps its values, and nothing else stays', async () => {
    const counts = () => [tf.memory().numTensors, tf.memory().numDataBuffers];
    const before = counts();
    const [x, one] = [matrix('x', 3, 2), ids([0, 1, 0])];
    const values = x.dataSync().slice();
    const [given, past] = [counts(), ids([0, 1, 3])];
    const failing = [
      () => gatherRows(x, past),
      () => segmentSum(x, past, 3),
      () => segmentMax(x, past, 3),
      () => csrMatMul(csrOf([0, 3], [0, 2]), x),
      () => tf.grad((y) => tf.sum(gatherRows(tf.square(y) as tf.Tensor2D, past)))(x),
    ];
    for (let round = 0; round < 3; round++) {
      for (const run of failing) expect(caughtFrom(() => tf.tidy(run))).toBeInstanceOf(DataError);
    }
    past.dispose();
    expect(counts()).toEqual(given);
    expect(await x.data()).toEqual(values);
    const sums = segmentSum(x, one, 2);
    const [a, b, c, d, e, f] = values as unknown as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    expect([...(await sums.data())]).toEqual([a + e, b + f, c, d].map(Math.fround));
    tf.dispose([x, one, sums]);
    expect(counts()).toEqual(before);
  });

  test.each(EMPTY)('%s', async (_, run, shape) => {
    const found = tf.tidy(run);
    expect(found.shape).toEqual(shape);
    expect([...(await found.data())].every((value) => value === 0)).toBe(true);
    found.dispose();
  });

  test.each(NOT_A_NUMBER)('NaN stays NaN in %s, where it belongs', async (_, run, isNaN) => {
    const found = tf.tidy(() => run(rows([Number.NaN, 1, 2, 3, 4, 5], 2)));
    expect([...(await found.data())].map((value) => Number.isNaN(value))).toEqual(isNaN);
    found.dispose();
  });

  test('zero rows, nodes without neighbours and empty segments give finite gradients', async () => {
    const csr = createCsr(raggedPattern(6, 6));
    const loss = (x: tf.Tensor2D) => {
      const scoreVectors = tf.reshape(tf.slice(x, [0, 0], [2, 4]), [1, 2, 4]) as tf.Tensor3D;
      const attended = graphAttention({
        ...{ features: x, scoreVectors },
        ...{ csr, positiveSlope: 1, negativeSlope: 0.2 },
      });
      const normed = layerNorm(attended, tf.ones([4]), tf.zeros([4]));
      return tf.sum(tf.square(segmentSum(normed, ids([0, 0, 4, 4, 0, 4]), 5)));
    };
    const gradient = tf.tidy(() => tf.grad((x) => loss(x as tf.Tensor2D))(tf.zeros([6, 4])));
    expect([...(await gradient.data())].every(Number.isFinite)).toBe(true);
    gradient.dispose();
    csr.dispose();
  });

  oversizeTests(backend);
});
