import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCsv, writeCsv } from '../../src/csv.js';
import { canonicalJson } from '../../src/hash.js';
import { eachLine, readJsonLines } from '../../src/index.js';
import { appendJsonLine } from '../../src/jsonl.js';
import { temporaryFolder } from '../../src/testing.js';

const path = join(temporaryFolder(), 'file');
const runs = { numRuns: 100 };
const lineText = fc
  .string({ unit: 'grapheme', maxLength: 20 })
  .map((text) => text.replace(/[\r\n\0]/g, ' '));
/** As text holds them: JSON has no -0. */
const jsonValue = fc
  .jsonValue({ maxDepth: 3 })
  .map((value) => JSON.parse(JSON.stringify(value)) as typeof value);

describe('text files', () => {
  it('give back the lines, whatever the line ends, mark and packing', async () => {
    const forms = fc.record({
      lines: fc.array(lineText, { minLength: 1, maxLength: 30 }),
      end: fc.constantFrom('\n', '\r\n'),
      hasMark: fc.boolean(),
      hasFinalEnd: fc.boolean(),
      isPacked: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(forms, async ({ lines, end, hasMark, hasFinalEnd, isPacked }) => {
        const hasEnd = hasFinalEnd || lines.at(-1) === ''; // a last line needs letters or an end
        const mark = hasMark ? '\ufeff' : '';
        fc.pre(hasMark || !lines[0]?.startsWith('\ufeff'));
        const content = mark + lines.join(end) + (hasEnd ? end : '');
        writeFileSync(path, isPacked ? gzipSync(content) : content);
        const read: string[] = [];
        await eachLine(path, (text) => read.push(text));
        expect(read).toEqual(lines);
      }),
      runs,
    );
  });
});

describe('CSV', () => {
  const field = fc
    .string({ unit: 'grapheme', maxLength: 12 })
    .map((text) => text.replaceAll('\0', ''));

  it('reads what it wrote', async () => {
    const tables = fc.integer({ min: 1, max: 4 }).chain((width) => {
      const row = fc.array(field, { minLength: width, maxLength: width });
      return fc.array(row, { minLength: 1, maxLength: 10 });
    });
    await fc.assert(
      fc.asyncProperty(tables, async ([header = [], ...rows]) => {
        await writeCsv(path, header, rows);
        const read: string[][] = [];
        await readCsv(path, { delimiter: ',' }, (row) => read.push(row));
        expect(read).toEqual([header, ...rows]);
      }),
      runs,
    );
  });
});

describe('JSON lines', () => {
  it('cut anywhere hold a prefix of the rows, and go on from there', () => {
    const files = fc.record({
      rows: fc.array(jsonValue, { minLength: 1, maxLength: 8 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(files, ({ rows, share }) => {
        const whole = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
        const bytes = Buffer.from(whole);
        writeFileSync(path, bytes.subarray(0, Math.floor(share * bytes.length)));
        const { rows: kept } = readJsonLines(path);
        expect(kept).toEqual(rows.slice(0, kept.length));
        for (const row of rows.slice(kept.length)) appendJsonLine(path, row);
        expect(readFileSync(path, 'utf8')).toBe(whole);
      }),
      runs,
    );
  });
});

describe('canonical JSON', () => {
  it('is JSON, and the same for every order of keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), jsonValue), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        const turned = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(turned)).toBe(text);
      }),
      runs,
    );
  });
});
