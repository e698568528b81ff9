import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import type { WritableArray } from './checked-record.js';
import { readNpy, writeNpy } from './npy.js';

const fixtures = join(import.meta.dirname, '__fixtures__');
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

async function damaged(change: (bytes: Buffer) => Buffer): Promise<string> {
  const path = join(temporaryFolder(), 'damaged.npy');
  writeFileSync(path, change(await readFile(join(fixtures, 'version1.npy'))));
  return path;
}

describe('readNpy', () => {
  it.each([1, 2, 3])('reads format version %i', async (version) => {
    expect(await readNpy(join(fixtures, `version${version}.npy`))).toEqual({
      shape: [2, 3],
      dtype: 'float32',
      data: Float32Array.from(upTo(6)),
    });
  });

  it('reads a gzipped file, says when its gzip is cut off or holds something else', async () => {
    const packed = gzipSync(await readFile(join(fixtures, 'version1.npy')));
    const write = (name: string, bytes: Uint8Array): string => {
      const path = join(temporaryFolder(), name);
      writeFileSync(path, bytes);
      return path;
    };
    const { data } = await readNpy(write('packed.npy.gz', packed));
    expect(data).toEqual(Float32Array.from(upTo(6)));
    const torn = readNpy(write('torn.npy.gz', packed.subarray(0, -12)));
    await expect(torn).rejects.toThrow('torn.npy.gz: the gzip file is cut off');
    const short = readNpy(write('short.npy.gz', gzipSync(Buffer.from('\x93NUMPY', 'latin1'))));
    await expect(short).rejects.toThrow('short.npy.gz: is not an npy file');
  });

  it('reads Fortran order, big endian and zero dimensions', async () => {
    expect(await readNpy(join(fixtures, 'fortran-big.npy'))).toEqual({
      shape: [2, 3, 4],
      dtype: 'float64',
      data: Float64Array.from(upTo(24)),
    });
    expect(await readNpy(join(fixtures, 'scalar.npy'))).toEqual({
      shape: [],
      dtype: 'int64',
      data: BigInt64Array.of(7n),
    });
  });

  it.each([
    ['objects.npy', "holds '|O', not plain numbers"],
    ['texts.npy', "holds '<U1', not plain numbers"],
    ['structures.npy', 'holds structures, not plain numbers'],
    ['stored.npz', 'is not an npy file'],
    ['absent.npy', 'no such file'],
  ])('refuses %s', async (name, message) => {
    await expect(readNpy(join(fixtures, name))).rejects.toThrow(message);
    await expect(readNpy(join(fixtures, name))).rejects.toMatchObject({
      code: 'LAB_DATA',
      file: join(fixtures, name),
    });
  });

  it('says what is wrong with a damaged file', async () => {
    const version = await damaged((bytes) => bytes.fill(9, 6, 7));
    await expect(readNpy(version)).rejects.toThrow('npy version 9');
    const header = await damaged((bytes) => bytes.subarray(0, 40));
    await expect(readNpy(header)).rejects.toThrow('claims a header of 118 bytes');
    const body = await damaged((bytes) => bytes.subarray(0, -1));
    await expect(readNpy(body)).rejects.toThrow('has 23 bytes of numbers, its shape [2, 3]');
    const longer = await damaged((bytes) => Buffer.concat([bytes, bytes]));
    await expect(readNpy(longer)).rejects.toThrow('of float32 needs 24');
    const text = await damaged((bytes) => bytes.fill('?', 10, 60));
    await expect(readNpy(text)).rejects.toThrow('header that cannot be read');
    const empty = await damaged(() => Buffer.alloc(0));
    await expect(readNpy(empty)).rejects.toThrow('is not an npy file');
    const huge = await damaged((bytes) =>
      Buffer.from(
        bytes.toString('latin1').replace('(2, 3), }', '(9999999999999, 9999999), }'),
        'latin1',
      ),
    );
    await expect(readNpy(huge)).rejects.toMatchObject({ code: 'LAB_DATA' });
  });
});

describe('writeNpy', () => {
  const arrays: WritableArray[] = [
    { shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, Number.NaN, Number.POSITIVE_INFINITY) },
    { shape: [0, 7], data: new Float64Array(0) },
    { shape: [], data: Float64Array.of(3) },
    { shape: [3], data: BigInt64Array.of(-1n, 2n, 2n ** 62n) },
    { shape: [2], dtype: 'bool', data: Uint8Array.of(0, 1) },
    { shape: [1, 2], dtype: 'float16', data: Float32Array.of(0.5, -65504) },
    { shape: [2], data: Uint16Array.of(1, 65535) },
  ];

  it.each(arrays)('reads back what was written %#', async (array) => {
    const path = join(temporaryFolder(), 'array.npy');
    await writeNpy(path, array);
    const back = await readNpy(path);
    expect(back.data).toEqual(array.data);
    expect(back.shape).toEqual(array.shape);
    expect(back.dtype).toBe(array.dtype ?? back.dtype);
    expect((await readFile(path)).indexOf(10) % 64).toBe(63);
  });

  it('writes the bytes that NumPy writes', async () => {
    const path = join(temporaryFolder(), 'array.npy');
    await writeNpy(path, { shape: [2, 3], data: Float32Array.from(upTo(6)) });
    expect(await readFile(path)).toEqual(await readFile(join(fixtures, 'version1.npy')));
  });

  it('refuses what does not fit', async () => {
    const path = join(temporaryFolder(), 'array.npy');
    await expect(writeNpy(path, { shape: [2], data: new Float32Array(3) })).rejects.toThrow(
      'has shape [2] but 3 numbers',
    );
    const mixed: WritableArray = { shape: [1], dtype: 'int8', data: new Float32Array(1) };
    await expect(writeNpy(path, mixed)).rejects.toThrow('is int8, held in Float32Array');
    const brain: WritableArray = { shape: [1], dtype: 'bfloat16', data: new Float32Array(1) };
    await expect(writeNpy(path, brain)).rejects.toThrow('NumPy has no type for bfloat16');
  });
});
