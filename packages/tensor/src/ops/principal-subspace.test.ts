import { createRandom } from '@lab/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { selectBackend } from '../backend.js';
import { svd } from '../linalg.js';
import { expectNoLeak } from '../testing.js';
import { tf } from '../tfjs.js';
import { principalSubspace } from './principal-subspace.js';

const random = () => createRandom('principal-subspace');

beforeAll(async () => {
  await selectBackend('wasm');
});

/** Rows whose singular values fall as 1 / (1 + k). */
function fallingRows(rowCount: number, width: number) {
  const noise = createRandom('rows');
  const values = new Float32Array(rowCount * width);
  noise.fillNormal(values);
  return { rowCount, columnCount: width, values: values.map((x, at) => x / (1 + (at % width))) };
}

describe('principalSubspace', () => {
  it('keeps nearly all that the best basis of its rank keeps', async () => {
    const rows = fallingRows(200, 30);
    const { rowCount, columnCount, values } = rows;
    const { values: singular } = svd({ rows: rowCount, columns: columnCount, data: values });
    const best = Array.from(singular.subarray(0, 6)).reduce((sum, s) => sum + s * s, 0);
    const q = await principalSubspace(rows, { rank: 6, random: random() });
    const product = tf.matMul(
      tf.tensor2d(values, [rowCount, columnCount]),
      tf.tensor2d(q, [columnCount, 6]),
    );
    const kept = tf.sum(tf.square(product)).dataSync()[0]!;
    expect(kept / best).toBeGreaterThan(0.98);
    expect(kept / best).toBeLessThan(1.0001);
  });

  it('is orthonormal, and the same for a tensor and for an array', async () => {
    const rows = fallingRows(40, 9);
    const x = tf.tensor2d(rows.values, [40, 9]);
    const q = await principalSubspace(rows, { rank: 4, random: random() });
    expect(await principalSubspace(x, { rank: 4, random: random() })).toEqual(q);
    for (let i = 0; i < 4; i += 1) {
      for (let j = 0; j <= i; j += 1) {
        let dot = 0;
        for (let d = 0; d < 9; d += 1) dot += q[4 * d + i]! * q[4 * d + j]!;
        expect(dot).toBeCloseTo(i === j ? 1 : 0, 5);
      }
    }
    expect(x.isDisposed).toBe(false);
    x.dispose();
  });

  it.each([0, 10, 2.5])('refuses rank %d of 9 columns', async (rank) => {
    await expect(
      principalSubspace(fallingRows(5, 9), { rank, random: random() }),
    ).rejects.toMatchObject({ code: 'LAB_CONFIG' });
  });

  it('leaks nothing', async () => {
    const rows = fallingRows(20, 5);
    await expectNoLeak(() => principalSubspace(rows, { rank: 2, random: random() }));
  });
});
