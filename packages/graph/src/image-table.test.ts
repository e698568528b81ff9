import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { collectDefects } from '@lab/core';
import { writeNpy, writeSafetensors } from '@lab/tensor/io';
import { describe, expect, it } from 'vitest';
import { smallFolder } from './__fixtures__/small-folder.js';
import { readAlignmentFolder } from './alignment-folder.js';
import type { ImageVectors } from './knowledge-graph.js';

// {0: [3, 4], 7: [0, 1], 4: [1, 1]} as float32, pickle.dumps of Python 3.11 with numpy 2.4
const protocol2 =
  'gAJ9cQAoSwBjbnVtcHkuX2NvcmUubXVsdGlhcnJheQpfcmVjb25zdHJ1Y3QKcQFjbnVtcHkKbmRhcnJheQpxAksAhX' +
  'EDY19jb2RlY3MKZW5jb2RlCnEEWAEAAABicQVYBgAAAGxhdGluMXEGhnEHUnEIh3EJUnEKKEsBSwKFcQtjbnVtcHkK' +
  'ZHR5cGUKcQxYAgAAAGY0cQ2JiIdxDlJxDyhLA1gBAAAAPHEQTk5OSv////9K/////0sAdHERYoloBFgJAAAAAABAQA' +
  'AAwoBAcRJoBoZxE1JxFHRxFWJLB2gBaAJLAIVxFmgIh3EXUnEYKEsBSwKFcRloD4loBFgJAAAAAAAAAAAAwoA/cRpo' +
  'BoZxG1JxHHRxHWJLBGgBaAJLAIVxHmgIh3EfUnEgKEsBSwKFcSFoD4loBFgKAAAAAADCgD8AAMKAP3EiaAaGcSNScS' +
  'R0cSVidS4=';
const protocol4 =
  'gASV5wAAAAAAAAB9lChLAIwWbnVtcHkuX2NvcmUubXVsdGlhcnJheZSMDF9yZWNvbnN0cnVjdJSTlIwFbnVtcHmUjA' +
  'duZGFycmF5lJOUSwCFlEMBYpSHlFKUKEsBSwKFlGgEjAVkdHlwZZSTlIwCZjSUiYiHlFKUKEsDjAE8lE5OTkr/////' +
  'Sv////9LAHSUYolDCAAAQEAAAIBAlHSUYksHaANoBksAhZRoCIeUUpQoSwFLAoWUaBCJQwgAAAAAAACAP5R0lGJLBG' +
  'gDaAZLAIWUaAiHlFKUKEsBSwKFlGgQiUMIAACAPwAAgD+UdJRidS4=';
// the vector of entity 7 has three numbers
const raggedPickle =
  'gASVwwAAAAAAAAB9lChLAIwWbnVtcHkuX2NvcmUubXVsdGlhcnJheZSMDF9yZWNvbnN0cnVjdJSTlIwFbnVtcHmUjA' +
  'duZGFycmF5lJOUSwCFlEMBYpSHlFKUKEsBSwKFlGgEjAVkdHlwZZSTlIwCZjSUiYiHlFKUKEsDjAE8lE5OTkr/////' +
  'Sv////9LAHSUYolDCAAAQEAAAIBAlHSUYksHaANoBksAhZRoCIeUUpQoSwFLA4WUaBCJQwwAAAAAAACAPwAAAECUdJ' +
  'RidS4=';
const callsSystem = 'Y29zCnN5c3RlbQooUyd0cnVlJwp0Ui4=';
const pickleName = 'SMALL_id_img_feature_dict.pkl';

function pickled(base64: string, name = pickleName): string {
  return smallFolder({ [name]: Buffer.from(base64, 'base64') });
}

function rowsOf(images: ImageVectors | null): [number, number[]][] {
  if (images === null) return [];
  const { dimension, vectors } = images;
  return Array.from(images.entities, (entity, row) => [
    entity,
    [...vectors.subarray(row * dimension, (row + 1) * dimension)],
  ]);
}

// dense indices of the ids 0, 7 and 4
const expected = [
  [0, [3, 4]],
  [2, [0, 1]],
  [4, [1, 1]],
];
const matrix = { shape: [3, 2], data: Float32Array.of(3, 4, 0, 1, 1, 1) };

async function arrayFolder(ids = '0\n7\n4\n', array = matrix): Promise<string> {
  const dir = smallFolder({ 'images_ids.txt': ids });
  await writeNpy(join(dir, 'images.npy'), array);
  return dir;
}

async function defectsOf(dir: string, images?: string): Promise<string[]> {
  const { onDefect, defects } = collectDefects();
  await readAlignmentFolder(dir, { onDefect, ...(images === undefined ? {} : { images }) });
  return defects.map((defect) => defect.message);
}

