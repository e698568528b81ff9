import '@lab/core/testing';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { unitRows } from '../../src/losses/__fixtures__/reference-losses.js';
import { iclLoss, infoNce, multiSimilarity, selectBackend, tf } from '../../src/index.js';

/** Float32 sums in another order. */
const tolerance = { atol: 2e-6, rtol: 2e-4 };

type Loss = (left: tf.Tensor2D, right: tf.Tensor2D, blockRows: number) => tf.Scalar;

const losses: [string, Loss][] = [
  [
    'infoNce left to right',
    (l, r, blockRows) =>
      infoNce(l, r, { temperature: 0.1, direction: 'left-to-right', blockRows, cacheBytes: 300 }),
  ],
  [
    'infoNce both',
    (l, r, blockRows) =>
      infoNce(l, r, { temperature: 0.1, direction: 'both', blockRows, cacheBytes: 300 }),
  ],
  [
    'multiSimilarity',
    (l, r, blockRows) =>
      multiSimilarity(l, r, { alpha: 5, beta: 40, lambda: 0.5, blockRows, cacheBytes: 300 }),
  ],
  ['iclLoss', (l, r, blockRows) => iclLoss(l, r, { temperature: 0.1, blockRows, cacheBytes: 300 })],
];

const sizes = fc.record({
  B: fc.integer({ min: 1, max: 40 }),
  D: fc.integer({ min: 1, max: 9 }),
  blockRows: fc.integer({ min: 1, max: 45 }),
});

/** Value and gradients as plain arrays. */
function evaluate(loss: Loss, inputs: [tf.Tensor2D, tf.Tensor2D], blockRows: number) {
  return tf.tidy(() => {
    const { value, grads } = tf.valueAndGrads((l, r) =>
      loss(l as tf.Tensor2D, r as tf.Tensor2D, blockRows),
    )(inputs);
    return [value, ...grads].map((x) => Float32Array.from(x.dataSync()));
  });
}

function permuted(x: tf.Tensor2D, order: number[]): tf.Tensor2D {
  return tf.gather(x, tf.tensor1d(order, 'int32'));
}

function expectClose(got: Float32Array[], wanted: Float32Array[]): void {
  got.forEach((values, at) => expect(values).toBeClose(wanted[at] ?? [], tolerance));
}

describe.each(losses)('%s', (_, loss) => {
  beforeAll(() => selectBackend('wasm'));

  it('does not depend on the blocks', () => {
    fc.assert(
      fc.property(sizes, ({ B, D, blockRows }) => {
        const inputs: [tf.Tensor2D, tf.Tensor2D] = [unitRows('a', B, D), unitRows('b', B, D)];
        expectClose(evaluate(loss, inputs, blockRows), evaluate(loss, inputs, B));
        tf.dispose(inputs);
      }),
      { numRuns: 40, seed: 1 },
    );
  });

  it('keeps its value and permutes its gradients when the pairs are permuted', () => {
    const ordered = sizes.chain(({ B, D, blockRows }) => {
      const numbers = Array.from({ length: B }, (_unused, at) => at);
      const orders = fc.shuffledSubarray(numbers, { minLength: B, maxLength: B });
      return orders.map((order) => ({ B, D, blockRows, order }));
    });
    fc.assert(
      fc.property(ordered, ({ B, D, blockRows, order }) => {
        const inputs: [tf.Tensor2D, tf.Tensor2D] = [unitRows('a', B, D), unitRows('b', B, D)];
        const moved = inputs.map((x) => permuted(x, order)) as [tf.Tensor2D, tf.Tensor2D];
        const [value, ...gradients] = evaluate(loss, inputs, blockRows);
        const expected = gradients.map((gradient) =>
          Float32Array.from(order.flatMap((row) => [...gradient.subarray(row * D, row * D + D)])),
        );
        expectClose(evaluate(loss, moved, blockRows), [value ?? new Float32Array(0), ...expected]);
        tf.dispose([inputs, moved]);
      }),
      { numRuns: 40, seed: 2 },
    );
  });

  it('pulls both sides alike when all rows are the same', () => {
    const row = unitRows('a', 1, 5);
    const same = tf.tile(row, [6, 1]);
    const [, left, right] = evaluate(loss, [same, same], 4);
    expect(left).toBeClose(right ?? [], tolerance);
    tf.dispose([row, same]);
  });
});

describe.each(losses.filter(([name]) => name !== 'infoNce left to right'))('%s', (_, loss) => {
  it('is symmetric in its sides', () => {
    fc.assert(
      fc.property(sizes, ({ B, D, blockRows }) => {
        const [a, b] = [unitRows('a', B, D), unitRows('b', B, D)];
        const [value, left, right] = evaluate(loss, [a, b], blockRows);
        const turned = evaluate(loss, [b, a], blockRows);
        expectClose(turned, [value, right, left] as Float32Array[]);
        tf.dispose([a, b]);
      }),
      { numRuns: 30, seed: 3 },
    );
  });
});
