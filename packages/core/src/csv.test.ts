import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { type ReadCsvOptions, readCsv, writeCsv } from './csv.js';
import { collectDefects } from './defects.js';
import { DataError } from './errors.js';
import { temporaryFolder } from './testing.js';

let path = '';
beforeEach(() => {
  path = join(temporaryFolder(), 'table.csv');
});

async function rowsOf(content: string | Uint8Array, options: ReadCsvOptions = {}) {
  writeFileSync(path, content);
  const rows: [number, ...string[]][] = [];
  const summary = await readCsv(path, options, (row, line) => rows.push([line, ...row]));
  return { rows, summary };
}

describe('readCsv', () => {
  it.each<[string, string | Uint8Array, [number, ...string[]][]]>([
    ['nothing', '', []],
    [
      'no final line feed',
      'a,b\n1,2',
      [
        [1, 'a', 'b'],
        [2, '1', '2'],
      ],
    ],
    [
      'CRLF and a mark',
      '\ufeffa,b\r\n1,2\r\n',
      [
        [1, 'a', 'b'],
        [2, '1', '2'],
      ],
    ],
    ['gzip', gzipSync('a,b\n'), [[1, 'a', 'b']]],
    ['quotes', 'a,"b ""c"", d"\n', [[1, 'a', 'b "c", d']]],
    [
      'blank lines',
      '\na\n\n\nb\n',
      [
        [2, 'a'],
        [5, 'b'],
      ],
    ],
    [
      'line breaks in quotes',
      'a,"x\ny"\nb,c\n',
      [
        [1, 'a', 'x\ny'],
        [3, 'b', 'c'],
      ],
    ],
    [
      'empty fields',
      'a,\n,\n',
      [
        [1, 'a', ''],
        [2, '', ''],
      ],
    ],
  ])('reads %s', async (_, content, rows) => {
    expect((await rowsOf(content)).rows).toEqual(rows);
  });

  it.each([
    ['a\tb,c\td\n', '\t'],
    ['a;b;c,d\n', ';'],
    ['\n"x;y;z",b\n', ','],
    ['single\n', ','],
  ])('finds the separator of %j', async (content, delimiter) => {
    expect((await rowsOf(content)).summary.delimiter).toBe(delimiter);
  });

  it('takes quotes in tab-separated files as text unless asked', async () => {
    const content = 'a\t"Weird Al" Yankovic\n';
    expect((await rowsOf(content)).rows).toEqual([[1, 'a', '"Weird Al" Yankovic']]);
    expect((await rowsOf('a\t"b"\n', { quote: '"' })).rows).toEqual([[1, 'a', 'b']]);
  });

  it('hands over the heading first', async () => {
    const seen: string[] = [];
    const { rows, summary } = await rowsOf('h1,h2\n1,2\n', {
      header: true,
      onHeader: (header, line) => seen.push(`${line}:${header.join('|')}`),
    });
    expect(seen).toEqual(['1:h1|h2']);
    expect(rows).toEqual([[2, '1', '2']]);
    expect(summary).toEqual({ delimiter: ',', header: ['h1', 'h2'], rowCount: 1 });
  });

  it('reports ragged rows with their line', async () => {
    await expect(rowsOf('a,b\n"x\ny",2\n1\n')).rejects.toThrow('line 4: 1 fields where');
    const { onDefect, defects } = collectDefects();
    const { rows } = await rowsOf('a,b\n1\n2,3\n4,5,6\n', { onDefect });
    expect(rows.map((row) => row[0])).toEqual([1, 3]);
    expect(defects.map((defect) => defect.line)).toEqual([2, 4]);
  });

  it.each([
    ['a,b\n"x"y,2\n3,4\n', { line: 2, column: 4, text: '"x"y,2' }, 'text after a closing quote'],
    ['a,b\nc,"xy\n3,4\n', { line: 2, column: 3, text: 'c,"xy' }, 'never closed'],
    ['a,b\nc,"d\n"x",4\n', { line: 2, column: 3, text: 'c,"d' }, 'not closed before line 3'],
    ['a\n"p ""q"" r"\n"open', { line: 3, column: 1 }, 'never closed'],
  ])('names the place of a bad quote in %j', async (content, place, message) => {
    const error: unknown = await rowsOf(content).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DataError);
    expect(error).toMatchObject(place);
    expect(String(error)).toContain(message);
  });

  it('reports missing files, garbage and the errors of the caller', async () => {
    await expect(readCsv(`${path}-none`, {}, () => undefined)).rejects.toThrow('no such file');
    const missing = { delimiter: ',' };
    await expect(readCsv(`${path}-none`, missing, () => undefined)).rejects.toThrow(DataError);
    await expect(rowsOf(Buffer.from('a,b\n\xff\xfe,2\n', 'latin1'))).rejects.toThrow('line 2');
    writeFileSync(path, 'a\n');
    const fail = (): void => {
      throw new RangeError('mine');
    };
    await expect(readCsv(path, {}, fail)).rejects.toThrow(RangeError);
  });
});

describe('writeCsv', () => {
  it('writes what readCsv reads back', async () => {
    const rows = [
      ['a,b', 1.5],
      ['line\nbreak "q"', -2],
      ['', 0],
      [' ', 1e-7],
      [' a ', 1e21],
    ];
    await writeCsv(path, ['name', 'score'], rows);
    const read: string[][] = [];
    await readCsv(path, { header: true }, (row) => read.push(row));
    expect(read).toEqual(rows.map((row) => row.map(String)));
  });

  it('writes the heading alone, tabs for .tsv and a mark when asked', async () => {
    await writeCsv(path, ['a', 'b'], []);
    expect(readFileSync(path, 'utf8')).toBe('a,b\n');
    const tsv = path.replace('.csv', '.tsv');
    await writeCsv(tsv, ['a', 'b'], [[1, 2]], { byteOrderMark: true });
    expect(readFileSync(tsv, 'utf8')).toBe('\ufeffa\tb\n1\t2\n');
  });

  it('quotes in tab-separated files only what would break them', async () => {
    const tsv = path.replace('.csv', '.tsv');
    await writeCsv(tsv, ['name', 'note'], [['"Weird Al" Y', 'tab\there']]);
    expect(readFileSync(tsv, 'utf8')).toBe('name\tnote\n"Weird Al" Y\t"tab\there"\n');
  });

  it('reports a folder that is not there and rows that fail', async () => {
    await expect(writeCsv(join(path, 'no', 'a.csv'), ['a'], [])).rejects.toThrow(DataError);
    const broken = function* (): Generator<string[]> {
      yield ['1'];
      throw new RangeError('mine');
    };
    await expect(writeCsv(path, ['a'], broken())).rejects.toThrow(RangeError);
    expect(existsSync(path)).toBe(false);
  });

  it('writes many rows in order', async () => {
    const rows = Array.from({ length: 5000 }, (_, i) => [i]);
    await writeCsv(path, ['i'], rows);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(5001);
    expect(lines.slice(1).every((line, i) => line === String(i))).toBe(true);
  });
});