describe('image vectors are read', () => {
  it.each([
    ['2', protocol2],
    ['4', protocol4],
  ])('from a pickle of protocol %s', async (_, base64) => {
    const data = await readAlignmentFolder(pickled(base64));
    expect(rowsOf(data.images)).toEqual(expected);
    expect(data.files.some((file) => file.path.endsWith(pickleName))).toBe(true);
  });

  it('from the pkls folder beside the data', async () => {
    const dir = smallFolder();
    const inner = join(dir, 'zh_en');
    mkdirSync(join(dir, 'pkls'));
    mkdirSync(inner);
    for (const [name, content] of Object.entries({ ent_ids_1: '0\ta\n', ent_ids_2: '4\tb\n' })) {
      writeFileSync(join(inner, name), content);
    }
    writeFileSync(join(inner, 'triples_1'), '0\t0\t0\n');
    writeFileSync(join(inner, 'triples_2'), '4\t1\t4\n');
    writeFileSync(join(inner, 'ill_ent_ids'), '0\t4\n');
    const pickle = `${basename(inner)}_GA_id_img_feature_dict.pkl`;
    writeFileSync(join(dir, 'pkls', pickle), Buffer.from(protocol4, 'base64'));
    const data = await readAlignmentFolder(inner);
    expect(rowsOf(data.images)).toEqual([
      [0, [3, 4]],
      [1, [1, 1]],
    ]);
    expect(data.remarks.join()).toContain('1 image vectors belong to no known entity');
  });

  it('from npy with a list of ids', async () => {
    const data = await readAlignmentFolder(await arrayFolder());
    expect(rowsOf(data.images)).toEqual(expected);
  });

  it('from npy with one row per entity in the order of ids', async () => {
    const dir = smallFolder();
    const values = Float64Array.of(0, 2, 3, 4, 7, 9);
    await writeNpy(join(dir, 'images.npy'), { shape: [6, 1], data: values });
    const data = await readAlignmentFolder(dir); // ids 0 2 7 | 3 4 9, the row of id 0 is zero
    expect(rowsOf(data.images)).toEqual([
      [1, [2]],
      [2, [7]],
      [3, [3]],
      [4, [4]],
      [5, [9]],
    ]);
    expect(data.remarks.join()).toContain('1 image vectors are all zero');
  });

  it('from safetensors with an array of ids', async () => {
    const dir = smallFolder();
    const ids = { shape: [3], data: BigInt64Array.of(0n, 7n, 4n) };
    await writeSafetensors(join(dir, 'images.safetensors'), { ids, vectors: matrix });
    expect(rowsOf((await readAlignmentFolder(dir)).images)).toEqual(expected);
  });

  it('from gzipped files', async () => {
    const dir = await arrayFolder();
    writeFileSync(join(dir, 'images.npy.gz'), gzipSync(readFileSync(join(dir, 'images.npy'))));
    rmSync(join(dir, 'images.npy'));
    const data = await readAlignmentFolder(dir);
    expect(rowsOf(data.images)).toEqual(expected);
    expect(data.files.map(({ path }) => basename(path))).toContain('images.npy.gz');
    const pickle = gzipSync(Buffer.from(protocol4, 'base64'));
    const pickled = smallFolder({ [`${pickleName}.gz`]: pickle });
    expect(rowsOf((await readAlignmentFolder(pickled)).images)).toEqual(expected);
  });

  it('not at all when switched off', async () => {
    expect((await readAlignmentFolder(await arrayFolder(), { images: false })).images).toBeNull();
  });

  it('on one side only, with a remark', async () => {
    const array = { shape: [1, 2], data: Float32Array.of(1, 2) };
    const data = await readAlignmentFolder(await arrayFolder('7\n', array));
    expect(data.remarks).toContain('Only KG1 has images.');
  });
});

describe('image defects', () => {
  it('a pickle that would call a function', async () => {
    const [message] = await defectsOf(pickled(callsSystem));
    expect(message).toContain(pickleName);
  });

  it('vectors of different length', async () => {
    expect(await defectsOf(pickled(raggedPickle))).toEqual([
      expect.stringMatching(/entity 7 has 3 numbers, others 2/),
    ]);
  });

  it('more rows than ids', async () => {
    expect(await defectsOf(await arrayFolder('0\n7\n'))).toEqual([
      expect.stringMatching(/images.npy has 3 rows, its id list has 2/),
    ]);
  });

  it('rows that match neither entities nor a list', async () => {
    const dir = smallFolder();
    await writeNpy(join(dir, 'images.npy'), matrix);
    expect(await defectsOf(dir)).toEqual([
      expect.stringMatching(/images.npy has 3 rows, entities are 6/),
    ]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('the number %s', async (value) => {
    const array = { shape: [3, 2], data: Float32Array.of(3, 4, 0, value, 1, 1) };
    expect(await defectsOf(await arrayFolder(undefined, array))).toEqual([
      expect.stringMatching(new RegExp(`entity 7 has ${value} at position 1`)),
    ]);
  });

  it('an entity given twice', async () => {
    expect(await defectsOf(await arrayFolder('0\n7\n7\n'))).toEqual([
      expect.stringMatching(/entity 7 has two image vectors/),
    ]);
  });

  it('ids of other entities', async () => {
    expect(await defectsOf(await arrayFolder('100\n101\n7\n'))).toEqual([
      expect.stringMatching(/2 of 3 vectors belong to no known entity/),
    ]);
  });

  it('an id list with words', async () => {
    const [message] = await defectsOf(await arrayFolder('0\nseven\n4\n'));
    expect(message).toMatch(/images_ids.txt line 2: the entity id "seven"/);
  });

  it('several files, a file that is missing, and one of another kind', async () => {
    const dir = await arrayFolder();
    writeFileSync(join(dir, pickleName), Buffer.from(protocol4, 'base64'));
    expect(await defectsOf(dir)).toEqual([expect.stringMatching(/has 2 image files: images.npy/)]);
    expect(await defectsOf(dir, '/nowhere.npy')).toEqual(['missing image file /nowhere.npy.']);
    expect(await defectsOf(dir, join(dir, 'triples_1'))).toEqual([
      expect.stringMatching(/has no known image format/),
    ]);
  });
});
