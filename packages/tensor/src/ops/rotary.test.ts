import { ShapeError } from '@lab/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { normals } from '../__fixtures__/numbers.js';
import { expectSameBits } from '../__fixtures__/thread-bits.js';
import { type RotaryOptions, rotaryEmbedding, selectBackend, tf } from '../index.js';
import { checkGradient, expectNoLeak } from '../testing.js';

/** The pairs turned one by one in float64. */
function rotaryOf(
  x: ArrayLike<number>,
  [length, width]: readonly [number, number],
  options: RotaryOptions,
): Float64Array {
  const { offset = 0, base = 10_000, rotaryDim = width, interleaved = false } = options;
  const pairs = rotaryDim / 2;
  const out = Float64Array.from({ length: x.length }, (_, i) => x[i] as number);
  for (let row = 0; row < x.length / width; row++) {
    for (let i = 0; i < pairs; i++) {
      const frequency = options.inverseFrequencies?.[i] ?? base ** ((-2 * i) / rotaryDim);
      const angle = (offset + (row % length)) * frequency;
      const first = row * width + (interleaved ? 2 * i : i);
      const second = interleaved ? first + 1 : first + pairs;
      const [a, b] = [x[first] as number, x[second] as number];
      out[first] = a * Math.cos(angle) - b * Math.sin(angle);
      out[second] = b * Math.cos(angle) + a * Math.sin(angle);
    }
  }
  return out;
}

const CASES: [shape: number[], options: RotaryOptions][] = [
  [[1, 2], {}],
  [[5, 6], { offset: 3 }],
  [[2, 7, 16], { base: 500 }],
  [[2, 3, 4, 10], { offset: 100, base: 1e6 }],
  [[3, 5, 12], { rotaryDim: 6, offset: 2 }],
  [[3, 4, 6], { rotaryDim: 4, inverseFrequencies: [0.5, 0.25] }],
  [[2, 3, 5], { rotaryDim: 4 }],
];

describe.each(['cpu', 'wasm'] as const)('rotaryEmbedding on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend(backend);
  });

  describe.each([false, true])('interleaved %s', (interleaved) => {
    test.each(CASES)('equals float64: %j, %j', async (shape, given) => {
      const options = { ...given, interleaved };
      const x = normals('x', shape);
      const sizes = shape.slice(-2) as [number, number];
      const y = rotaryEmbedding(x, options);
      expect(y.shape).toEqual(shape);
      const found = y.dataSync();
      rotaryOf(x.dataSync(), sizes, options).forEach((v, i) => expect(found[i]).toBeCloseTo(v, 5));
      if (x.size > 60) return;
      await checkGradient((t) => rotaryEmbedding(t as tf.Tensor, options), [x], {
        reference: (a) => rotaryOf(a, sizes, options),
      });
    });

    test('products depend on the distance of the positions alone', () => {
      const [q, k] = [normals('q', [1, 8]), normals('k', [1, 8])];
      const score = (at: number, other: number) => {
        const turned = rotaryEmbedding(q, { offset: at, interleaved });
        return tf.sum(tf.mul(turned, rotaryEmbedding(k, { offset: other, interleaved })));
      };
      const near = score(7, 4).dataSync()[0] as number;
      expect(score(1007, 1004).dataSync()[0]).toBeCloseTo(near, 3);
      expect(score(8, 4).dataSync()[0]).not.toBeCloseTo(near, 3);
    });
  });

  test('frequencies in float32 give angles in float32', () => {
    const angle = (inverseFrequencies: ArrayLike<number>) => {
      const x = tf.tensor2d([[1, 0]]);
      const [cosine, sine] = rotaryEmbedding(x, { offset: 12_345, inverseFrequencies }).dataSync();
      return Math.atan2(sine!, cosine!);
    };
    const turns = 2 * Math.PI * 196;
    // 12345 * torch.tensor(0.1) is 1234.5.
    expect(angle(Float32Array.of(0.1)) + turns).toBeCloseTo(1234.5, 6);
    expect(angle([Math.fround(0.1)]) + turns).toBeCloseTo(12_345 * Math.fround(0.1), 6);
  });

  test('nothing stays nothing', () => {
    for (const shape of [
      [0, 4],
      [2, 0, 4],
      [3, 0],
    ]) {
      expect(rotaryEmbedding(tf.zeros(shape)).shape).toEqual(shape);
    }
  });

  test('refuses odd and missing features, and leaves no tensor behind', async () => {
    const x = normals('x', [3, 4]);
    expect(() => rotaryEmbedding(normals('y', [3, 5]))).toThrow(/got rotaryDim 5/);
    expect(() => rotaryEmbedding(x, { rotaryDim: 6 })).toThrow(ShapeError);
    expect(() => rotaryEmbedding(normals('v', [4]))).toThrow(/expected \[\.\.\., T, D\]/);
    expect(() => rotaryEmbedding(x, { inverseFrequencies: [1] })).toThrow(/has 2 angles/);
    const gradient = tf.grad((t: tf.Tensor) => tf.sum(rotaryEmbedding(t)));
    expect(await expectNoLeak(() => gradient(x))).toBeUndefined();
  });
});

test('the bits do not depend on the number of threads', async () => {
  await selectBackend('wasm');
  const x = normals('x', [40, 50, 22]);
  await expectSameBits(() => [rotaryEmbedding(x), rotaryEmbedding(x, { interleaved: true })]);
});
