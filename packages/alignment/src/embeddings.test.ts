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

  it('says so when the folder cannot be made', async () => {
    const state = smallTraining(await smallTask(), smallConfig());
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    await expect(writeEmbeddings(join(file, 'dir'), state)).rejects.toThrow(DataError);
    state.dispose();
  });
});
