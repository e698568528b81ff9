import '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { selectBackend } from '../backend.js';
import { memoryReport, resetAllocationRecord } from '../memory.js';
import { createParameters } from '../nn/parameters.js';
import { valueAndGradients } from '../optim/gradients.js';
import { checkGradient, expectNoLeak } from '../testing.js';
import { tf } from '../tfjs.js';
import { referenceInfoNce, unitRows } from './__fixtures__/reference-losses.js';
import { infoNce, type InfoNceOptions } from './info-nce.js';

/** Float32 sums over a few hundred terms. */
const tolerance = { atol: 2e-6, rtol: 2e-5 };

const valueOf = (x: tf.Tensor) => x.dataSync()[0] ?? Number.NaN;

const valuesOf = (x: tf.Tensor) => Float64Array.from(x.dataSync());

function softLabelsOf(rowCount: number) {
  const columns = new Int32Array(rowCount * 2);
  const weights = new Float32Array(rowCount * 2);
  for (let row = 0; row < rowCount; row += 1) {
    columns.set([row, (row * 3 + 1) % rowCount], row * 2);
    weights.set([0.75, 0.25], row * 2);
  }
  const dense = Array.from({ length: rowCount }, (_, row) => {
    const line = new Array<number>(rowCount).fill(0);
    for (const k of [0, 1]) {
      const column = columns[row * 2 + k] ?? 0;
      line[column] = (line[column] ?? 0) + (weights[row * 2 + k] ?? 0);
    }
    return line;
  });
  return { columns, weights, dense };
}

describe.each(['wasm', 'cpu'] as const)('infoNce on %s', (backend) => {
  describe.each(['left-to-right', 'both'] as const)('%s', (direction) => {
    it.each([
      [1, 3],
      [2, 5],
      [7, 1],
      [11, 4],
    ])('agrees with the full matrix in value and gradients, B = %i, D = %i', async (B, D) => {
      await selectBackend(backend);
      const [left, right] = [unitRows('left', B, D), unitRows('right', B, D)];
      for (const blocks of [{ blockRows: 4, cacheBytes: 500 }, {}]) {
        const options: InfoNceOptions = { temperature: 0.2, direction, ...blocks };
        const plain = { rowCount: B, temperature: 0.2, both: direction === 'both' };
        const expected = referenceInfoNce([valuesOf(left), valuesOf(right)], plain);
        expect([valueOf(infoNce(left, right, options))]).toBeClose([expected], tolerance);
        await checkGradient(
          (l, r) => infoNce(l as tf.Tensor2D, r as tf.Tensor2D, options),
          [left, right],
          {
            reference: (l, r) => [referenceInfoNce([l, r] as [Float64Array, Float64Array], plain)],
          },
        );
      }
    });

    it('follows soft labels', async () => {
      await selectBackend(backend);
      const B = 11;
      const { columns, weights, dense } = softLabelsOf(B);
      const inputs = [unitRows('left', B, 6), unitRows('right', B, 6)];
      const softLabels = { columns, weights };
      const options: InfoNceOptions = { temperature: 0.5, direction, softLabels, blockRows: 4 };
      const plain = { rowCount: B, temperature: 0.5, both: direction === 'both', labels: dense };
      const reference = (l?: Float64Array, r?: Float64Array) => [
        referenceInfoNce([l, r] as [Float64Array, Float64Array], plain),
      ];
      const loss = (l?: tf.Tensor, r?: tf.Tensor) =>
        infoNce(l as tf.Tensor2D, r as tf.Tensor2D, options);
      expect([valueOf(loss(...inputs))]).toBeClose(reference(...inputs.map(valuesOf)), tolerance);
      await checkGradient(loss, inputs, { reference });
    });
  });

  it('has the same value with and without a gradient, and scales the gradient', async () => {
    await selectBackend(backend);
    const [left, right] = [unitRows('left', 20, 8), unitRows('right', 20, 8)];
    const options: InfoNceOptions = { temperature: 0.1, direction: 'both' };
    const loss = (l: tf.Tensor) => infoNce(l as tf.Tensor2D, right, options);
    const { value, grad } = tf.valueAndGrad(loss)(left);
    expect(valueOf(value)).toBe(valueOf(infoNce(left, right, options)));
    const tripled = tf.grad((l) => tf.mul(loss(l), 3))(left);
    expect(valuesOf(tripled)).toBeClose(valuesOf(tf.mul(grad, 3)), { atol: 1e-7, rtol: 1e-6 });
  });

  it('gives valueAndGradients what it gives tf.grads', async () => {
    await selectBackend(backend);
    const parameters = createParameters();
    const left = parameters.add('left', unitRows('left', 9, 4)) as tf.Tensor2D;
    const right = unitRows('right', 9, 4);
    const options: InfoNceOptions = { temperature: 0.2, direction: 'both' };
    const found = valueAndGradients(parameters, () => infoNce(left, right, options));
    const expected = tf.grad((l) => infoNce(l as tf.Tensor2D, right, options))(left);
    const gradient = found.gradients['left'] ?? tf.scalar(0);
    expect(valuesOf(gradient)).toBeClose(valuesOf(expected), { atol: 1e-7, rtol: 1e-6 });
    parameters.dispose();
  });

  it('adds the gradients of both sides when they are one tensor', async () => {
    await selectBackend(backend);
    const rows = unitRows('left', 6, 4);
    const options: InfoNceOptions = { temperature: 0.3, direction: 'left-to-right' };
    const plain = { rowCount: 6, temperature: 0.3, both: false };
    await checkGradient((x) => infoNce(x as tf.Tensor2D, x as tf.Tensor2D, options), [rows], {
      reference: (x) => [referenceInfoNce([x, x] as [Float64Array, Float64Array], plain)],
    });
  });

  it('is ln B for a very high temperature and 0 for a single pair', async () => {
    await selectBackend(backend);
    const flat = infoNce(unitRows('left', 50, 8), unitRows('right', 50, 8), {
      temperature: 400,
      direction: 'left-to-right',
    });
    expect(valueOf(flat)).toBeCloseTo(Math.log(50), 2);
    const single = unitRows('left', 1, 8);
    expect(valueOf(infoNce(single, single, { temperature: 0.1, direction: 'both' }))).toBe(0);
  });

  it('stays finite at a tiny temperature', async () => {
    await selectBackend(backend);
    const [left, right] = [unitRows('left', 30, 4), unitRows('right', 30, 4)];
    const options: InfoNceOptions = { temperature: 1e-4, direction: 'both' };
    const loss = (l: tf.Tensor) => infoNce(l as tf.Tensor2D, right, options);
    const { value, grad } = tf.valueAndGrad(loss)(left);
    expect(Number.isFinite(valueOf(value))).toBe(true);
    expect(valuesOf(grad).every(Number.isFinite)).toBe(true);
  });

  it('is NaN, not a number that looks fine, when a row is NaN', async () => {
    await selectBackend(backend);
    const left = tf.tensor2d([Number.NaN, 1, 0, 1, 1, 0], [3, 2]);
    const loss = infoNce(left, unitRows('right', 3, 2), { temperature: 0.1, direction: 'both' });
    expect(valueOf(loss)).toBeNaN();
  });

  it('leaks neither tensors nor heap memory', async () => {
    await selectBackend(backend);
    const [left, right] = [unitRows('left', 20, 8), unitRows('right', 20, 8)];
    const options: InfoNceOptions = { temperature: 0.1, direction: 'both', blockRows: 6 };
    const step = () =>
      tf.grads((l, r) => infoNce(l as tf.Tensor2D, r as tf.Tensor2D, options))([left, right]);
    await expectNoLeak(step);
    await expectNoLeak(() => infoNce(left, right, options));
    resetAllocationRecord();
    const before = memoryReport().peakHeapBytes;
    tf.dispose(step());
    resetAllocationRecord();
    expect(memoryReport().peakHeapBytes).toBe(before);
  });
});

