import { expect, test } from 'vitest';
import { benchmarkTables } from '../benchmark-table.mjs';

const record = (date, results) => ({
  bench: 'bench/a.mjs',
  date,
  machine: 'a machine',
  backend: 'wasm',
  unit: 'CPU milliseconds',
  results,
});

test('the newest record of a bench is shown, the stock backend as a column', () => {
  const tables = benchmarkTables([
    record('2026-11-27', [
      { name: 'product', cpuMs: 40, gflopPerSecond: 53.8 },
      { name: 'product, stock backend', cpuMs: 76 },
      { name: 'gather', cpuMs: 5 },
    ]),
    record('2026-11-26', [{ name: 'product', cpuMs: 99 }]),
  ]);
  expect(tables).toBe(
    [
      '`bench/a.mjs`, 2026-11-27: CPU milliseconds; wasm; a machine.',
      '',
      '| task | CPU ms | GFLOP/s | stock backend |',
      '|---|---|---|---|',
      '| product | 40 | 53.8 | 76 |',
      '| gather | 5 |  |  |',
    ].join('\n'),
  );
});

test('columns without a value are left out, a stock row without its own is an error', () => {
  expect(benchmarkTables([record('2026-11-26', [{ name: 'a', cpuMs: 1 }])])).toContain(
    '| task | CPU ms |\n',
  );
  const orphan = record('2026-11-26', [{ name: 'b, stock backend', cpuMs: 1 }]);
  expect(() => benchmarkTables([orphan])).toThrow('no row "b"');
});
