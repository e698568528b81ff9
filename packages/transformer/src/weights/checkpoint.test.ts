import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { writeSafetensors } from '@lab/tensor/io';
import { describe, expect, it } from 'vitest';
import { exampleModel } from '../example-models.js';
import { checkpointFolder } from './checkpoint-folder.js';
import { openCheckpoint } from './checkpoint.js';
import { writeShards } from './write-shards.js';

const values = { shape: [2, 2], data: Float32Array.of(1, -2, 0.5, 3.140625) };
const INDEX = 'model.safetensors.index.json';

function emptyFolder(): string {
  const folder = join(temporaryFolder(), 'model');
  mkdirSync(folder);
  return folder;
}

async function sharded(
  map: Record<string, string> = { a: 'one.safetensors', b: 'two.safetensors' },
) {
  const folder = emptyFolder();
  await writeSafetensors(join(folder, 'one.safetensors'), {
    a: { ...values, dtype: 'bfloat16' },
  });
  await writeSafetensors(join(folder, 'two.safetensors'), {
    b: { ...values, dtype: 'float16' },
    ids: { shape: [1], data: Int32Array.of(7) },
  });
  writeFileSync(join(folder, INDEX), JSON.stringify({ weight_map: map }));
  return folder;
}

describe('openCheckpoint', () => {
  it('reads shards in 16 bits as float32', async () => {
    const checkpoint = openCheckpoint(await sharded());
    expect([...checkpoint.weights.keys()].toSorted()).toEqual(['a', 'b', 'ids']);
    expect(checkpoint.sizeBytes).toBe(20);
    expect(await checkpoint.read('a')).toEqual(values.data);
    expect(await checkpoint.read('b')).toEqual(values.data);
    await expect(checkpoint.read('ids')).rejects.toThrow('ids is of type int32, no floating-point');
    await expect(checkpoint.read('c')).rejects.toThrow('has no weight c');
    checkpoint.close();
  });

  it('refuses an index that names files elsewhere, or that are not there', async () => {
    const outside = await sharded({ a: '../one.safetensors' });
    expect(() => openCheckpoint(outside)).toThrow('names a file outside of the folder');
    const absent = await sharded({ a: 'one.safetensors', b: 'three.safetensors' });
    expect(() => openCheckpoint(absent)).toThrow('1 of 2 files of its index are not there: three');
    const broken = await sharded();
    writeFileSync(join(broken, INDEX), '{"weight_map": [1]}');
    expect(() => openCheckpoint(broken)).toThrow('has no weight_map');
    for (const map of ['["one.safetensors"]', '{}', 'null']) {
      writeFileSync(join(broken, INDEX), `{"weight_map": ${map}}`);
      expect(() => openCheckpoint(broken)).toThrow(/has no weight_map|0 is not in one/);
    }
    writeFileSync(join(broken, INDEX), 'x');
    expect(() => openCheckpoint(broken)).toThrow('is not JSON');
  });

  it('takes a weight from the file that the index names, refuses one not there', async () => {
    const wrong = await sharded({ a: 'two.safetensors', b: 'two.safetensors' });
    expect(() => openCheckpoint(wrong)).toThrow(`${INDEX}: a is not in two.safetensors`);
    const twice = await sharded({ a: 'one.safetensors', b: 'two.safetensors' });
    const others = { shape: [2], data: Float32Array.of(7, 8) };
    await writeSafetensors(join(twice, 'two.safetensors'), { a: others, b: values });
    const checkpoint = openCheckpoint(twice);
    expect(await checkpoint.read('a')).toEqual(values.data);
    expect(checkpoint.weights.get('a')!.shape).toEqual([2, 2]);
    expect([checkpoint.parameterCount, checkpoint.sizeBytes]).toEqual([8, 24]);
    checkpoint.close();
  });

  it('takes the one file where there is an index, too', async () => {
    const both = await sharded();
    const own = { shape: [2], data: Float32Array.of(7, 8) };
    await writeSafetensors(join(both, 'model.safetensors'), { a: own });
    const checkpoint = openCheckpoint(both);
    expect([...checkpoint.weights.keys()]).toEqual(['a']);
    expect(await checkpoint.read('a')).toEqual(own.data);
    checkpoint.close();
  });

  it('reads shards that were written over one file', async () => {
    const folder = emptyFolder();
    const other = { shape: [2, 2], data: new Float32Array(4) };
    await writeSafetensors(join(folder, 'model.safetensors'), { a: other, b: other });
    const shapes = new Map([...'ab'].map((name) => [name, values.shape] as const));
    await writeShards(folder, { shapes, numbers: 4, arrayOf: async () => values });
    const checkpoint = openCheckpoint(folder);
    expect(await checkpoint.read('b')).toEqual(values.data);
    checkpoint.close();
  });

  it('says what to do with a folder of other files', async () => {
    const folder = emptyFolder();
    expect(() => openCheckpoint(folder)).toThrow('has no *.safetensors.');
    writeFileSync(join(folder, 'pytorch_model.bin'), '');
    expect(() => openCheckpoint(folder)).toThrow(
      expect.objectContaining({ help: expect.stringContaining('save_pretrained') }),
    );
    for (const name of ['a', 'b']) {
      await writeSafetensors(join(folder, `${name}.safetensors`), { [name]: values });
    }
    expect(() => openCheckpoint(folder)).toThrow(`has 2 safetensors files and no ${INDEX}`);
  });
});

describe('checkpointFolder', () => {
  it('finds what the local Hugging Face cache has', () => {
    const cache = join(temporaryFolder(), 'models--lab--tiny');
    for (const [name, part] of [
      ['old', 'snapshots/old'],
      ['new', 'snapshots/new'],
      ['', 'refs'],
    ]) {
      mkdirSync(join(cache, part!), { recursive: true });
      if (name !== '') writeFileSync(join(cache, part!, 'config.json'), '{}');
    }
    expect(checkpointFolder(cache)).toMatch(/snapshots\/(old|new)$/);
    writeFileSync(join(cache, 'refs/main'), 'old\n');
    expect(checkpointFolder(cache)).toBe(join(cache, 'snapshots/old'));
    expect(checkpointFolder(join(cache, 'snapshots/new'))).toBe(join(cache, 'snapshots/new'));
    const link = join(cache, 'link');
    renameSync(join(cache, 'snapshots/new/config.json'), join(cache, 'blob'));
    symlinkSync(join(cache, 'blob'), join(cache, 'snapshots/new/config.json'));
    symlinkSync(join(cache, 'snapshots/new'), link);
    expect(checkpointFolder(link)).toBe(link);
    expect(() => checkpointFolder(join(cache, 'absent'))).toThrow('there is no such folder');
  });

  it('knows the models that come with the package', () => {
    expect(checkpointFolder('example:organism')).toBe(exampleModel('organism'));
    expect(() => checkpointFolder('example:organsim')).toThrow('no example "organsim"');
  });
});
