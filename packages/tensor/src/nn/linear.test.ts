import { beforeAll, describe, expect, it } from 'vitest';
import { selectBackend } from '../backend.js';
import { checkGradient, expectNoLeak } from '../testing.js';
import { tf } from '../tfjs.js';
import { linear } from './linear.js';

const x = [1, 2, 3, 4, 5, 6];
const weight = [1, -1, 0.5, 2, 0, 1];

function reference(rows: ArrayLike<number>, weights: ArrayLike<number>, bias: ArrayLike<number>) {
  return Float64Array.from({ length: 4 }, (_, at) => {
    const [i, j] = [Math.floor(at / 2), at % 2];
    let sum = bias[j]!;
    for (let k = 0; k < 3; k += 1) sum += rows[i * 3 + k]! * weights[k * 2 + j]!;
    return sum;
  });
}

describe.each(['cpu', 'wasm'] as const)('linear on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend(backend);
  });

  it('is x W + b', async () => {
    const thrown = await expectNoLeak(() =>
      tf.tidy(() => {
        const [a, w] = [tf.tensor2d(x, [2, 3]), tf.tensor2d(weight, [3, 2])];
        const y = linear(a, w, tf.tensor1d([10, 20]));
        expect(Array.from(y.dataSync())).toEqual(Array.from(reference(x, weight, [10, 20])));
        expect(Array.from(linear(a, w).dataSync())).toEqual(
          Array.from(reference(x, weight, [0, 0])),
        );
      }),
    );
    expect(thrown).toBeUndefined();
  });

  it('has the gradients of central differences', async () => {
    const inputs = [tf.tensor2d(x, [2, 3]), tf.tensor2d(weight, [3, 2]), tf.tensor1d([10, 20])];
    const f = (...[a, w, b]: tf.Tensor[]) => linear(a as tf.Tensor2D, w!, b);
    await checkGradient(f, inputs, {
      reference: (...[a, w, b]) => reference(a!, w!, b!),
    });
  });
});