describe('infoNce refuses', () => {
  const rows = () => unitRows('left', 4, 3);

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('temperature %d', async (temperature) => {
    await selectBackend('cpu');
    const call = () => infoNce(rows(), rows(), { temperature, direction: 'both' });
    expect(call).toThrow(`temperature is ${temperature}`);
  });

  it('sides of different shapes', async () => {
    await selectBackend('cpu');
    const call = () =>
      infoNce(rows(), unitRows('right', 5, 3), { temperature: 1, direction: 'both' });
    expect(call).toThrow('left is [4,3], right is [5,3]');
  });

  it('an empty batch', async () => {
    await selectBackend('cpu');
    const empty = tf.zeros<tf.Rank.R2>([0, 3]);
    expect(() => infoNce(empty, empty, { temperature: 1, direction: 'both' })).toThrow('B >= 1');
  });

  it('soft labels that do not fit', async () => {
    await selectBackend('cpu');
    const call = (columns: number[], weights: number[]) => () =>
      infoNce(rows(), rows(), {
        temperature: 1,
        direction: 'both',
        softLabels: { columns: Int32Array.from(columns), weights: Float32Array.from(weights) },
      });
    expect(call([0, 1, 2], [1, 1, 1])).toThrow('3 columns and 3 weights for 4 rows');
    expect(call([0, 1, 2, 3], [1])).toThrow('4 columns and 1 weights');
    expect(call([0, 1, 2, 4], [1, 1, 1, 1])).toThrow('column 4 of row 3 is outside 0..3');
  });
});

it('gives wide rows, whose products are cut along them, what the cpu backend gives', async () => {
  const options: InfoNceOptions = { temperature: 0.1, direction: 'both', blockRows: 17 };
  const evaluate = async (backend: 'wasm' | 'cpu') => {
    await selectBackend(backend);
    const inputs = [unitRows('left', 40, 803), unitRows('right', 40, 803)];
    const loss = (l: tf.Tensor, r: tf.Tensor) =>
      infoNce(l as tf.Tensor2D, r as tf.Tensor2D, options);
    const { value, grads } = tf.valueAndGrads(loss)(inputs);
    return [value, ...grads].map(valuesOf);
  };
  const found = await evaluate('wasm');
  const expected = await evaluate('cpu');
  found.forEach((values, at) => expect(values).toBeClose(expected[at] ?? [], tolerance));
});
