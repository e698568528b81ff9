import { formatNumber } from '@lab/core';
import { table } from '@lab/core/cli';
import type { BenchRow } from './bench-result.js';

/** Three significant digits: `0.00412`, `12.3`, `1,230`; nothing for a missing number. */
const numberText = (value: unknown) => (typeof value === 'number' ? formatNumber(value) : '');

function ownLine(row: BenchRow, rows: readonly BenchRow[]): Record<string, unknown> {
  const peers = rows.filter(({ op, backend }) => op === row.op && backend === 'pytorch');
  const pytorch = peers.length === 0 ? undefined : Math.min(...peers.map(({ wallMs }) => wallMs));
  return {
    op: row.op,
    wallMs: row.wallMs,
    cpuMs: row.cpuMs,
    gflopPerSecond: row.gflopPerSecond,
    gbPerSecond: row.gbPerSecond,
    pytorch,
    ratio: row.ratio,
  };
}

/**
 * The rows as a text table, one line per operation: our wall and processor time, the rates, and
 * where PyTorch was measured the wall time of its fastest form and ours divided by it.
 */
export function benchTable(rows: readonly BenchRow[]): string {
  const own = rows.filter(({ backend }) => backend !== 'pytorch');
  const lines = own.map((row) => ownLine(row, rows));
  const hasPeer = lines.some(({ pytorch }) => pytorch !== undefined);
  return table(lines, [
    { key: 'op', heading: 'operation' },
    { key: 'wallMs', heading: 'ms', format: numberText },
    { key: 'cpuMs', heading: 'CPU ms', format: numberText },
    { key: 'gflopPerSecond', heading: 'GFLOP/s', format: numberText },
    { key: 'gbPerSecond', heading: 'GB/s', format: numberText },
    ...(hasPeer
      ? [
          { key: 'pytorch', heading: 'PyTorch', format: numberText },
          { key: 'ratio', heading: 'ratio', format: numberText },
        ]
      : []),
  ]);
}
