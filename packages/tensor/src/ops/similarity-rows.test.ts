import { createRandom } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { selectBackend } from '../backend.js';
import { memoryReport, resetAllocationRecord } from '../memory.js';
import { HostRows } from '../optim/host-rows.js';
import { expectNoLeak } from '../testing.js';
import { tf } from '../tfjs.js';
import { mutualNearest, nearestBothWays, nearestPairs, rankPairs } from './similarity.js';

function hostRows(name: string, rowCount: number, width: number): HostRows {
  const values = new Float32Array(rowCount * width);
  return new HostRows(rowCount, width, createRandom(`host/${name}`).fillNormal(values));
}

const tensorOf = ({ values, rowCount, columnCount }: HostRows) =>
  tf.tensor2d(values, [rowCount, columnCount]);

describe.each(['wasm', 'cpu'] as const)('rows in the host, on %s', (backend) => {
  const host = { left: hostRows('left', 130, 17), right: hostRows('right', 171, 17) };
  const gold = Int32Array.from({ length: 130 }, (_, row) => (row % 5 === 0 ? -1 : 170 - row));
  const block = { rows: 31, columns: 40 };

  it('rank and search as tensors do, to the bit', async () => {
    await selectBackend(backend);
    const whole = { left: tensorOf(host.left), right: tensorOf(host.right) };
    const mixed = { left: host.left, right: whole.right };
    for (const sides of [host, mixed]) {
      for (const csls of [true, false]) {
        expect(await rankPairs({ ...sides, gold, csls, block })).toEqual(
          await rankPairs({ ...whole, gold, csls, block }),
        );
      }
      expect(await nearestPairs({ ...sides, k: 4, csls: 3, block })).toEqual(
        await nearestPairs({ ...whole, k: 4, csls: 3, block }),
      );
      expect(await mutualNearest({ ...sides, block })).toEqual(
        await mutualNearest({ ...whole, block }),
      );
    }
    tf.dispose([whole.left, whole.right]);
  });

  it('are searched both ways in one walk', async () => {
    await selectBackend(backend);
    const { left, right } = host;
    expect(await nearestBothWays({ ...host, k: 5, block })).toEqual({
      forward: await nearestPairs({ ...host, k: 5, block }),
      backward: await nearestPairs({ left: right, right: left, k: 5, block }),
    });
    await expect(nearestBothWays({ ...host, k: 0 })).rejects.toThrow('k is 0');
    await expectNoLeak(() => nearestBothWays({ ...host, k: 2 }));
  });

  it('leak nothing', async () => {
    await selectBackend(backend);
    await expectNoLeak(() => rankPairs({ ...host, gold, csls: true, block }));
    await expectNoLeak(() => nearestPairs({ ...host, k: 2, block }));
  });

  it('are refused where their values do not fit their sizes', async () => {
    await selectBackend(backend);
    const right = { rowCount: 3, columnCount: 17, values: new Float32Array(50) };
    await expect(mutualNearest({ left: host.left, right })).rejects.toMatchObject({
      code: 'LAB_SHAPE',
    });
    const holed = { rowCount: 1, columnCount: 17, values: new Float32Array(17).fill(Number.NaN) };
    await expect(mutualNearest({ left: host.left, right: holed })).rejects.toThrow(
      'right row 0 has a value that is not finite at feature 0',
    );
  });
});

describe('rows in the host', () => {
  it('take no more of the backend than two blocks', async () => {
    await selectBackend('wasm');
    const rows = hostRows('many', 40_000, 64); // 10 MB
    const gold = Int32Array.from({ length: 40_000 }, (_, row) => (row < 2 ? row : -1));
    const part = { rowCount: 64, columnCount: 64, values: rows.values.subarray(0, 64 * 64) };
    resetAllocationRecord();
    const before = memoryReport().peakHeapBytes!;
    const block = { rows: 64, columns: 512 };
    await rankPairs({ left: part, right: rows, gold: gold.slice(0, 64), csls: false, block });
    expect(memoryReport().peakHeapBytes! - before).toBeLessThan(4e6);
  });
});
