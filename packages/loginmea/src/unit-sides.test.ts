import { createRandom } from '@lab/core';
import { pullBack, selectBackend, tf } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import '@lab/core/testing';
import { type AlignmentLoss, alignmentLoss } from './alignment-loss.js';
import { unitSidesLoss } from './unit-sides.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const [count, width] = [7, 5];

describe('unitSidesLoss', () => {
  const losses = [
    {},
    { kind: 'infonce', direction: 'both', temperature: 0.5 },
    { kind: 'icl', temperature: 0.2 },
  ] as const;
  it.each(losses)('is the loss of the rows, and its gradient: %j', async (loss) => {
    const thrown = await expectNoLeak(() => {
      const values = createRandom(2).fillNormal(new Float32Array(2 * count * width), 0, 3);
      const rows = tf.tensor2d(values.slice(), [2 * count, width]);
      const left = Int32Array.from({ length: count }, (_, i) => i);
      const pairs = { left, right: left.map((i) => i + count) };
      const given: AlignmentLoss = loss;
      const wanted = tf.tidy(() => {
        const f = () => alignmentLoss(rows, { pairs, index: 0 }, given);
        const { value, gradients } = pullBack(f, [rows], tf.scalar(1));
        return [value, gradients[0]!];
      });
      const found = unitSidesLoss(values, width, loss);
      expect(found.loss / wanted[0]!.dataSync()[0]!).toBeCloseTo(1, 5);
      expect(found.gradient).toBeClose(wanted[1]!.dataSync(), { rtol: 1e-4, atol: 1e-7 });
      return [rows, wanted];
    });
    expect(thrown).toBeUndefined();
  });

  it('takes a row of zeros as it is', () => {
    const values = new Float32Array(4 * width).fill(1);
    values.fill(0, 0, width);
    values.fill(-1, 3 * width);
    const { loss, gradient } = unitSidesLoss(values, width, {});
    // The row of zeros is as near to both: ln 2; the other one is far from its counterpart.
    expect(loss).toBeCloseTo((Math.LN2 + Math.log1p(Math.exp(20))) / 2, 4);
    expect(gradient.subarray(width).every(Number.isFinite)).toBe(true);
  });
});
