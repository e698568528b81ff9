import { describe, expect, it } from 'vitest';
import { collectDefects } from '../defects.js';
import { DataError } from '../errors.js';
import { defectList, defectsError } from './error-text.js';
import { wrap } from './help.js';
import { table } from './text-table.js';

describe('table', () => {
  it('puts numbers right, texts left, in aligned columns', () => {
    const rows = [
      { name: 'ours', score: 0.7123, n: 4500 },
      { name: 'baseline', score: 12.5, n: 9 },
    ];
    expect(table(rows)).toBe(
      ['name      score      n', 'ours      0.712  4,500', 'baseline   12.5      9', ''].join('\n'),
    );
  });

  it('takes headings, decimals, formats and missing values', () => {
    const rows = [{ a: 1, b: null }, { a: 2.25 }];
    const columns = [
      { key: 'a', heading: 'value', decimals: 1 },
      { key: 'b', format: (value: unknown) => (value === undefined ? 'absent' : 'there') },
    ];
    expect(table(rows, columns)).toBe('value  b\n  1.0  there\n  2.3  absent\n');
  });

  it('counts wide letters twice and marks not at all', () => {
    const lines = table([
      { a: '中文', b: 'x' },
      { a: 'e\u0301abc', b: 'y' },
    ]).split('\n');
    expect(lines).toEqual(['a     b', '中文  x', 'e\u0301abc  y', '']);
  });

  it('shows headings alone for no rows', () => {
    expect(table([], ['a', 'b'])).toBe('a  b\n');
  });
});

describe('wrap', () => {
  it('breaks at spaces and leaves long words whole', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('extraordinarily a', 5)).toEqual(['extraordinarily', 'a']);
    expect(wrap('', 5)).toEqual(['']);
  });
});

describe('defects', () => {
  it('are listed with their lines and the number of the others', () => {
    const collected = collectDefects(2);
    for (const line of [1, 2, 3, 4]) {
      const place = { file: 'f', line, column: 2, text: 'a b', help: 'mend it.' };
      collected.onDefect(new DataError(`f line ${line}: bad.`, place));
    }
    expect(defectList(collected)).toBe(
      [
        '1. f line 1: bad.',
        '  | a b',
        '  |  ^',
        '  help: mend it.',
        '2. f line 2: bad.',
        '  | a b',
        '  |  ^',
        '  help: mend it.',
        'and 2 more.',
      ].join('\n'),
    );
    const error = defectsError(collected);
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toBe('4 defects in the data.');
    expect(error.details).toMatchObject({ count: 4, file: 'f', line: 1 });
  });
});
