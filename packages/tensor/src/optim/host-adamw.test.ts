import { createRandom } from '@lab/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { selectBackend } from '../backend.js';
import { createParameters } from '../nn/parameters.js';
import { expectNoLeak } from '../testing.js';
import { tf } from '../tfjs.js';
import { createAdamW } from './adamw.js';
import { createHostAdamW } from './host-adamw.js';
import { HostRows } from './host-rows.js';

/** Two blocks of the kernel and a rest that fills no vector. */
const rowCount = 2 ** 17 + 21;
const columnCount = 3;

function numbers(name: string): Float32Array {
  return createRandom(4)
    .fork(name)
    .fillNormal(new Float32Array(rowCount * columnCount));
}

describe.each(['cpu', 'wasm'] as const)('createHostAdamW on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend(backend);
  });

  it('makes the steps of createAdamW, also on rows without a gradient', async () => {
    const thrown = await expectNoLeak(() => {
      const parameters = createParameters();
      const shape: [number, number] = [rowCount, columnCount];
      const variable = parameters.add('e', tf.tensor2d(numbers('start'), shape));
      const dense = createAdamW(parameters, { weightDecay: 0.1 });
      const table = new HostRows(rowCount, columnCount, numbers('start'));
      const host = createHostAdamW(table, { weightDecay: 0.1 });
      for (const step of ['one', 'two', 'three']) {
        const values = numbers(step);
        values.fill(0, 0, step === 'one' ? 0 : 30_000); // touched once, then moved by momentum
        const gradient = tf.tensor2d(values, shape);
        dense.step({ e: gradient }, 0.01);
        table.clearGradient();
        table.addGradient(
          Int32Array.from({ length: rowCount }, (_, i) => i),
          gradient,
        );
        host.step(0.01);
        gradient.dispose();
      }
      expectEqual(table.values, variable.dataSync(), backend === 'wasm' ? 0 : 1e-6);
      expect(host.stepCount).toBe(3);
      dense.dispose();
      parameters.dispose();
    });
    expect(thrown).toBeUndefined();
  });

  it('lets all rows decay where no gradient has arrived', () => {
    const table = new HostRows(2, 2, Float32Array.of(1, 2, 3, 4));
    createHostAdamW(table, { weightDecay: 0.5 }).step(0.1);
    expectEqual(table.values, Float32Array.of(0.95, 1.9, 2.85, 3.8), 1e-6);
  });

  it('goes on from saved moments bit for bit', () => {
    const table = (values = Float32Array.of(1, -2, 3)) => new HostRows(1, 3, values);
    const add = (to: HostRows) => to.addGradientRows(Int32Array.of(0), Float32Array.of(1, 2, -3));
    const whole = table();
    const undisturbed = createHostAdamW(whole);
    const first = table();
    const before = createHostAdamW(first);
    for (const [rows, optimizer] of [
      [whole, undisturbed],
      [first, before],
    ] as const) {
      add(rows);
      optimizer.step(0.1);
    }
    const second = table(first.values.slice());
    const after = createHostAdamW(second);
    after.loadState(before.moments, before.stepCount);
    add(second);
    after.step(0.1);
    whole.clearGradient();
    add(whole);
    undisturbed.step(0.1);
    expect(second.values).toEqual(whole.values);
    const short = { first: new Float32Array(2), second: new Float32Array(3) };
    expect(() => after.loadState(short, 1)).toThrow(/first moment has 2 values, the table 3/);
  });

  it('refuses settings out of range', () => {
    expect(() => createHostAdamW(new HostRows(1, 1), { beta1: 1 })).toThrow(/out of range/);
  });
});

function expectEqual(got: Float32Array, wanted: ArrayLike<number>, tolerance: number): void {
  let error = 0;
  for (let i = 0; i < got.length; i += 1) {
    error = Math.max(error, Math.abs(got[i]! - wanted[i]!));
  }
  expect(error).toBeLessThanOrEqual(tolerance);
}
