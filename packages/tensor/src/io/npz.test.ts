import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { readNpz } from './npz.js';

const fixtures = join(import.meta.dirname, '__fixtures__');
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

function written(bytes: Uint8Array): string {
  const path = join(temporaryFolder(), 'foreign.npz');
  writeFileSync(path, bytes);
  return path;
}

describe('readNpz', () => {
  it.each(['stored.npz', 'deflated.npz'])('reads every array of %s', async (name) => {
    const arrays = await readNpz(join(fixtures, name));
    expect(Object.keys(arrays)).toHaveLength(23);
    expect(arrays['f8']).toEqual({
      shape: [2, 3],
      dtype: 'float64',
      data: Float64Array.from(upTo(6)),
    });
    expect(arrays['fortran-big-f4']!.data).toEqual(Float32Array.from(upTo(6)));
    expect(arrays['turned']!.data).toEqual(Float32Array.from(upTo(24)));
    expect(arrays['empty']!.shape).toEqual([0, 4]);
    expect(arrays['zero-dimensional']!.data).toEqual(Float64Array.of(7));
  });

  it('says which entry is damaged', async () => {
    const bytes = await readFile(join(fixtures, 'stored.npz'));
    const flipped = Buffer.from(bytes);
    flipped[200] = flipped[200]! ^ 1;
    await expect(readNpz(written(flipped))).rejects.toThrow('"f4.npy" has a wrong checksum');
    const packed = Buffer.from(await readFile(join(fixtures, 'deflated.npz')));
    packed.fill(0xff, 60, 90);
    await expect(readNpz(written(packed))).rejects.toMatchObject({ code: 'LAB_DATA' });
    await expect(readNpz(written(bytes.subarray(0, -100)))).rejects.toThrow('not a zip archive');
    await expect(readNpz(written(bytes.subarray(100)))).rejects.toMatchObject({ code: 'LAB_DATA' });
    await expect(readNpz(written(Buffer.alloc(0)))).rejects.toThrow('not a zip archive');
  });

  it('refuses entries that are no arrays', async () => {
    const foreign = written(zipSync({ 'readme.txt': Buffer.from('hello') }));
    await expect(readNpz(foreign)).rejects.toThrow('holds "readme.txt"');
    const text = written(zipSync({ 'a.npy': Buffer.from('hello world') }));
    await expect(readNpz(text)).rejects.toThrow('foreign.npz/a.npy: is not an npy file');
  });

  it('refuses sizes that deflate cannot reach', async () => {
    const zip = Buffer.from(zipSync({ 'a.npy': new Uint8Array(1000) }));
    const directory = zip.indexOf(Buffer.from('PK\x01\x02', 'latin1'));
    zip.writeUInt32LE(0x7fffffff, directory + 24);
    await expect(readNpz(written(zip))).rejects.toThrow('claims 2147483647 bytes');
    zip.writeUInt32LE(1100, directory + 24);
    await expect(readNpz(written(zip))).rejects.toThrow('is too short');
    zip.writeUInt32LE(900, directory + 24);
    await expect(readNpz(written(zip))).rejects.toThrow('is too long');
  });

  it('keeps names that objects have by themselves', async () => {
    const array = await readFile(join(fixtures, 'version1.npy'));
    const arrays = await readNpz(written(zipSync({ 'toString.npy': array })));
    expect(Object.keys(arrays)).toEqual(['toString']);
  });
});
