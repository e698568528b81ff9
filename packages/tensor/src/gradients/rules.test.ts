import { beforeAll, describe, expect, test } from 'vitest';
import { ids, matrix, vector } from '../__fixtures__/numbers.js';
import { selectBackend, tf } from '../index.js';
import { checkGradient } from '../testing.js';

type Unary = (x: tf.Tensor) => tf.Tensor;
type Reference = (x: number) => number;

const sigmoid: Reference = (x) => 1 / (1 + Math.exp(-x));

/** Operation, the same in float64, and whether its input must be positive. */
const ELEMENTWISE: [name: string, Unary, Reference, positive?: boolean][] = [
  ['abs', tf.abs, Math.abs],
  ['clipByValue', (x) => tf.clipByValue(x, -0.5, 0.7), (x) => Math.min(Math.max(x, -0.5), 0.7)],
  ['cos', tf.cos, Math.cos],
  ['elu', tf.elu, (x) => (x > 0 ? x : Math.expm1(x))],
  ['exp', tf.exp, Math.exp],
  ['expm1', tf.expm1, Math.expm1],
  ['leakyRelu', (x) => tf.leakyRelu(x, 0.2), (x) => (x > 0 ? x : 0.2 * x)],
  ['log', tf.log, Math.log, true],
  ['log1p', tf.log1p, Math.log1p, true],
  ['neg', tf.neg, (x) => -x],
  ['reciprocal', tf.reciprocal, (x) => 1 / x, true],
  ['relu', tf.relu, (x) => Math.max(x, 0)],
  ['relu6', tf.relu6, (x) => Math.min(Math.max(x, 0), 6)],
  ['rsqrt', tf.rsqrt, (x) => 1 / Math.sqrt(x), true],
  ['selu', tf.selu, (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x))],
  ['sigmoid', tf.sigmoid, sigmoid],
  ['sin', tf.sin, Math.sin],
  ['softplus', tf.softplus, (x) => Math.log1p(Math.exp(x))],
  ['sqrt', tf.sqrt, Math.sqrt, true],
  ['square', tf.square, (x) => x * x],
  ['tanh', tf.tanh, Math.tanh],
  ['pow', (x) => tf.pow(x, 3), (x) => x ** 3],
];

/** Functions of several tensors; float32 differences are enough to tell a wrong formula. */
const COMPOSED: [
  name: string,
  f: (...xs: tf.Tensor[]) => tf.Tensor,
  shapes: [string, ...number[]][],
][] = [
  [
    'add, broadcast',
    (a, b) => tf.add(a!, b!),
    [
      ['a', 3, 4],
      ['b', 4, 0],
    ],
  ],
  [
    'sub, broadcast',
    (a, b) => tf.sub(a!, b!),
    [
      ['a', 3, 4],
      ['b', 3, 1],
    ],
  ],
  [
    'mul, broadcast',
    (a, b) => tf.mul(a!, b!),
    [
      ['a', 3, 1],
      ['b', 3, 4],
    ],
  ],
  [
    'div',
    (a, b) => tf.div(a!, tf.add(tf.square(b!), 1)),
    [
      ['a', 3, 4],
      ['b', 4, 0],
    ],
  ],
  [
    'maximum',
    (a, b) => tf.maximum(a!, b!),
    [
      ['a', 3, 4],
      ['b', 3, 4],
    ],
  ],
  [
    'minimum',
    (a, b) => tf.minimum(a!, b!),
    [
      ['a', 3, 4],
      ['b', 3, 4],
    ],
  ],
  [
    'squaredDifference',
    (a, b) => tf.squaredDifference(a!, b!),
    [
      ['a', 3, 4],
      ['b', 3, 4],
    ],
  ],
  [
    'addN',
    (...xs) => tf.addN(xs),
    [
      ['a', 2, 2],
      ['b', 2, 2],
      ['c', 2, 2],
    ],
  ],
  [
    'where',
    (a, b) => tf.where(tf.greater(a!, 0), tf.mul(a!, b!), b!),
    [
      ['a', 3, 4],
      ['b', 3, 4],
    ],
  ],
  ['sum, axis 0', (x) => tf.sum(x!, 0), [['x', 3, 4]]],
  ['mean, axis 1', (x) => tf.mean(x!, 1, true), [['x', 3, 4]]],
  ['max, axis 1', (x) => tf.max(x!, 1), [['x', 3, 4]]],
  ['min, axis 0', (x) => tf.min(x!, 0), [['x', 3, 4]]],
  ['softmax', (x) => tf.softmax(x!), [['x', 3, 4]]],
  ['logSoftmax', (x) => tf.logSoftmax(x!), [['x', 3, 4]]],
  ['logSumExp', (x) => tf.logSumExp(x!, 1), [['x', 3, 4]]],
  ['cumsum', (x) => tf.cumsum(x!, 1), [['x', 3, 4]]],
  [
    'concat, axis 1',
    (a, b) => tf.concat([a!, b!], 1),
    [
      ['a', 3, 4],
      ['b', 3, 2],
    ],
  ],
  [
    'stack',
    (a, b) => tf.stack([a!, b!], 1),
    [
      ['a', 3, 4],
      ['b', 3, 4],
    ],
  ],
  ['unstack', (x) => tf.mul(tf.unstack(x!)[0]!, tf.unstack(x!)[2]!), [['x', 3, 4]]],
  ['split', (x) => tf.mul(...(tf.split(x!, 2, 1) as [tf.Tensor, tf.Tensor])), [['x', 3, 4]]],
  ['slice', (x) => tf.slice(x!, [1, 1], [2, 2]), [['x', 3, 4]]],
  ['slice, one axis', (x) => tf.slice(x!, [0, 1], [-1, 2]), [['x', 3, 4]]],
  [
    'pad',
    (x) =>
      tf.pad(x!, [
        [1, 0],
        [0, 2],
      ]),
    [['x', 3, 4]],
  ],
  ['tile', (x) => tf.tile(x!, [2, 3]), [['x', 3, 4]]],
  [
    'tile of one axis of five',
    (x) => tf.tile(tf.reshape(x!, [1, 3, 1, 2, 2]), [1, 1, 3, 1, 1]),
    [['x', 3, 4]],
  ],
  ['reverse', (x) => tf.reverse(x!, 1), [['x', 3, 4]]],
  ['transpose', (x) => tf.transpose(x!), [['x', 3, 4]]],
  ['reshape', (x) => tf.reshape(x!, [2, 6]), [['x', 3, 4]]],
  ['expandDims', (x) => tf.expandDims(x!, 1), [['x', 3, 4]]],
  ['broadcastTo', (x) => tf.broadcastTo(x!, [3, 4]), [['x', 1, 4]]],
  ['gather, axis 0', (x) => tf.gather(x!, ids([2, 0, 2])), [['x', 3, 4]]],
  ['gather, axis 1', (x) => tf.gather(x!, ids([3, 0]), 1), [['x', 3, 4]]],
  [
    'prelu',
    (x, a) => tf.prelu(x!, a!),
    [
      ['x', 3, 4],
      ['a', 4, 0],
    ],
  ],
];

