import { expect, test } from 'vitest';
import { type ComparisonRow, comparisonTable, type RichCell } from './index.js';

const hits = { key: 'hits', label: 'H@1', kind: 'share' as const };

function noteOf(ours: RichCell | number, other: RichCell | number | null): string | undefined {
  const rows: ComparisonRow[] = [
    { source: 'baseline', label: 'b', values: { hits: other } },
    { source: 'ours', label: 'o', values: { hits: ours } },
  ];
  const table = comparisonTable({ metrics: [hits], rows });
  expect(table.highlightRow).toBe(1);
  const cell = table.rows[0]!.hits as RichCell;
  return cell.note;
}

test('says whether a difference is within our interval', () => {
  const ours = { value: 0.79, low: 0.77, high: 0.81 };
  expect(noteOf(ours, 0.775)).toBe('ours +.015, within our interval');
  expect(noteOf(ours, 0.85)).toBe('ours −.060, outside our interval');
});

test('uses deviations over seeds where there is no interval', () => {
  expect(noteOf({ value: 0.79, deviation: 0.01, n: 3 }, 0.775)).toContain('within 2 deviations');
  expect(noteOf({ value: 0.79, deviation: 0.01, n: 3 }, 0.7)).toContain('beyond 2 deviations');
});

test('does not pretend to have tested what it cannot', () => {
  expect(noteOf(0.79, 0.7)).toBe('ours +.090, not tested');
  expect(noteOf(0.79, null)).toBeUndefined();
  expect(noteOf(0.79, { value: null, note: 'not reported' })).toBe('not reported');
  expect(noteOf(0.79, { value: 0.7, note: 'other seeds' })).toBe(
    'other seeds; ours +.090, not tested',
  );
});

test('without ours there is nothing to differ from', () => {
  const rows: ComparisonRow[] = [{ source: 'paper', label: 'Table 3', values: { hits: 0.5 } }];
  const table = comparisonTable({ metrics: [hits], rows });
  expect(table.highlightRow).toBeUndefined();
  expect(table.rows[0]).toMatchObject({ hits: 0.5, name: { note: 'printed in the paper' } });
});
