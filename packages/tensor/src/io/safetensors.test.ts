import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import type { WritableArray } from './checked-record.js';
import { memorySource } from './file-source.js';
import {
  openSafetensors,
  openSafetensorsSource,
  readSafetensors,
  writeSafetensors,
} from './safetensors.js';

const fixtures = join(import.meta.dirname, '__fixtures__');

function fileOf(header: unknown, dataBytes: number): string {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(text.length));
  const path = join(temporaryFolder(), 'model.safetensors');
  writeFileSync(path, Buffer.concat([prefix, text, Buffer.alloc(dataBytes)]));
  return path;
}

const entry = (begin: number, end: number, shape = [(end - begin) / 4]) => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
});

describe('readSafetensors', () => {
  it('reads a file of the Python library', async () => {
    const { tensors, metadata } = await readSafetensors(join(fixtures, 'tensors.safetensors'));
    expect(metadata).toEqual({ 'made by': 'safetensors' });
    for (const dtype of ['float64', 'float32', 'float16', 'bfloat16', 'int32', 'int16', 'int8']) {
      expect(tensors[dtype]).toMatchObject({ shape: [2, 3], dtype });
      expect(Array.from(tensors[dtype]!.data, Number), dtype).toEqual([0, 1, 2, 3, 4, 5]);
    }
    expect(tensors['int64']!.data).toEqual(BigInt64Array.of(0n, 1n, 2n, 3n, 4n, 5n));
    expect(tensors['bool']!.data).toEqual(Uint8Array.of(0, 1, 0, 1, 0, 1));
    expect(tensors['empty']).toMatchObject({ shape: [0, 4], data: new Float32Array(0) });
    expect(tensors['scalar']).toMatchObject({ shape: [], data: Float32Array.of(7) });
  });

  it('reads single tensors of an open file', async () => {
    const file = openSafetensors(join(fixtures, 'tensors.safetensors'));
    expect(file.entries.get('uint8')).toMatchObject({ dtype: 'uint8', shape: [2, 3] });
    expect((await file.read('uint8')).data).toEqual(Uint8Array.of(0, 1, 2, 3, 4, 5));
    await expect(file.read('absent')).rejects.toThrow('has no tensor "absent" among its 12');
    file.close();
  });

  it('reads single tensors of bytes from elsewhere, after the same checks', async () => {
    const bytes = await readFile(join(fixtures, 'tensors.safetensors'));
    const file = await openSafetensorsSource(memorySource('there', bytes));
    const local = openSafetensors(join(fixtures, 'tensors.safetensors'));
    for (const name of local.entries.keys()) {
      expect(await file.read(name), name).toEqual(await local.read(name));
    }
    local.close();
    for (const length of [0, 9, 100, bytes.length - 1]) {
      let isClosed = false;
      const cut = memorySource('there', bytes.subarray(0, length));
      const opening = openSafetensorsSource({ ...cut, close: () => (isClosed = true) });
      await expect(opening).rejects.toMatchObject({ code: 'LAB_DATA', file: 'there' });
      expect(isClosed).toBe(true);
    }
  });

  it('says that a git-lfs pointer is one, and how to fetch the file', async () => {
    const path = join(temporaryFolder(), 'model.safetensors');
    const oid = `oid sha256:${'ab'.repeat(32)}`;
    writeFileSync(path, `version https://git-lfs.github.com/spec/v1\n${oid}\nsize 99\n`);
    await expect(readSafetensors(path)).rejects.toMatchObject({
      message: expect.stringContaining('is a git-lfs pointer'),
      help: expect.stringContaining('git lfs pull'),
      file: path,
    });
  });

  it.each<[string, unknown, number, string]>([
    ['overlap', { a: entry(0, 8), b: entry(4, 12) }, 12, '"b" overlaps the tensor before it'],
    ['hole', { a: entry(0, 4), b: entry(8, 12) }, 12, '4 bytes before tensor "b"'],
    ['beyond the file', { a: entry(0, 8) }, 4, '"a" ends at byte 8 of 4'],
    ['bytes left over', { a: entry(0, 4) }, 8, 'last 4 bytes belong to no tensor'],
    ['wrong size', { a: entry(0, 8, [3]) }, 8, 'needs 12 bytes, its offsets give 8'],
    ['unknown type', { a: { ...entry(0, 4), dtype: 'F8_E4M3' } }, 4, 'type F8_E4M3'],
    ['a type that objects have', { a: { ...entry(0, 4), dtype: 'toString' } }, 4, 'type toString'],
    ['negative shape', { a: entry(0, 4, [-1]) }, 4, 'no valid shape or offsets'],
    ['reversed offsets', { a: entry(8, 4, [0]) }, 8, 'no valid shape or offsets'],
    ['fractional offsets', { a: entry(0.5, 4.5, [1]) }, 8, 'no valid shape or offsets'],
    ['no offsets', { a: { dtype: 'F32', shape: [1] } }, 4, 'no valid shape or offsets'],
    ['null entry', { a: null }, 0, 'type undefined'],
    ['metadata of numbers', { __metadata__: { a: 1 } }, 0, '__metadata__ is not a table of texts'],
    ['no JSON', '{"a": }', 0, 'its header is not JSON'],
    [
      'a name twice',
      '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},' +
        '"a":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}}',
      4,
      'its header has "a" twice',
    ],
    ['an array', '[1, 2, 3]', 0, 'is not a safetensors file'],
    ['a type that is an object', '{"a": {"dtype": {"toString": 1}}}', 0, 'is of type object'],
    [
      'a deep type',
      `{"a": {"dtype": ${'['.repeat(9999)}${']'.repeat(9999)}}}`,
      0,
      'is of type object',
    ],
    ['huge shape', { a: entry(0, 4, [2 ** 50, 2 ** 50]) }, 4, 'no valid shape or offsets'],
  ])('refuses %s', async (_, header, dataBytes, message) => {
    const path = fileOf(header, dataBytes);
    await expect(readSafetensors(path)).rejects.toThrow(message);
    await expect(readSafetensors(path)).rejects.toMatchObject({ code: 'LAB_DATA', file: path });
  });

  it('refuses files that are cut off or foreign', async () => {
    const bytes = await readFile(join(fixtures, 'tensors.safetensors'));
    const path = join(temporaryFolder(), 'cut.safetensors');
    for (const length of [0, 7, 9, 100, bytes.length - 1]) {
      writeFileSync(path, bytes.subarray(0, length));
      await expect(readSafetensors(path)).rejects.toMatchObject({ code: 'LAB_DATA' });
    }
    await expect(readSafetensors(join(fixtures, 'stored.npz'))).rejects.toThrow(
      'is not a safetensors file',
    );
  });

  it('refuses bools other than 0 and 1', async () => {
    const path = join(temporaryFolder(), 'bool.safetensors');
    await writeSafetensors(path, { a: { shape: [1], dtype: 'bool', data: Uint8Array.of(2) } });
    await expect(readSafetensors(path)).rejects.toThrow('"a" has bool values other than 0 and 1');
  });
});

