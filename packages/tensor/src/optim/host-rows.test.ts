import { beforeAll, describe, expect, it } from 'vitest';
import { selectBackend } from '../backend.js';
import { expectNoLeak } from '../testing.js';
import { tf } from '../tfjs.js';
import { HostRows } from './host-rows.js';

const table = () => new HostRows(3, 2, Float32Array.of(1, 2, 3, 4, 5, 6));

describe.each(['cpu', 'wasm'] as const)('HostRows on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend(backend);
  });

  it('gives rows by index', async () => {
    const thrown = await expectNoLeak(() => {
      const rows = table();
      const some = rows.gather(Int32Array.of(2, 0, 2));
      expect(some.arraySync()).toEqual([
        [5, 6],
        [1, 2],
        [5, 6],
      ]);
      const none = rows.gather(new Int32Array(0));
      expect(none.shape).toEqual([0, 2]);
      return [some, none];
    });
    expect(thrown).toBeUndefined();
  });

  it('writes rows and sums gradients at their indices', async () => {
    const thrown = await expectNoLeak(() => {
      const rows = table();
      const two = tf.tensor2d([
        [7, 8],
        [9, 10],
      ]);
      rows.write(Int32Array.of(2, 0), two);
      expect(rows.values).toEqual(Float32Array.of(9, 10, 3, 4, 7, 8));
      expect(rows.gradient).toBeNull();
      const before = rows.gatherGradient(Int32Array.of(0));
      rows.addGradient(Int32Array.of(0, 0), two);
      rows.addGradient(Int32Array.of(2, 0), two);
      const after = rows.gatherGradient(Int32Array.of(0, 2));
      expect(before.arraySync()).toEqual([[0, 0]]);
      expect(after.arraySync()).toEqual([
        [25, 28],
        [7, 8],
      ]);
      rows.clearGradient();
      expect(rows.gradient).toEqual(new Float32Array(6));
      rows.clearGradient({ free: true });
      expect(rows.gradient).toBeNull();
      return [two, before, after];
    });
    expect(thrown).toBeUndefined();
  });

  it('copies into and adds from columns of wider rows', () => {
    const rows = table();
    const wide = new Float32Array(8);
    rows.copyRows(Int32Array.of(1, 0), wide, { offset: 1, stride: 4 });
    expect(wide).toEqual(Float32Array.of(0, 3, 4, 0, 0, 1, 2, 0));
    rows.addGradientRows(Int32Array.of(1, 1), wide, { offset: 1, stride: 4 });
    expect(rows.gradient).toEqual(Float32Array.of(0, 0, 4, 6, 0, 0));
  });

  it('refuses rows that are not there, other widths, and values that were let go', async () => {
    const rows = table();
    const wrong = tf.zeros([1, 3]) as tf.Tensor2D;
    expect(() => rows.gather(Int32Array.of(3))).toThrow(/row 3 was asked for, there are 3/);
    expect(() => rows.gatherGradient(Int32Array.of(-1))).toThrow(/row -1 was asked for/);
    expect(() => rows.write(Int32Array.of(0), wrong)).toThrow(/shape|x/);
    expect(() => rows.addGradient(Int32Array.of(0), wrong)).toThrow(/gradient/);
    wrong.dispose();
    expect(() => new HostRows(2, 2, new Float32Array(3))).toThrow(/3 values/);
    expect(() => new HostRows(2 ** 31, 3)).toThrow(/do not fit one array/);
    rows.releaseValues();
    expect(() => rows.gather(Int32Array.of(0))).toThrow(/released/);
    rows.addGradientRows(Int32Array.of(0), Float32Array.of(1, 1));
    expect(rows.gradient).toHaveLength(6);
  });
});
