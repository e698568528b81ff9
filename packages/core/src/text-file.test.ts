import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { collectDefects } from './defects.js';
import { DataError } from './errors.js';
import { temporaryFolder } from './testing.js';
import { eachLine, findFile, parseInteger } from './text-file.js';

let folder = '';
beforeEach(() => {
  folder = temporaryFolder();
});

function file(content: string | Uint8Array, name = 'a.txt'): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function linesOf(path: string): Promise<string[]> {
  const lines: string[] = [];
  await eachLine(path, (text, line) => lines.push(`${line}:${text}`));
  return lines;
}

describe('eachLine accepts', () => {
  const bytes = new TextEncoder();

  it.each<[string, string | Uint8Array, string[]]>([
    ['an empty file', '', []],
    ['a lone line feed', '\n', ['1:']],
    ['a final line feed', 'a\nb\n', ['1:a', '2:b']],
    ['no final line feed', 'a\nb', ['1:a', '2:b']],
    ['CRLF', 'a\r\nb\r\n', ['1:a', '2:b']],
    ['CRLF without the last LF', 'a\r\nb\r', ['1:a', '2:b']],
    ['blank lines', 'a\n\n\nb', ['1:a', '2:', '3:', '4:b']],
    ['a byte-order mark', '\ufeffa\n', ['1:a']],
    ['letters beyond ASCII', 'é 中 🙂\n', ['1:é 中 🙂']],
    ['gzip', gzipSync('a\nb\n'), ['1:a', '2:b']],
    ['gzip of several members', join2(gzipSync('a\nb'), gzipSync('c\n')), ['1:a', '2:bc']],
    ['gzip of nothing', gzipSync(''), []],
    ['gzip with a mark', gzipSync(bytes.encode('\ufeffa')), ['1:a']],
  ])('%s', async (_, content, lines) => {
    expect(await linesOf(file(content))).toEqual(lines);
  });

  function join2(a: Uint8Array, b: Uint8Array): Uint8Array {
    return Buffer.concat([a, b]);
  }

  it('a named pipe, plain or packed', async () => {
    for (const content of ['a\nb\n', gzipSync('a\nb\n')]) {
      const pipe = join(folder, `pipe-${content.length}`);
      execFileSync('mkfifo', [pipe]);
      const reading = linesOf(pipe);
      await writeFile(pipe, content);
      expect(await reading).toEqual(['1:a', '2:b']);
    }
  });

  it('lines and letters that cross its blocks', async () => {
    const lines = Array.from({ length: 3000 }, (_, i) => `${'中é'.repeat(i % 97)}${i}`);
    const content = lines.join('\r\n');
    expect(Buffer.byteLength(content)).toBeGreaterThan(2 ** 18);
    expect(await linesOf(file(content))).toEqual(lines.map((text, i) => `${i + 1}:${text}`));
    const long = `${'x'.repeat(2 ** 20)}\nend`;
    expect((await linesOf(file(long))).map((line) => line.length)).toEqual([2 ** 20 + 2, 5]);
  });
});

describe('eachLine reports', () => {
  async function problemOf(path: string): Promise<DataError> {
    const error: unknown = await eachLine(path, () => undefined).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DataError);
    return error as DataError;
  }

  it('a missing file and a folder', async () => {
    expect((await problemOf(join(folder, 'none'))).message).toContain('no such file');
    expect((await problemOf(folder)).message).toContain('is a folder');
  });

  it('gzip that is cut off or damaged', async () => {
    const packed = gzipSync('a\n'.repeat(10_000));
    const cut = await problemOf(file(packed.subarray(0, packed.length - 20)));
    expect(cut.message).toContain('cut off');
    const wrong = Buffer.from(packed);
    wrong[packed.length - 6]! ^= 0xff;
    expect((await problemOf(file(wrong))).message).toContain('damaged');
    const garbage = Buffer.concat([gzipSync('a\n'), Buffer.from('garbage')]);
    expect((await problemOf(file(garbage))).message).toContain('damaged');
  });

  it('zero bytes and bytes that are not UTF-8, with the line', async () => {
    const zero = await problemOf(file(Buffer.from('a\nb\0c\n')));
    expect(zero).toMatchObject({ line: 2, file: join(folder, 'a.txt') });
    expect(zero.message).toContain('line 2: a zero byte at byte 2');
    const latin = await problemOf(file(Buffer.from('a\nb\ncaf\xe9\n', 'latin1')));
    expect(latin).toMatchObject({ line: 3 });
    expect(latin.help).toContain('UTF-8');
  });

  it('UTF-16', async () => {
    expect((await problemOf(file(Buffer.from('\ufeffa\n', 'utf16le')))).message).toContain(
      'UTF-16',
    );
  });

  it('every bad line to onDefect and goes on with the others', async () => {
    const path = file(Buffer.from('a\n\xff\nb\r\n\0\nc', 'latin1'));
    const { defects, onDefect } = collectDefects();
    const lines: string[] = [];
    await eachLine(path, (text, line) => lines.push(`${line}:${text}`), { onDefect });
    expect(lines).toEqual(['1:a', '3:b', '5:c']);
    expect(defects.map((defect) => defect.line)).toEqual([2, 4]);
  });

  it('errors of the caller as they are, and an aborted signal', async () => {
    const path = file('a\nb\n');
    const fail = (): void => {
      throw new RangeError('mine');
    };
    await expect(eachLine(path, fail)).rejects.toThrow(RangeError);
    const signal = AbortSignal.abort(new Error('stop'));
    await expect(eachLine(path, () => undefined, { signal })).rejects.toThrow('stop');
  });
});

describe('findFile', () => {
  it('finds plain and packed names in the given order', () => {
    expect(findFile(folder, ['a', 'b'])).toBeUndefined();
    file('', 'b.gz');
    expect(findFile(folder, ['a', 'b'])).toBe(join(folder, 'b.gz'));
    file('', 'b');
    expect(findFile(folder, ['a', 'b'])).toBe(join(folder, 'b'));
    file('', 'a.gz');
    expect(findFile(folder, ['a', 'b'])).toBe(join(folder, 'a.gz'));
  });
});

describe('parseInteger', () => {
  const where = { file: 'ent_ids_1', line: 4, field: 'entity id' };

  it.each([
    ['0', 0],
    [' 12 ', 12],
    ['-3', -3],
    ['+4', 4],
  ])('reads %j', (text, value) => {
    expect(parseInteger(text, where)).toBe(value);
  });

  it.each(['', 'x', '1.5', '1e3', '0x10', '99999999999999999999', '1 2'])('refuses %j', (text) => {
    expect(() => parseInteger(text, where)).toThrow(DataError);
    expect(() => parseInteger(text, where)).toThrow('ent_ids_1 line 4: entity id');
  });

  it('shortens long values', () => {
    expect(() => parseInteger('x'.repeat(500), where)).toThrow('xxx..." is not an integer');
  });
});
