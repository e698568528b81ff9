import '@lab/core/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { matrix } from '../__fixtures__/numbers.js';
import { selectBackend } from '../backend.js';
import { checkGradient, expectNoLeak } from '../testing.js';
import { tf } from '../tfjs.js';
import { linearCrossEntropy, type LinearCrossEntropyOptions } from './linear-cross-entropy.js';

const [N, D, V] = [7, 5, 11];
const targets = Int32Array.of(3, 0, 10, 3, 5, 7, 1);

/** The losses of rows in float64. */
function referenceLosses(rows: Float64Array, weight: Float64Array, cap: number | null): number[] {
  return Array.from({ length: N }, (_, n) => {
    const logits = Array.from({ length: V }, (__, v) => {
      let z = 0;
      for (let d = 0; d < D; d += 1) z += rows[n * D + d]! * weight[v * D + d]!;
      return cap === null ? z : cap * Math.tanh(z / cap);
    });
    const top = Math.max(...logits);
    const sum = logits.reduce((total, z) => total + Math.exp(z - top), 0);
    return top + Math.log(sum) - logits[targets[n]!]!;
  });
}

const lossOf =
  (options: LinearCrossEntropyOptions) =>
  (rows?: tf.Tensor, weight?: tf.Tensor): tf.Scalar => {
    const found = linearCrossEntropy(rows as tf.Tensor2D, weight as tf.Tensor2D, targets, options);
    found.rowLosses.dispose();
    return found.loss;
  };

const CASES: readonly LinearCrossEntropyOptions[] = [
  {},
  { scale: 1 / N },
  { partValues: 3 * V },
  { partValues: 1, scale: 0.5 },
  { cap: 2 },
  { cap: 2, partValues: 2 * V, scale: 3 },
];

describe.each(['wasm', 'cpu'] as const)('linearCrossEntropy on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend(backend);
  });

  it.each(CASES)('is the float64 loss, with its gradients: %j', async (options) => {
    const inputs = [matrix('rows', N, D), matrix('weight', V, D)] as const;
    const { scale = 1, cap = null } = options;
    const reference = (rows?: Float64Array, weight?: Float64Array) => {
      const losses = referenceLosses(rows!, weight!, cap);
      return [scale * losses.reduce((total, loss) => total + loss, 0)];
    };
    const found = linearCrossEntropy(...inputs, targets, options);
    const values = inputs.map((x) => Float64Array.from(x.dataSync()));
    const losses = referenceLosses(values[0]!, values[1]!, cap);
    expect(found.rowLosses.dataSync()).toBeClose(losses, { atol: 2e-6, rtol: 1e-6 });
    const total = reference(...values);
    expect(found.loss.dataSync()).toBeClose(total, { atol: 1e-5, rtol: 1e-6 });
    await checkGradient(lossOf(options), inputs, { reference });
  });

  it('leaves the matrix out where it is constant', async () => {
    const [rows, weight] = [matrix('rows', N, D), matrix('weight', V, D)];
    const options = { isWeightConstant: true, partValues: 2 * V };
    const own = tf.grad((x) => lossOf(options)(x, weight))(rows);
    const whole = tf.grads(lossOf({}))([rows, weight]);
    expect(own.dataSync()).toBeClose(whole[0]!.dataSync(), { atol: 1e-6, rtol: 1e-6 });
  });

  it('is finite for logits whose exponentials overflow', () => {
    const rows = tf.mul(matrix('rows', N, D), 300) as tf.Tensor2D;
    const { value, grads } = tf.valueAndGrads(lossOf({}))([rows, matrix('weight', V, D)]);
    const all = [value, ...grads].flatMap((x) => Array.from(x.dataSync()));
    expect(all.every(Number.isFinite)).toBe(true);
  });

  it('leaks nothing, with gradients and without', async () => {
    const inputs = [matrix('rows', N, D), matrix('weight', V, D)];
    await expectNoLeak(() => tf.grads(lossOf({ partValues: 2 * V, cap: 3 }))(inputs));
    await expectNoLeak(() => lossOf({ partValues: 2 * V })(...inputs));
  });
});

describe('linearCrossEntropy refuses', () => {
  it('targets that do not fit', async () => {
    await selectBackend('cpu');
    const [rows, weight] = [matrix('rows', 2, D), matrix('weight', V, D)];
    const of =
      (...own: number[]) =>
      () =>
        linearCrossEntropy(rows, weight, Int32Array.from(own));
    expect(of(1)).toThrow('2 rows have 1 targets');
    expect(of(1, V)).toThrow(`targets[1] is ${V}, outside 0 .. ${V - 1}`);
    expect(of(-1, 0)).toThrow('targets[0] is -1');
    const none = () => linearCrossEntropy(tf.zeros([0, D]), weight, new Int32Array(0));
    expect(none).toThrow('0 rows have 0 targets');
    expect(() => linearCrossEntropy(rows, matrix('weight', V, 3), Int32Array.of(0, 1))).toThrow(
      'weight has shape',
    );
  });
});
