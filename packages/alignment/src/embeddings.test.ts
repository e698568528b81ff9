import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend, tf } from '@lab/tensor';
import { readNpy } from '@lab/tensor/io';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallConfig, smallTask, smallTraining } from './__fixtures__/small-task.js';
import { writeEmbeddings } from './embeddings.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

describe('writeEmbeddings', () => {
  it('writes unit rows of both sides and the entity of each row', async () => {
    const task = await smallTask();
    const state = smallTraining(task, smallConfig());
    const before = tf.memory().numTensors;
    const dir = join(temporaryFolder(), 'new', 'folder');
    const written = await writeEmbeddings(dir, state);
    expect(tf.memory().numTensors).toBe(before);
    state.dispose();
    // 12 of the table and 6 each of relations and attributes.
    expect(written).toEqual({ dir, dimension: 24, leftCount: 40, rightCount: 40 });
    for (const side of ['left', 'right'] as const) {
      const { shape, data } = await readNpy(join(dir, `${side}.npy`));
      expect(shape).toEqual([40, 24]);
      const first = Array.from(data as Float32Array).slice(0, 24);
      expect(Math.hypot(...first)).toBeCloseTo(1, 5);
      const lines = readFileSync(join(dir, `${side}.csv`), 'utf8')
        .trim()
        .split('\n');
      const entity = task.data[side][1]!;
      expect(lines[0]).toBe('row,id,name');
      expect(lines[2]).toBe(`1,${task.data.entityIds[entity]},${task.data.entityNames[entity]}`);
      expect(lines).toHaveLength(41);
    }
  });

  it('goes over to numbered files beyond the size of one', async () => {
    const state = smallTraining(await smallTask(), smallConfig());
    const dir = temporaryFolder();
    await writeEmbeddings(dir, state);
    const whole = await readNpy(join(dir, 'right.npy'));
    const parts = temporaryFolder();
    await writeEmbeddings(parts, state, { fileBytes: 4 * 24 * 15 });
    state.dispose();
    const names = ['right-0000.npy', 'right-0001.npy', 'right-0002.npy'];
    const read = await Promise.all(names.map((name) => readNpy(join(parts, name))));
    expect(read.map(({ shape }) => shape[0])).toEqual([15, 15, 10]);
    expect(read.flatMap(({ data }) => Array.from(data as Float32Array))).toEqual(
      Array.from(whole.data as Float32Array),
    );
  });

  it('says so when the folder cannot be made', async () => {
    const state = smallTraining(await smallTask(), smallConfig());
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    await expect(writeEmbeddings(join(file, 'dir'), state)).rejects.toThrow(DataError);
    state.dispose();
  });
});
