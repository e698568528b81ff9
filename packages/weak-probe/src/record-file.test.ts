import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { expect, it } from 'vitest';
import { openRecordFile } from './record-file.js';

interface Row {
  readonly row: number;
}

it('keeps records of other settings apart, and takes them up again', () => {
  const dir = temporaryFolder();
  const path = join(dir, 'sweep.jsonl');
  const open = (settings: unknown) => openRecordFile<Row>(path, settings);
  const long = open({ states: 'all' });
  long.append({ row: 0 });
  long.append({ row: 1 });
  const short = open({ states: [3] });
  expect(short.records).toEqual([]);
  short.append({ row: 7 });
  expect(open({ states: 'all' }).records).toEqual([{ row: 0 }, { row: 1 }]);
  expect(open({ states: [3] }).records).toEqual([{ row: 7 }]);
  expect(readdirSync(dir)).toHaveLength(2);
  expect(readdirSync(dir)).toContainEqual(expect.stringMatching(/^sweep-[0-9a-f]{8}\.jsonl$/));
});

it('keeps whole records of a torn file, and no file of none', () => {
  const dir = temporaryFolder();
  const path = join(dir, 'sweep.jsonl');
  openRecordFile<Row>(path, 1);
  openRecordFile<Row>(path, 2).append({ row: 0 });
  expect(readdirSync(dir)).toEqual(['sweep.jsonl']);
  openRecordFile<Row>(path, 2).append({ row: 1 });
  const even = (rows: readonly Row[]) => rows.filter(({ row }) => row % 2 === 0);
  expect(openRecordFile<Row>(path, 2, even).records).toEqual([{ row: 0 }]);
  expect(openRecordFile<Row>(path, 2).records).toEqual([{ row: 0 }]);
  writeFileSync(path, '{"torn":');
  expect(openRecordFile<Row>(path, 2).records).toEqual([]);
});
