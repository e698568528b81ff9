import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { DataError, LabError } from './errors.js';
import { appendJsonLine, cutTornLine, readJsonLines } from './jsonl.js';
import { temporaryFolder } from './testing.js';

let path = '';
beforeEach(() => {
  path = join(temporaryFolder(), 'rows.jsonl');
});

describe('JSON lines', () => {
  it('reads back what was appended', () => {
    const rows = [{ epoch: 1, loss: 0.1 + 0.2 }, ['a', null], 'ü\n'];
    for (const row of rows) appendJsonLine(path, row);
    expect(readJsonLines(path)).toEqual({ rows, torn: false });
  });

  it('is empty for an absent or empty file', () => {
    expect(readJsonLines(path)).toEqual({ rows: [], torn: false });
    writeFileSync(path, '');
    expect(readJsonLines(path)).toEqual({ rows: [], torn: false });
  });

  it('leaves a torn last line out, skips blank lines, accepts CRLF', () => {
    writeFileSync(path, '{"a":1}\r\n\n{"a":2}\n{"a":');
    expect(readJsonLines(path)).toEqual({ rows: [{ a: 1 }, { a: 2 }], torn: true });
  });

  it('treats a last line without its line feed as torn, as the next append does', () => {
    writeFileSync(path, '{"a":1}\n{"a":12}');
    expect(readJsonLines(path)).toEqual({ rows: [{ a: 1 }], torn: true });
    appendJsonLine(path, { a: 3 });
    expect(readJsonLines(path)).toEqual({ rows: [{ a: 1 }, { a: 3 }], torn: false });
  });

  it('names the line of other damage', () => {
    writeFileSync(path, '{"a":1}\n{"a":}\n{"a":3}\n');
    const read = (): unknown => readJsonLines(path);
    expect(read).toThrow(DataError);
    expect(read).toThrow('line 2: not JSON');
  });

  it.each([
    [{ loss: Number.NaN }, '"loss" is NaN'],
    [[Number.POSITIVE_INFINITY], '"0" is Infinity'],
    [Number.NaN, 'the value is NaN'],
    [undefined, 'undefined has no JSON form'],
  ])('refuses %j', (value, message) => {
    expect(() => appendJsonLine(path, value)).toThrow(LabError);
    expect(() => appendJsonLine(path, value)).toThrow(message);
  });

  it('reports a folder in place of the file', () => {
    expect(() => readJsonLines(join(path, '..'))).toThrow('is a folder');
  });
});

describe('cutTornLine', () => {
  it('cuts only what is torn', () => {
    expect(cutTornLine(path)).toBe(false);
    writeFileSync(path, 'a\nb');
    expect(cutTornLine(path)).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('a\n');
    expect(cutTornLine(path)).toBe(false);
  });
});
