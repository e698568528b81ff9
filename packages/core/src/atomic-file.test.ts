import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeEach, describe, expect, it } from 'vitest';
import { appendLine, isTemporaryName, writeFileAtomic, writeStreamAtomic } from './atomic-file.js';
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

  it('writes the file that a link leads to, there or not, and keeps the link', () => {
    const [link, chain] = [join(folder, 'link'), join(folder, 'chain')];
    mkdirSync(join(folder, 'other'));
    symlinkSync(join('other', 'a.txt'), link);
    symlinkSync('link', chain);
    for (const [path, text] of [
      [link, 'first'],
      [chain, 'second'],
    ] as const) {
      writeFileAtomic(path, text);
      expect(readFileSync(join(folder, 'other', 'a.txt'), 'utf8')).toBe(text);
    }
    expect([link, chain].map((path) => lstatSync(path).isSymbolicLink())).toEqual([true, true]);
    expect(readdirSync(join(folder, 'other'))).toEqual(['a.txt']);
  });

  it('writes into pipes and devices and leaves them in their places', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const reader = spawn('cat', [pipe]);
    const read = text(reader.stdout);
    writeFileAtomic(pipe, ['one ', 'two']);
    expect(await read).toBe('one two');
    expect(lstatSync(pipe).isFIFO()).toBe(true);
    expect(readdirSync(folder)).toEqual(['pipe']);
    writeFileAtomic('/dev/null', 'x');
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
    expect(() => writeFileAtomic('/dev/full', 'x')).toThrow('disk full');
    expect(lstatSync('/dev/full').isCharacterDevice()).toBe(true);
  });

  it('names its temporary files so that they can be found', () => {
    expect(isTemporaryName('.run.json.123-4.tmp')).toBe(true);
    expect(isTemporaryName('run.json')).toBe(false);
    expect(isTemporaryName('.hidden.tmp')).toBe(false);
  });
});

describe('writeStreamAtomic', () => {
  async function* parts(error?: Error) {
    yield 'one\n';
    yield Buffer.from('two\n');
    if (error !== undefined) throw error;
  }

  it('writes parts one after the other', async () => {
    const path = join(folder, 'a.txt');
    await writeStreamAtomic(path, parts());
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n');
    expect(readdirSync(folder)).toEqual(['a.txt']);
  });

  it('leaves the old file where a part fails, and lets its error through', async () => {
    const path = join(folder, 'a.txt');
    writeFileSync(path, 'old');
    const own = new DataError('no more', { help: 'x' });
    await expect(writeStreamAtomic(path, parts(own))).rejects.toBe(own);
    const plain = new Error('broken');
    await expect(writeStreamAtomic(path, parts(plain))).rejects.toBe(plain);
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['a.txt']);
    await expect(writeStreamAtomic(join(folder, 'no', 'a.txt'), parts())).rejects.toThrow(
      'no such file',
    );
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
