import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ArrayRecord } from './array-record.js';
import { decodePickle, readPickle } from './pickle.js';

const folder = join(import.meta.dirname, '__fixtures__');
const versions = ['numpy1', 'numpy2'];
const protocols = [0, 1, 2, 3, 4, 5];
const cases = versions.flatMap((numpy) => protocols.map((protocol) => ({ numpy, protocol })));

type Dict = ReadonlyMap<unknown, unknown>;

async function fixture(numpy: string, protocol: number): Promise<Dict> {
  return (await readPickle(join(folder, `${numpy}-protocol${protocol}.pkl`))) as unknown as Dict;
}

function numbers(record: ArrayRecord): number[] {
  return Array.from(record.data as Float64Array, Number);
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

describe.each(cases)('readPickle of $numpy, protocol $protocol', ({ numpy, protocol }) => {
  it('reads every array, row-major', async () => {
    const arrays = (await fixture(numpy, protocol)).get('arrays') as ReadonlyMap<
      string,
      ArrayRecord
    >;
    const dtypes = {
      f4: 'float32',
      f8: 'float64',
      f2: 'float16',
      i1: 'int8',
      u1: 'uint8',
      i2: 'int16',
      u2: 'uint16',
      i4: 'int32',
      u4: 'uint32',
      i8: 'int64',
      u8: 'uint64',
      'big f4': 'float32',
      'big f8': 'float64',
      'big i4': 'int32',
      'big i8': 'int64',
      'fortran f4': 'float32',
    };
    for (const [name, dtype] of Object.entries(dtypes)) {
      const record = arrays.get(name)!;
      expect({ name, shape: record.shape, dtype: record.dtype }).toEqual({
        name,
        shape: [2, 3],
        dtype,
      });
      expect(numbers(record), name).toEqual(upTo(6));
    }
    expect(arrays.get('b1')!.dtype).toBe('bool');
    expect(numbers(arrays.get('b1')!)).toEqual([0, 1, 0, 1, 1, 0]);
    expect(arrays.get('fortran f8')).toEqual({
      shape: [2, 3, 4],
      dtype: 'float64',
      data: Float64Array.from(upTo(24)),
    });
    expect(numbers(arrays.get('fortran big f4')!)).toEqual(upTo(6));
    expect(arrays.get('fortran big f4')!.shape).toEqual([3, 2]);
    expect(arrays.get('empty')).toEqual({
      shape: [0, 4],
      dtype: 'float32',
      data: new Float32Array(0),
    });
    expect(arrays.get('zero-dimensional')).toEqual({
      shape: [],
      dtype: 'float64',
      data: Float64Array.of(7),
    });
    expect(arrays.get('turned')!.shape).toEqual([2, 3, 4]);
    expect(numbers(arrays.get('turned')!)).toEqual(upTo(24));
  });

  it('reads plain values', async () => {
    const values = (await fixture(numpy, protocol)).get('values') as Dict;
    expect(values.get('none')).toBeNull();
    expect([values.get('true'), values.get('false')]).toEqual([true, false]);
    const integers = [0, 5, -5, 255, 256, 65535, 65536, -(2 ** 31), 2 ** 31, 2 ** 53 - 1];
    expect(values.get('integers')).toEqual([...integers, 2n ** 70n, -(2n ** 70n)]);
    const infinity = Number.POSITIVE_INFINITY;
    expect(values.get('floats')).toEqual([0, 1.5, -1e300, 5e-324, infinity, -infinity]);
    expect(values.get('texts')).toEqual(['', 'text', 'ü中😀', "line\nfeed \\ quote '"]);
    const bytes = (values.get('bytes') as Uint8Array[]).map((part) => Buffer.from(part));
    expect(bytes).toEqual([Buffer.of(), Buffer.from('plain'), Buffer.from(upTo(256))]);
    expect(values.get('tuples')).toEqual([[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4]]);
    const nested = (values.get('nested') as Dict).get('a') as Dict;
    expect([...nested]).toEqual([
      [
        [1, 'x'],
        [null, new Map()],
      ],
    ]);
    const scalars = [1.5, -2.5, 0.5, -7, 7, 200, true, false, 2n ** 62n];
    expect(values.get('scalars')).toEqual(scalars);
  });

  it('reads a table of images and keeps what is shared shared', async () => {
    const content = await fixture(numpy, protocol);
    const images = content.get('images') as ReadonlyMap<number, ArrayRecord>;
    expect([...images.keys()]).toEqual([3, 1, 70000]);
    expect(images.get(70000)).toEqual({
      shape: [4],
      dtype: 'float32',
      data: Float32Array.of(70000, 70001, 70002, 70003),
    });
    const [first, second] = content.get('shared') as unknown[];
    expect(first).toBe(second);
  });
});

describe('decodePickle', () => {
  it('reads the byte strings of Python 2 as arrays and texts', async () => {
    const array = Buffer.concat([
      Buffer.from(
        '\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R',
      ),
      Buffer.from('(K\x01K\x02\x85cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R(K\x03U\x01<NNN'),
      Buffer.from([0x4a, 255, 255, 255, 255, 0x4a, 255, 255, 255, 255, 0x4b, 0]),
      Buffer.from('tb\x89U\x08', 'latin1'),
      Buffer.from(Float32Array.of(-1.5, 1e10).buffer),
      Buffer.from('tb.'),
    ]);
    // The opcodes above 0x7f were encoded as UTF-8 by Buffer.from; write them as bytes.
    const bytes = Buffer.from(array.toString('latin1').replaceAll('\xc2', ''), 'latin1');
    expect(await decodePickle(bytes)).toEqual({
      shape: [2],
      dtype: 'float32',
      data: Float32Array.of(-1.5, 1e10),
    });
  });

  it('reads the quoted strings and old spellings of protocol 0', async () => {
    const text = "(lp0\nS'a\\x41\\101\\n\\\\'\np1\naI01\naI00\naL5L\naFnan\naF-inf\na.";
    expect(await decodePickle(Buffer.from(text))).toEqual([
      'aAA\n\\',
      true,
      false,
      5,
      Number.NaN,
      Number.NEGATIVE_INFINITY,
    ]);
  });

  it('reads values longer than its window', async () => {
    const long = 'x'.repeat(600_000);
    const bytes = Buffer.concat([Buffer.from(`(V${long}\n`), Buffer.from(`V${long}\nt.`)]);
    expect(await decodePickle(bytes)).toEqual([long, long]);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(long.length);
    const binary = Buffer.concat([Buffer.from('X'), length, Buffer.from(`${long}.`)]);
    expect(await decodePickle(binary)).toBe(long);
  });

  it.each(['ÿ\u0080é', 'Ā', '中', '😀', 'ÿ\ud7ff'])('reads long texts of %j', async (part) => {
    const text = `${'a'.repeat(2000)}${part.repeat(1000)}`;
    const bytes = Buffer.from(text);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    const read = decodePickle(Buffer.concat([Buffer.from('X'), length, bytes, Buffer.from('.')]));
    expect(await read).toBe(text);
  });

  it('names the file and the place of damage', async () => {
    await expect(decodePickle(Buffer.from('(K\x01'), 'images.pkl')).rejects.toMatchObject({
      code: 'LAB_DATA',
      file: 'images.pkl',
      message: 'images.pkl: ends before the pickle does (at byte 3).',
    });
    await expect(decodePickle(Buffer.from('N.N'))).rejects.toThrow('has 1 bytes after its end');
    await expect(readPickle(join(folder, 'absent.pkl'))).rejects.toThrow('no such file');
    await expect(readPickle(join(folder, 'stored.npz'))).rejects.toMatchObject({
      code: 'LAB_DATA',
    });
    await expect(readPickle(folder)).rejects.toThrow('is not a file');
  });

  it('refuses an array whose bytes do not fit its shape, and types without numbers', async () => {
    const head = "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR";
    const dtype = (name: string) => `cnumpy\ndtype\n(S'${name}'\nI0\nI1\ntR`;
    const plain = "(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb";
    const array = (name: string, state: string) =>
      decodePickle(Buffer.from(`${head}(I1\n(I2\nt${dtype(name)}${state}I0\nS'abcd'\ntb.`));
    await expect(array('f4', plain)).rejects.toThrow('array [2] of float32 with 4 bytes');
    await expect(array('O8', plain)).rejects.toThrow("type 'O8', not of plain numbers");
    await expect(array('c8', plain)).rejects.toThrow("type 'c8'");
    const fields = "(I3\nS'|'\nN(S'a'\ntNI-1\nI-1\nI0\ntb";
    await expect(array('f2', fields)).rejects.toThrow('array of structures');
    expect(await array('i2', plain)).toMatchObject({ shape: [2], dtype: 'int16' });
    await expect(array('b1', plain)).rejects.toThrow('array [2] of bool with 4 bytes');
  });
});
