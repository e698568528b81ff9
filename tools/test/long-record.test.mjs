import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compactResult } from '../long-record.mjs';
import { root } from '../workspace.mjs';

test('a table gives way to its count, a summary stays', () => {
  const rows = Array.from({ length: 24 }, (_, id) => ({ id, values: Array(30).fill(0.123456) }));
  const summary = { run: 'docs/experiments/x', metrics: null, verdicts: [{ value: 1 }, 'met'] };
  expect(compactResult({ ...summary, tables: { main: rows, small: rows.slice(0, 2) } })).toEqual({
    ...summary,
    tables: { main: { rowsLeftOut: 24 }, small: rows.slice(0, 2) },
  });
  expect(compactResult('last line')).toBe('last line');
});

test('the records that are kept hold no tables', () => {
  const path = join(root, 'docs', 'long-checks.json');
  const records = JSON.parse(readFileSync(path, 'utf8'));
  for (const { name, result } of records) expect(compactResult(result), name).toEqual(result);
});
