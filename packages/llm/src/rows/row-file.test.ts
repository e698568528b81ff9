import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DataError } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { readRows, type ReadRowsOptions } from './row-file.js';

function fileOf(name: string, content: string | Uint8Array): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return path;
}

async function rowsIn(name: string, content: string | Uint8Array, options?: ReadRowsOptions) {
  const rows = [];
  for await (const row of readRows(fileOf(name, content), options)) rows.push(row);
  return rows;
}

async function problemIn(name: string, content: string | Uint8Array): Promise<DataError> {
  try {
    await rowsIn(name, content);
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
  throw new Error('there was no problem');
}

describe('readRows of JSON lines', () => {
  it('reads objects, blank lines, CRLF, gzip, a mark before and no line feed after', async () => {
    const text = '\ufeff{"id":"a","x":1}\r\n\n{"id":2,"x":"é"}';
    const expected = [
      { id: 'a', x: 1 },
      { id: '2', x: 'é' },
    ];
    expect(await rowsIn('rows.jsonl', text)).toEqual(expected);
    expect(await rowsIn('rows.jsonl.gz', gzipSync(text))).toEqual(expected);
    expect(await rowsIn('rows.jsonl', '{"name":"n"}', { idField: 'name' })).toEqual([
      { name: 'n', id: 'n' },
    ]);
  });

  it('reads lines that are longer than a block', async () => {
    const long = 'x'.repeat(700_000);
    const rows = await rowsIn('rows.jsonl', `{"id":"a","x":"${long}"}\n{"id":"b"}\n`);
    expect(rows).toEqual([{ id: 'a', x: long }, { id: 'b' }]);
  });

  it('names line and place of what is no row', async () => {
    expect(await problemIn('rows.jsonl', '{"id":"a"}\n{"id": b}\n')).toMatchObject({ line: 2 });
    expect((await problemIn('rows.jsonl', '[1]')).message).toContain('line 1: not a JSON object');
    expect((await problemIn('rows.jsonl', '{"id":"a"}\n{"x":1}')).message).toContain(
      'line 2: the row has no "id"',
    );
    expect((await problemIn('rows.jsonl', '{"id":""}')).message).toContain('no "id"');
    expect((await problemIn('rows.jsonl', '\n\n')).message).toContain('no rows');
    expect((await problemIn('rows.jsonl', Uint8Array.of(123, 10, 200, 201, 10))).message).toContain(
      'line 1: not JSON',
    );
    expect((await problemIn('rows.jsonl', Uint8Array.of(10, 200, 201, 10))).message).toContain(
      'line 2: bytes that are not UTF-8',
    );
    await expect(readRows('/none/rows.jsonl').next()).rejects.toThrow('no such file');
  });
});

describe('readRows of tables', () => {
  it('reads commas, semicolons, tabs and quotes', async () => {
    expect(await rowsIn('rows.csv', 'id,text\na,"x, ""y""\nz"\nb,\n')).toEqual([
      { id: 'a', text: 'x, "y"\nz' },
      { id: 'b', text: '' },
    ]);
    expect(await rowsIn('rows.csv', 'id;text\na;1,5\n')).toEqual([{ id: 'a', text: '1,5' }]);
    expect(await rowsIn('rows.tsv', 'id\ttext\na\tsay "hi"\n')).toEqual([
      { id: 'a', text: 'say "hi"' },
    ]);
  });

  it('keeps line breaks inside quotes as they are', async () => {
    const table = 'id,text\r\na,"x\r\n\r\ny\nz\rw"\r\nb,c\r\n';
    expect(await rowsIn('rows.csv', table)).toEqual([
      { id: 'a', text: 'x\r\n\r\ny\nz\rw' },
      { id: 'b', text: 'c' },
    ]);
  });

  it('takes a text of many lines in time that grows with its length alone', async () => {
    const text = 'a line of some words\n'.repeat(20_000);
    expect(await rowsIn('rows.csv', `id,text\na,"${text}"\nb,""\n`)).toEqual([
      { id: 'a', text },
      { id: 'b', text: '' },
    ]);
  });

  it('names the line of ragged rows and of quotes that do not fit', async () => {
    expect((await problemIn('rows.csv', 'id,text\na,"x\ny"\nb\n')).message).toContain(
      'line 4: 1 fields where the heading has 2',
    );
    expect((await problemIn('rows.csv', 'id,text\na,"x"y\n')).message).toContain(
      'line 2: text after a closing quote',
    );
    expect((await problemIn('rows.csv', 'id,text\na,"x\nb,y\n')).message).toContain(
      'line 2: a quote that is never closed',
    );
    expect((await problemIn('rows.csv', 'id,text\n')).message).toContain('no rows');
  });
});
