import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { copySafetensors } from './copy-safetensors.js';
import { openSafetensors, readSafetensors, writeSafetensors } from './safetensors.js';

const names = ['a', 'half', 'brain', 'count', 'empty'];

async function written(): Promise<string> {
  const path = join(temporaryFolder(), 'model.safetensors');
  await writeSafetensors(
    path,
    {
      a: { shape: [2, 2], data: Float32Array.of(1, -0, 3, Number.NaN) },
      half: { shape: [2], dtype: 'float16', data: Float32Array.of(0.1, 7) },
      brain: { shape: [2], dtype: 'bfloat16', data: Float32Array.of(1, 3.14) },
      count: { shape: [1], data: BigInt64Array.of(5n) },
      empty: { shape: [0, 3], data: new Float32Array(0) },
    },
    { format: 'pt', note: 'before' },
  );
  return path;
}

async function bytesOf(path: string, name: string): Promise<Uint8Array> {
  const file = openSafetensors(path);
  try {
    return await file.readBytes(name);
  } finally {
    file.close();
  }
}

describe('copySafetensors', () => {
  it('copies every byte where nothing is changed', async () => {
    const path = await written();
    const copy = join(temporaryFolder(), 'copy.safetensors');
    expect(await copySafetensors(path, copy, { change: () => null })).toEqual([]);
    expect(readFileSync(copy)).toEqual(readFileSync(path));
  });

  it('changes numbers in their own type, and texts of the header', async () => {
    const path = await written();
    const copy = join(temporaryFolder(), 'copy.safetensors');
    const changed = await copySafetensors(path, copy, {
      change: (name) =>
        name === 'half' || name === 'brain'
          ? (numbers) => (numbers as Float32Array).map((value) => 2 * value)
          : null,
      metadata: (before) => ({ ...before, note: `${before['note']}, after` }),
    });
    expect(changed.toSorted()).toEqual(['brain', 'half']);
    const { tensors, metadata } = await readSafetensors(copy);
    expect(metadata).toEqual({ format: 'pt', note: 'before, after' });
    expect(tensors['half']).toMatchObject({ dtype: 'float16' });
    expect([...(tensors['half']!.data as Float32Array)]).toEqual([0.199951171875, 14]);
    expect([...(tensors['brain']!.data as Float32Array)]).toEqual([2, 6.28125]);
    for (const name of names.filter((one) => !changed.includes(one))) {
      expect(await bytesOf(copy, name), name).toEqual(await bytesOf(path, name));
    }
  });

  it('leaves nothing behind where a change does not fit or the work is stopped', async () => {
    const path = await written();
    const copy = join(temporaryFolder(), 'copy.safetensors');
    const wrong = copySafetensors(path, copy, {
      change: (name) => (name === 'a' ? () => new Float32Array(1) : null),
    });
    await expect(wrong).rejects.toThrow('has shape');
    const signal = AbortSignal.abort(new Error('stopped'));
    await expect(copySafetensors(path, copy, { change: () => null, signal })).rejects.toThrow(
      'stopped',
    );
    await expect(readSafetensors(copy)).rejects.toThrow('no such file');
  });
});
