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

test('records with rows make one table: backends side by side, the peer at its fastest', () => {
  const timed = (op, backend, wallMs, more) => ({
    op,
    backend,
    wallMs,
    cpuMs: 2 * wallMs,
    ...more,
  });
  const measured = (date, backend, rows) => ({
    bench: 'lab-tensor bench',
    date,
    machine: { cores: 2, cpu: 'a processor', load: { start: 0.1, end: 2 } },
    node: '20.20.2',
    backend,
    pytorch: { version: '2.13.0' },
    rows,
  });
  const tables = benchmarkTables([
    measured('2026-11-26', { name: 'wasm', simd: 'relaxed', threads: 2 }, [
      timed('csr', 'wasm', 99, { ratio: 9 }),
    ]),
    measured('2026-11-27', { name: 'wasm', simd: 'relaxed', threads: 2 }, [
      timed('csr', 'wasm', 6, { ratio: 0.75, gflopPerSecond: 20 }),
      timed('csr', 'pytorch', 90, { form: 'index_add' }),
      timed('csr', 'pytorch', 8, { form: 'csr' }),
      timed('peak', 'wasm', 1, { gflopPerSecond: 110 }),
      timed('exp', 'wasm', 1, { isDetail: true }),
    ]),
    measured('2026-11-27', { name: 'tensorflow', simd: 'native', threads: 2 }, [
      timed('csr', 'tensorflow', 3, { ratio: 0.375 }),
      timed('csr', 'pytorch', 8, { form: 'csr' }),
    ]),
  ]);
  const beside =
    '2 threads beside PyTorch 2.13.0 (its fastest form); 2 x a processor, Node 20.20.2, ' +
    'load 0.1 to 2.';
  const columns = (name) => `${name}, ms | PyTorch, ms | form | ratio |`;
  expect(tables).toBe(
    [
      `\`lab-tensor bench\`, 2026-11-27: median of seven; wasm, relaxed SIMD, ${beside}`,
      `\`lab-tensor bench\`, 2026-11-27: median of seven; tensorflow, machine code, ${beside}`,
      '',
      `| operation | ${columns('wasm')} ${columns('tensorflow')}`,
      '|---|---|---|---|---|---|---|---|---|',
      '| `csr` | 6 | 8 | csr | 0.75 | 3 | 8 | csr | 0.375 |',
      '| `peak` | 1 |  |  |  |  |  |  |  |',
    ].join('\n'),
  );
});
