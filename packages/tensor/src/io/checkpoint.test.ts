import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { hasCheckpoint, readCheckpoint, writeCheckpoint } from './checkpoint.js';

const contentOf = (epoch: number) => ({
  tensors: {
    weight: { shape: [2, 2], data: Float32Array.of(epoch, 2, 3, 4) },
    steps: { shape: [], dtype: 'int32' as const, data: Int32Array.of(epoch) },
    empty: { shape: [0], data: new Float64Array(0) },
  },
  meta: { epoch, note: 'ü', nested: [null, { rate: 0.1 }] },
});

describe('checkpoint', () => {
  it('reads back what was written, again and again', async () => {
    const dir = join(temporaryFolder(), 'run', 'checkpoint');
    expect(hasCheckpoint(dir)).toBe(false);
    for (const epoch of [1, 2, 3]) {
      await writeCheckpoint(dir, contentOf(epoch));
      const { tensors, meta } = await readCheckpoint(dir);
      expect(meta).toEqual(contentOf(epoch).meta);
      expect(tensors).toEqual({
        weight: { shape: [2, 2], dtype: 'float32', data: Float32Array.of(epoch, 2, 3, 4) },
        steps: { shape: [], dtype: 'int32', data: Int32Array.of(epoch) },
        empty: { shape: [0], dtype: 'float64', data: new Float64Array(0) },
      });
      expect(readdirSync(dir)).toHaveLength(2);
    }
    expect(hasCheckpoint(dir)).toBe(true);
  });

  it('is the old one when a write was cut off, and the next write cleans up', async () => {
    const dir = temporaryFolder();
    await writeCheckpoint(dir, contentOf(1));
    writeFileSync(join(dir, '.tensors-b.safetensors.77-1.tmp'), 'half');
    writeFileSync(join(dir, 'tensors-b.safetensors'), 'whole, but not named by the manifest');
    writeFileSync(join(dir, '.checkpoint.json.77-2.tmp'), '{');
    expect((await readCheckpoint(dir)).meta).toMatchObject({ epoch: 1 });
    await writeCheckpoint(dir, contentOf(2));
    expect((await readCheckpoint(dir)).meta).toMatchObject({ epoch: 2 });
    expect(readdirSync(dir).sort()).toEqual(['checkpoint.json', 'tensors-b.safetensors']);
  });

  it('is the new one when only the old file was not yet removed', async () => {
    const dir = temporaryFolder();
    await writeCheckpoint(dir, contentOf(1));
    const copy = join(temporaryFolder(), 'copy');
    copyFileSync(join(dir, 'tensors-a.safetensors'), copy);
    await writeCheckpoint(dir, contentOf(2));
    copyFileSync(copy, join(dir, 'tensors-a.safetensors'));
    expect((await readCheckpoint(dir)).meta).toMatchObject({ epoch: 2 });
  });

  it('stays whole when the new content does not fit', async () => {
    const dir = temporaryFolder();
    await writeCheckpoint(dir, contentOf(1));
    const wrong = { tensors: { a: { shape: [3], data: new Float32Array(2) } }, meta: null };
    await expect(writeCheckpoint(dir, wrong)).rejects.toThrow('a has shape [3] but 2 numbers');
    expect((await readCheckpoint(dir)).meta).toMatchObject({ epoch: 1 });
    expect(readdirSync(dir)).toHaveLength(2);
  });

  it('notices a changed bit', async () => {
    const dir = temporaryFolder();
    await writeCheckpoint(dir, contentOf(1));
    const path = join(dir, 'tensors-a.safetensors');
    const bytes = readFileSync(path);
    bytes[bytes.length - 1] = bytes.at(-1)! ^ 1;
    writeFileSync(path, bytes);
    await expect(readCheckpoint(dir)).rejects.toThrow('differs from the hash in checkpoint.json');
    writeFileSync(path, bytes.subarray(0, 50));
    await expect(readCheckpoint(dir)).rejects.toMatchObject({ code: 'LAB_DATA', file: path });
    rmSync(path);
    await expect(readCheckpoint(dir)).rejects.toThrow('no such file');
  });

  it.each([
    ['no JSON', '{', 'cannot be read as JSON'],
    ['null', 'null', 'has version undefined, this program reads 1'],
    ['another version', '{"schemaVersion": 7}', 'has version 7, this program reads 1'],
    ['no file', '{"schemaVersion": 1}', 'names no tensor file'],
    [
      'a file outside',
      '{"schemaVersion": 1, "tensors": {"file": "../a", "sha256": ""}}',
      'names no tensor file',
    ],
  ])('refuses a manifest with %s', async (_, text, message) => {
    const dir = temporaryFolder();
    await expect(readCheckpoint(dir)).rejects.toThrow('no such file');
    writeFileSync(join(dir, 'checkpoint.json'), text);
    await expect(readCheckpoint(dir)).rejects.toThrow(message);
    await expect(readCheckpoint(dir)).rejects.toMatchObject({ code: 'LAB_DATA' });
  });

  it('says when the folder cannot be made', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    await expect(writeCheckpoint(join(file, 'dir'), contentOf(1))).rejects.toMatchObject({
      code: 'LAB_DATA',
    });
  });
});
