import { describe, expect, it } from 'vitest';
import type { BenchRow } from './bench-result.js';
import { benchTable } from './bench-table.js';

const timing = (wallMs: number) => ({
  ...{ wallMs, cpuMs: 2 * wallMs, minWallMs: wallMs, minCpuMs: wallMs, samples: 7 },
  threads: 2,
});

const own: BenchRow[] = [
  { op: 'matmul-2048', backend: 'wasm', ...timing(200), gflopPerSecond: 85.94, ratio: 2 },
  { op: 'small-add', backend: 'wasm', ...timing(0.00412), gbPerSecond: 0.745 },
];

describe('benchTable', () => {
  it('has a line per operation with its rates', () => {
    expect(benchTable(own)).toBe(
      [
        'operation         ms   CPU ms  GFLOP/s   GB/s',
        'matmul-2048      200      400     85.9',
        'small-add    0.00412  0.00824           0.745',
        '',
      ].join('\n'),
    );
  });

  it("shows the fastest of PyTorch's forms where there is one", () => {
    const peers = [100, 150].map((wallMs, index): BenchRow => {
      return { op: 'matmul-2048', backend: 'pytorch', form: String(index), ...timing(wallMs) };
    });
    expect(benchTable([...own, ...peers])).toBe(
      [
        'operation         ms   CPU ms  GFLOP/s   GB/s  PyTorch  ratio',
        'matmul-2048      200      400     85.9             100   2.00',
        'small-add    0.00412  0.00824           0.745',
        '',
      ].join('\n'),
    );
  });
});
