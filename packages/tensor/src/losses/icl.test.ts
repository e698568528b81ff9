import '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { selectBackend } from '../backend.js';
import { checkGradient, expectNoLeak } from '../testing.js';
import { tf } from '../tfjs.js';
import { referenceIcl, unitRows } from './__fixtures__/reference-losses.js';
import { iclLoss } from './icl.js';

const valueOf = (x: tf.Tensor) => x.dataSync()[0] ?? Number.NaN;

const valuesOf = (x: tf.Tensor) => Float64Array.from(x.dataSync());

const lossOf =
  (temperature: number) =>
  (l?: tf.Tensor, r?: tf.Tensor): tf.Scalar =>
    iclLoss(l as tf.Tensor2D, r as tf.Tensor2D, { temperature, blockRows: 5 });

describe.each(['wasm', 'cpu'] as const)('iclLoss on %s', (backend) => {
  it.each([
    [1, 3, 0.1],
    [2, 5, 0.1],
    [12, 5, 0.1],
    [12, 5, 2],
  ])('agrees with both directions in full, B = %i, D = %i, t = %d', async (B, D, temperature) => {
    await selectBackend(backend);
    const inputs = [unitRows('left', B, D), unitRows('right', B, D)];
    const reference = (l?: Float64Array, r?: Float64Array) => [
      referenceIcl([l, r] as [Float64Array, Float64Array], { rowCount: B, temperature }),
    ];
    const expected = reference(...inputs.map(valuesOf));
    const value = valueOf(lossOf(temperature)(...inputs));
    expect([value]).toBeClose(expected, { atol: 2e-6, rtol: 2e-5 });
    await checkGradient(lossOf(temperature), inputs, { reference });
  });

  it('is finite at a temperature whose exponentials overflow', async () => {
    await selectBackend(backend);
    const inputs = [unitRows('left', 9, 4), unitRows('right', 9, 4)];
    const { value, grads } = tf.valueAndGrads(lossOf(0.002))(inputs);
    expect([value, ...grads].every((x) => valuesOf(x).every(Number.isFinite))).toBe(true);
  });

  it('is symmetric in its sides', async () => {
    await selectBackend(backend);
    const [left, right] = [unitRows('left', 9, 4), unitRows('right', 9, 4)];
    expect(valueOf(lossOf(0.1)(left, right))).toBeCloseTo(valueOf(lossOf(0.1)(right, left)), 5);
  });

  it('leaks nothing', async () => {
    await selectBackend(backend);
    const inputs = [unitRows('left', 9, 4), unitRows('right', 9, 4)];
    await expectNoLeak(() => tf.grads(lossOf(0.1))(inputs));
  });
});

describe('iclLoss refuses', () => {
  it('a temperature of 0 and sides that differ', async () => {
    await selectBackend('cpu');
    const rows = unitRows('left', 4, 3);
    expect(() => iclLoss(rows, rows, { temperature: 0 })).toThrow('temperature is 0');
    const call = () => iclLoss(rows, unitRows('right', 3, 3), { temperature: 1 });
    expect(call).toThrow('right is [3,3]');
  });
});
