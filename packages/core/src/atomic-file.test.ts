import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { appendLine, isTemporaryName, writeFileAtomic } from './atomic-file.js';
import { DataError } from './errors.js';
import { temporaryFolder } from './testing.js';

let folder = '';
beforeEach(() => {
  folder = temporaryFolder();
});

describe('writeFileAtomic', () => {
  it('writes texts, bytes and parts, and replaces what was there', () => {
    const path = join(folder, 'a.txt');
    writeFileAtomic(path, 'é');
    expect(readFileSync(path, 'utf8')).toBe('é');
    writeFileAtomic(path, Uint8Array.of(1, 2, 0));
    expect([...readFileSync(path)]).toEqual([1, 2, 0]);
    writeFileAtomic(path, ['one', Uint8Array.of(10), 'two']);
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo');
    writeFileAtomic(path, '');
    expect(readFileSync(path, 'utf8')).toBe('');
    expect(readdirSync(folder)).toEqual(['a.txt']);
  });

  it('leaves the old file and no temporary one when the content fails half way', () => {
    const path = join(folder, 'a.txt');
    writeFileAtomic(path, 'old');
    const broken = function* (): Generator<string> {
      yield 'half';
      throw new TypeError('source broke');
    };
    expect(() => writeFileAtomic(path, broken())).toThrow(TypeError);
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['a.txt']);
  });

  it('says what is wrong with the place', () => {
    const missing = join(folder, 'no', 'a.txt');
    expect(() => writeFileAtomic(missing, 'x')).toThrow(DataError);
    expect(() => writeFileAtomic(missing, 'x')).toThrow('no such file');
    mkdirSync(join(folder, 'dir'));
    expect(() => writeFileAtomic(join(folder, 'dir'), 'x')).toThrow('is a folder');
    expect(readdirSync(folder)).toEqual(['dir']);
  });

  it('names its temporary files so that they can be found', () => {
    expect(isTemporaryName('.run.json.123-4.tmp')).toBe(true);
    expect(isTemporaryName('run.json')).toBe(false);
    expect(isTemporaryName('.hidden.tmp')).toBe(false);
  });
});

describe('appendLine', () => {
  it('makes the file and appends', () => {
    const path = join(folder, 'a.txt');
    appendLine(path, 'one');
    appendLine(path, 'two');
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n');
  });

  it.each([
    ['one\ntw', 'one\nthree\n'],
    ['torn', 'three\n'],
    [`one\n${'x'.repeat(10_000)}`, 'one\nthree\n'],
  ])('cuts off a torn line first', (before, after) => {
    const path = join(folder, 'a.txt');
    writeFileSync(path, before);
    appendLine(path, 'three');
    expect(readFileSync(path, 'utf8')).toBe(after);
  });

  it('reports a full disk', () => {
    const error = thrownBy(() => appendLine('/dev/full', 'x'));
    expect(error).toBeInstanceOf(DataError);
    expect(String(error)).toContain('/dev/full: disk full (ENOSPC)');
    expect(error).toMatchObject({ details: { reason: 'disk-full' } });
  });

  it('reports a missing folder', () => {
    expect(() => appendLine(join(folder, 'no', 'a.txt'), 'x')).toThrow('no such file');
    expect(existsSync(join(folder, 'no'))).toBe(false);
  });

  it('keeps foreign appends that are whole', () => {
    const path = join(folder, 'a.txt');
    appendLine(path, 'one');
    appendFileSync(path, 'two\n');
    appendLine(path, 'three');
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\nthree\n');
  });
});

function thrownBy(body: () => void): unknown {
  try {
    body();
  } catch (error) {
    return error;
  }
  return undefined;
}
