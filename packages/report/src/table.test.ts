import { expect, test } from 'vitest';
import { htmlTable, markdownTable, meanCell, type Table, textTable } from './index.js';

const table: Table = {
  caption: 'Sweep',
  columns: [
    { key: 'name', label: 'Name' },
    { key: 'hits', label: 'H@1', kind: 'share', best: 'highest' },
    { key: 'time', label: 'Seconds', kind: 'number', best: 'lowest' },
    { key: 'rows', label: 'Rows', kind: 'count' },
  ],
  rows: [
    { name: 'a | b', hits: { value: 0.7912, deviation: 0.004, n: 3 }, time: 12.5, rows: 30000 },
    { name: '<b>', hits: 0.7909, time: 0.0005, rows: null },
    { name: 'c', hits: { value: null, note: 'diverged' }, time: undefined, rows: 2 },
  ],
  highlightRow: 0,
};

test('text: aligned, numbers right, best starred, missing said', () => {
  const lines = textTable(table).trimEnd().split('\n');
  expect(lines[1]).toMatch(/^a \| b +\.791 ± \.004 \* +12\.5 +30,000$/);
  expect(lines[2]).toMatch(/\.791 \* +0\.0005 \* +not measured$/);
  const ends = lines.slice(0, 3).map((line) => line.length);
  expect(new Set(ends).size).toBe(1);
});

test('values that read the same are equally good', () => {
  expect(markdownTable(table).match(/\*\*\.791/g)?.length).toBe(2);
});

test('Markdown: escaped, right-aligned numbers, notes in brackets', () => {
  const lines = markdownTable(table).split('\n');
  expect(lines[1]).toBe('| --- | ---: | ---: | ---: |');
  expect(lines[2]).toContain('| a \\| b | **.791 ± .004** |');
  expect(lines[3]).toContain('\\<b\\>');
  expect(lines[4]).toContain('| not measured (diverged) |');
});

test('HTML: escaped, sortable keys, the reason instead of a hole, n in small print', () => {
  const html = htmlTable(table);
  expect(html).toContain('&lt;b&gt;');
  expect(html).not.toContain('<b>');
  expect(html).toContain('data-value="0.7912"');
  expect(html).toContain('<span class="missing">diverged</span>');
  expect(html).toContain('<small>n = 3</small>');
  expect(html).toContain('<tr class="ours">');
  expect(html).toContain('tabindex="0"');
  expect(htmlTable(table, { isStacked: true })).toContain('class="data stack"');
});

test('HTML: a status is not broken over lines, a digest may be', () => {
  const columns = [{ key: 'code', label: 'Code', kind: 'code' as const }];
  const html = htmlTable({ columns, rows: [{ code: 'refusal' }, { code: 'f'.repeat(64) }] });
  expect(html).toContain('<code class="short">refusal</code>');
  expect(html).toContain('<code>ffff');
});

test('rows become blocks on narrow screens where columns have no room, unless many', () => {
  const columns = ['a', 'b', 'c', 'd', 'e'].map((key) => ({
    ...{ key, label: `Share ${key}` },
    ...(key === 'a' ? {} : { kind: 'share' as const }),
  }));
  const row = { a: 'name', b: 0.5, c: 0.5, d: 0.5, e: { value: 0.5, low: 0.4, high: 0.6 } };
  const isStacked = (count: number, shown = columns) =>
    htmlTable({ columns: shown, rows: Array.from({ length: count }, () => row) }).includes('stack');
  expect(isStacked(3)).toBe(true);
  expect(isStacked(30)).toBe(false);
  expect(isStacked(3, columns.slice(0, 3))).toBe(false);
});

test('a column with one value has no best', () => {
  const single = { columns: table.columns, rows: table.rows.slice(0, 1) };
  expect(markdownTable(single)).not.toContain('**');
});

test('means over seeds', () => {
  expect(meanCell([])).toEqual({ value: null });
  expect(meanCell([2])).toEqual({ value: 2, n: 1 });
  expect(meanCell([1, 3])).toEqual({ value: 2, deviation: Math.SQRT2, n: 2 });
});

test('text from outside: escaped, a long one folded, every letter of it there', () => {
  const long = `${'<img src=x onerror=alert(1)>\u001b[31m'.repeat(30)}end`;
  const html = htmlTable({
    columns: [
      { key: 'text', label: 'Answer' },
      { key: 'raw', label: 'Raw', kind: 'block' },
    ],
    rows: [
      { text: 'a', raw: 'short <b>' },
      { text: 'b', raw: long },
      { text: 'c', raw: 'one\n'.repeat(9) },
    ],
  });
  expect(html).toContain('<td class="block" data-label="Raw"><pre>short &lt;b&gt;</pre></td>');
  expect(html).not.toContain('<img');
  expect(html).not.toContain('\u001b');
  expect(html).toContain('<summary>all 993 characters</summary>');
  expect(html.match(/&lt;img/g)?.length).toBeGreaterThanOrEqual(30 + 5);
  // Lines count as well: nine short ones would push the next row off the screen.
  expect(html).toContain('<pre>one\none\none\none\none\none …</pre>');
});

test('a table in pages carries a filter and buttons, hidden until a script runs', () => {
  const html = htmlTable({ ...table, pageRows: 2 });
  expect(html).toContain('<div class="filter" role="search" hidden>');
  expect(html).toContain('<div class="pages" data-rows="2" hidden>');
  expect(html.match(/<tr/g)?.length).toBe(4);
  expect(htmlTable(table)).not.toContain('class="pages"');
});