describe('writeSafetensors', () => {
  const tensors: Record<string, WritableArray> = {
    weight: { shape: [2, 2], data: Float32Array.of(1, 2, 3, Number.NaN) },
    byte: { shape: [3], data: Uint8Array.of(1, 2, 3) },
    half: { shape: [2], dtype: 'float16', data: Float32Array.of(0.1, 70000) },
    brain: { shape: [2], dtype: 'bfloat16', data: Float32Array.of(1, 3.140625) },
    long: { shape: [1], data: BigUint64Array.of(2n ** 64n - 1n) },
    flags: { shape: [2], dtype: 'bool', data: Uint8Array.of(1, 0) },
    empty: { shape: [0], data: new Float64Array(0) },
    ['__proto__']: { shape: [1], data: Float32Array.of(5) },
  };

  it('reads back what was written', async () => {
    const path = join(temporaryFolder(), 'model.safetensors');
    await writeSafetensors(path, tensors, { format: 'pt' });
    const { tensors: back, metadata } = await readSafetensors(path);
    expect(metadata).toEqual({ format: 'pt' });
    expect(Object.keys(back).sort()).toEqual(Object.keys(tensors).sort());
    const rounded = Float32Array.of(0.0999755859375, Number.POSITIVE_INFINITY);
    for (const [name, { shape, data }] of Object.entries(tensors)) {
      expect(back[name]!.shape, name).toEqual(shape);
      expect(back[name]!.data, name).toEqual(name === 'half' ? rounded : data);
    }
  });

  it('writes the same bytes whatever the order of the tensors', async () => {
    const folder = temporaryFolder();
    await writeSafetensors(join(folder, 'a'), tensors);
    await writeSafetensors(
      join(folder, 'b'),
      Object.fromEntries(Object.entries(tensors).reverse()),
    );
    expect(await readFile(join(folder, 'a'))).toEqual(await readFile(join(folder, 'b')));
  });

  it('leaves the old file when a tensor does not fit', async () => {
    const path = join(temporaryFolder(), 'model.safetensors');
    await writeSafetensors(path, tensors);
    const before = await readFile(path);
    const wrong = { ...tensors, bad: { shape: [3], data: new Float32Array(2) } };
    await expect(writeSafetensors(path, wrong)).rejects.toThrow('bad has shape [3] but 2 numbers');
    const reserved = { __metadata__: { shape: [1], data: new Float32Array(1) } };
    await expect(writeSafetensors(path, reserved)).rejects.toThrow('__metadata__');
    expect(await readFile(path)).toEqual(before);
  });
});