const tensorsOf = (shapes: readonly [string, ...number[]][]): tf.Tensor[] =>
  shapes.map(([name, rows, columns]) =>
    columns === 0 ? vector(name, rows as number) : matrix(name, rows as number, columns as number),
  );

describe.each(['cpu', 'wasm'] as const)('gradients on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend(backend);
  });

  test.each(ELEMENTWISE)('%s', async (_, f, reference, positive = false) => {
    const normals = matrix('x', 3, 7);
    const x = positive ? tf.add(tf.abs(normals), 0.5) : normals;
    const values = await f(x).data();
    const inputs = await x.data();
    values.forEach((value, i) => expect(value).toBeCloseTo(reference(inputs[i] as number), 5));
    await checkGradient((t) => f(t), [x], { reference: (a) => a.map(reference), step: 1e-6 });
  });

  test.each(COMPOSED)('%s', async (_, f, shapes) => {
    await checkGradient(f, tensorsOf(shapes), { step: 2e-3, rtol: 1e-2 });
  });

  test.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])('matMul, transposes %s and %s', async (transposeA, transposeB) => {
    const a = transposeA ? matrix('a', 5, 3) : matrix('a', 3, 5);
    const b = transposeB ? matrix('b', 2, 5) : matrix('b', 5, 2);
    const product = (x: tf.Tensor, y: tf.Tensor) => tf.matMul(x, y, transposeA, transposeB);
    const f = product as (...xs: tf.Tensor[]) => tf.Tensor;
    await checkGradient(f, [a, b], { step: 0.1 });
  });
});

describe('functions of one tensor on wasm at the ends of their range', () => {
  const inputs = [0, -0, 1e-6, -1e-6, 0.3, -0.3, 5, -5, 20, -20, 80, -80, 100, -100];
  const special = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];
  const functions: [string, Unary, Reference][] = [
    ['exp', tf.exp, Math.exp],
    ['log', tf.log, Math.log],
    ['sigmoid', tf.sigmoid, sigmoid],
    ['softplus', tf.softplus, (x) => (x > 50 ? x : Math.log1p(Math.exp(x)))],
    ['tanh', tf.tanh, Math.tanh],
    ['elu', tf.elu, (x) => (x > 0 ? x : Math.expm1(x))],
    ['sqrt', tf.sqrt, Math.sqrt],
  ];

  test.each(functions)('%s', async (_, f, reference) => {
    await selectBackend('wasm');
    const all = [...inputs, ...special];
    const values = await f(tf.tensor1d(all)).data();
    all.forEach((x, i) => {
      const wanted = Math.fround(reference(Math.fround(x)));
      const got = values[i] as number;
      if (Number.isFinite(wanted)) {
        expect(Math.abs(got - wanted)).toBeLessThanOrEqual(1e-37 + 5e-7 * Math.abs(wanted));
      } else expect(got).toBe(wanted);
    });
  });
});

test('an operation without a gradient is named', async () => {
  await selectBackend('cpu');
  const f = (x: tf.Tensor) => tf.sum(tf.mod(x, 2));
  expect(() => tf.grad(f)(matrix('x', 2, 2))).toThrow(/Mod has no gradient|no gradient.*Mod/);
});
