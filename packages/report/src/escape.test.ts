import { expect, test } from 'vitest';
import { csvText, escapeCsv, escapeHtml } from './index.js';

test('markup becomes text, in content and in attributes', () => {
  expect(escapeHtml(`<a href="x" onclick='y'>&`)).toBe(
    '&lt;a href=&quot;x&quot; onclick=&#39;y&#39;&gt;&amp;',
  );
});

test('characters that XML forbids are replaced, line ends are kept', () => {
  expect(escapeHtml('a\u0000b\u001bc\n\ud800d\uffff')).toBe('a\ufffdb\ufffdc\n\ufffdd\ufffd');
});

test('CSV cells are quoted when they must be', () => {
  expect(escapeCsv('a,b')).toBe('"a,b"');
  expect(escapeCsv('say "x"')).toBe('"say ""x"""');
  expect(escapeCsv(-1.5)).toBe('-1.5');
  expect(escapeCsv(null)).toBe('');
});

test('a cell that a spreadsheet would run as a formula is made harmless', () => {
  expect(escapeCsv('=HYPERLINK("http://x")')).toBe(`"'=HYPERLINK(""http://x"")"`);
  expect(escapeCsv('@x')).toBe("'@x");
});

test('lines end as RFC 4180 has it', () => {
  expect(csvText(['a', 'b'], [[1, 'x']])).toBe('a,b\r\n1,x\r\n');
});
