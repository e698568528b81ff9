import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { collectDefects, ConfigError, DataError } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { writeAlignmentFolder } from '@lab/graph';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallConfig, smallData, withImages } from './__fixtures__/small-task.js';
import { AUTOMATIC_SEEDS, readTask } from './data.js';

const folder = temporaryFolder();

beforeAll(async () => {
  await writeAlignmentFolder(folder, withImages(smallData()));
});

describe('readTask', () => {
  it('splits the links of a folder by hash, or as the config says', async () => {
    const { data, split } = await readTask({ dir: folder }, smallConfig());
    expect(data.entityCount).toBe(80);
    expect([split.seeds.length / 2, split.test.length / 2]).toEqual([12, 28]);
    expect(split.origin).toContain('SHA-256');
    const half = await readTask({ dir: folder }, smallConfig({ 'data.seedShare': 0.5 }));
    expect(half.split.seeds.length / 2).toBe(20);
  });

  it('keeps validation pairs out of the seeds', async () => {
    const settings = { 'data.seedShare': 0.5, 'data.validationShare': 0.2 };
    const { split } = await readTask({ dir: folder }, smallConfig(settings));
    expect([split.seeds.length / 2, split.validation.length / 2]).toEqual([16, 4]);
  });

  it('makes all links seeds at share 1', async () => {
    const { split } = await readTask({ dir: folder }, smallConfig({ 'data.seedShare': 1 }));
    expect([split.seeds.length / 2, split.test.length / 2]).toEqual([40, 0]);
    expect(split.origin).toBe('all links');
    const settings = { 'data.seedShare': 1, 'data.validationShare': 0.2 };
    const kept = await readTask({ dir: folder }, smallConfig(settings));
    expect([kept.split.seeds.length / 2, kept.split.validation.length / 2]).toEqual([32, 8]);
    expect(kept.split.origin).toBe('all links less 8 for validation');
  });

  it.each([
    ['keep', 2],
    ['drop', 1],
  ] as const)('%ss repeated triples of own graphs', async (duplicateTriples, count) => {
    const dir = temporaryFolder();
    const path = (name: string) => join(dir, name);
    writeFileSync(path('a.csv'), 'a,r,b\na,r,b\n');
    writeFileSync(path('b.csv'), 'A,R,B\n');
    writeFileSync(path('links.csv'), 'a,A\nb,B\n');
    const own = { source: path('a.csv'), target: path('b.csv'), links: path('links.csv') };
    const settings = { 'data.seedShare': 1, 'data.duplicateTriples': duplicateTriples };
    const { data } = await readTask({ own }, smallConfig(settings));
    expect(data.triples.leftCount).toBe(count);
  });

  it('reads a seed file', async () => {
    const { data } = await readTask({ dir: folder }, smallConfig());
    const seedsFile = join(temporaryFolder(), 'seeds.tsv');
    const lines = [0, 1, 2].map((pair) =>
      [0, 1].map((side) => data.entityIds[data.links[2 * pair + side]!]).join('\t'),
    );
    writeFileSync(seedsFile, `${lines.join('\n')}\n`);
    const { split } = await readTask({ dir: folder, seedsFile }, smallConfig());
    expect(split.seeds).toEqual(data.links.slice(0, 6));
    expect(split.origin).toContain('seeds.tsv');
  });

  it('labels automatic seeds as such', async () => {
    const dir = temporaryFolder();
    const data = smallData();
    const entityNames = data.entityNames.map((name, entity) =>
      data.sides[entity] === 1 ? name : `x/${name}`,
    );
    for (let at = 0; at < 20; at += 2) {
      const name = `http://kg/Thing_${at}`;
      entityNames[data.links[at]!] = name;
      entityNames[data.links[at + 1]!] = name.replace('kg', 'other');
    }
    await writeAlignmentFolder(dir, { ...data, entityNames });
    const source = { dir, seedsFile: AUTOMATIC_SEEDS };
    const { split } = await readTask(source, smallConfig());
    expect(split.origin).toMatch(/^AUTOMATIC: unverified/);
    expect(split.seeds.length / 2).toBeGreaterThanOrEqual(10);
  });

  it('leaves images out when asked to, and when the config does not want them', async () => {
    const read = async (source: object, settings = {}) =>
      (await readTask({ dir: folder, ...source }, smallConfig(settings))).data.images;
    expect(await read({})).not.toBeNull();
    expect(await read({ images: false })).toBeNull();
    expect(await read({}, { 'data.modalities': ['graph', 'relation'] })).toBeNull();
  });

  it('keeps repeated triples in mode official and drops them in mode corrected', async () => {
    const dir = temporaryFolder();
    const data = smallData();
    const { heads, relations, tails, leftCount } = data.triples;
    const twice = (values: Int32Array) => Int32Array.from([values[0]!, ...values]);
    await writeAlignmentFolder(dir, {
      ...data,
      triples: {
        heads: twice(heads),
        relations: twice(relations),
        tails: twice(tails),
        leftCount: leftCount + 1,
      },
    });
    const count = async (mode: 'official' | 'corrected') =>
      (await readTask({ dir }, smallConfig({}, mode))).data.triples.heads.length;
    expect((await count('official')) - (await count('corrected'))).toBeGreaterThanOrEqual(1);
  });

  it('needs data', async () => {
    await expect(readTask({}, smallConfig())).rejects.toThrow(ConfigError);
    await expect(readTask({ dir: '/no/such' }, smallConfig())).rejects.toThrow(DataError);
  });

  it('gives every defect to the collector instead of throwing', async () => {
    const dir = temporaryFolder();
    await writeAlignmentFolder(dir, smallData());
    writeFileSync(join(dir, 'triples_1'), '1\t2\nx\t0\t1\n');
    const collected = collectDefects();
    await readTask({ dir, onDefect: collected.onDefect }, smallConfig());
    expect(collected.count).toBeGreaterThanOrEqual(2);
    for (const defect of collected.defects.slice(0, 2)) expect(defect.file).toContain('triples_1');
  });

  it('reads two graphs of a user', async () => {
    const dir = temporaryFolder();
    const path = (name: string) => join(dir, name);
    writeFileSync(path('a.csv'), 'head,relation,tail\na,r,b\nb,r,c\n');
    writeFileSync(path('b.csv'), 'head,relation,tail\nA,R,B\nB,R,C\n');
    writeFileSync(path('links.csv'), 'source,target\na,A\nb,B\n');
    const own = { source: path('a.csv'), target: path('b.csv'), links: path('links.csv') };
    const { data, split } = await readTask({ own }, smallConfig({ 'data.seedShare': 1 }));
    expect(data.entityCount).toBe(6);
    expect(split.seeds.length / 2).toBe(2);
  });
});
