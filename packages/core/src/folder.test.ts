import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DataError } from './errors.js';
import { asFolderProblem, assertWritableFolder, makeFolder } from './folder.js';
import { temporaryFolder } from './testing.js';

describe('makeFolder', () => {
  it('makes all that is missing, and leaves what is there', () => {
    const dir = join(temporaryFolder(), 'a', 'b');
    makeFolder(dir);
    writeFileSync(join(dir, 'file'), '');
    makeFolder(dir);
    expect(readdirSync(dir)).toEqual(['file']);
  });

  it('refuses a file in its place, or above it', () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    expect(() => makeFolder(file)).toThrow(
      `cannot make the folder ${file}: a file is in its place`,
    );
    expect(() => makeFolder(join(file, 'x', 'y'))).toThrow('a part of the path is a file');
  });

  it('ends where the system answers as if the parent were missing', () => {
    // Only Linux has such a place; elsewhere the error is made by hand.
    const refused = Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
    const make = () => {
      if (existsSync('/proc/self')) makeFolder('/proc/x/y');
      else throw asFolderProblem('/proc/x/y', refused);
    };
    expect(make).toThrow(DataError);
    expect(make).toThrow('cannot make the folder /proc/x/y: the system takes no folder there.');
  });
});

describe('assertWritableFolder', () => {
  it('leaves nothing behind but the folder', () => {
    const dir = join(temporaryFolder(), 'runs');
    assertWritableFolder(dir);
    expect(readdirSync(dir)).toEqual([]);
  });

  it('passes on what is no problem of files', () => {
    expect(() => asFolderProblem('x', new TypeError('own'))).toThrow(TypeError);
  });
});
