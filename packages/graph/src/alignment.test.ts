import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { collectDefects, DataError } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { smallFolder } from './__fixtures__/small-folder.js';
import { sortByDigest, splitLinks } from './alignment.js';
import { readAlignmentFolder } from './alignment-folder.js';
import type { AlignmentData } from './knowledge-graph.js';
import { automaticSeeds, readSeeds, writeSeeds } from './seed-file.js';

const sample = join(import.meta.dirname, '../../alignment/data/en-fr-3k');

function pairsOf(flat: Int32Array): string[] {
  return Array.from({ length: flat.length / 2 }, (_, i) => `${flat[2 * i]}-${flat[2 * i + 1]}`);
}

async function small(): Promise<AlignmentData> {
  return readAlignmentFolder(smallFolder({ ill_ent_ids: '0\t3\n2\t4\n7\t9\n' }));
}

describe('splitLinks', () => {
  it('takes the first share by SHA-256 of both names', async () => {
    const data = await readAlignmentFolder(sample);
    const split = await splitLinks(data, { share: 0.3 });
    expect(split.seeds).toHaveLength(2 * 900);
    expect(split.test).toHaveLength(2 * 2100);
    expect(split.origin).toBe('first 30 % by SHA-256');
    const digest = (pair: number): string => {
      const [left, right] = [split.seeds[2 * pair] as number, split.seeds[2 * pair + 1] as number];
      const text = `${data.entityNames[left]}\t${data.entityNames[right]}`;
      return createHash('sha256').update(text).digest('hex');
    };
    for (let pair = 1; pair < 900; pair += 1) expect(digest(pair) > digest(pair - 1)).toBe(true);
    const all = new Set([...pairsOf(split.seeds), ...pairsOf(split.test)]);
    expect(all.size).toBe(3000);
  });

  it('gives the committed seed file', async () => {
    const data = await readAlignmentFolder(sample);
    const byRule = await splitLinks(data, { share: 0.3 });
    const byFile = await splitLinks(data, { seedsFile: join(sample, 'seeds.tsv') });
    expect(byFile.seeds).toEqual(byRule.seeds);
    expect(byFile.test).toEqual(byRule.test);
    expect(byFile.origin).toContain('seeds.tsv');
  });

  it('does not hang on the order of the links', async () => {
    const data = await small();
    const reversed = { ...data, links: Int32Array.of(2, 5, 1, 4, 0, 3) };
    expect(sortByDigest(data, data.links)).toEqual(sortByDigest(data, reversed.links));
  });

  it('takes validation pairs from the end of the seeds', async () => {
    const data = await readAlignmentFolder(sample);
    const whole = await splitLinks(data, { share: 0.3 });
    const split = await splitLinks(data, { share: 0.3, validationShare: 0.1 });
    expect(split.seeds).toEqual(whole.seeds.slice(0, 2 * 810));
    expect(split.validation).toEqual(whole.seeds.slice(2 * 810));
    expect(split.origin).toBe('first 30 % by SHA-256 less 90 for validation');
    expect(split.test).toEqual(whole.test);
  });

  it('uses the split of the data unless a share is given', async () => {
    const edits = { ill_ent_ids: null, sup_ent_ids: '2\t4\n', ref_ent_ids: '0\t3\n2\t4\n7\t9\n' };
    const data = await readAlignmentFolder(smallFolder(edits));
    expect(pairsOf((await splitLinks(data)).seeds)).toEqual(['1-4']);
    expect((await splitLinks(data, { share: 0.7 })).seeds).toHaveLength(4);
  });

  it('counts given seeds that are no gold link and leaves their entities to test', async () => {
    const split = await splitLinks(await small(), { seeds: Int32Array.of(0, 4, 1, 4) });
    expect(split.seedsOutsideLinks).toBe(1);
    expect(pairsOf(split.test)).toEqual(['0-3', '2-5']);
  });

  it('lets seeds given as pairs, or in a file, take all links', async () => {
    const data = await small();
    const seedsFile = join(temporaryFolder(), 'all.tsv');
    writeSeeds(seedsFile, data, data.links);
    expect((await splitLinks(data, { seedsFile })).test).toHaveLength(0);
    const split = await splitLinks(data, { seeds: data.links });
    expect(split.seeds).toEqual(data.links);
    expect(split.test).toHaveLength(0);
  });

  it('refuses an empty seed set, an empty test set and a share out of range', async () => {
    const data = await small();
    await expect(splitLinks(data, { share: 0.1 })).rejects.toThrow(/0 of 3 links are seeds/);
    const providedSplit = { seeds: data.links, test: new Int32Array(0) };
    const whole = splitLinks({ ...data, providedSplit });
    await expect(whole).rejects.toThrow(/all 3 links are seeds/);
    await expect(splitLinks(data, { share: 1.5 })).rejects.toThrow(/share is 1.5/);
    const options = { share: 0.7, validationShare: Number.NaN };
    await expect(splitLinks(data, options)).rejects.toThrow(/validationShare is NaN/);
  });

  it('judges no counts of links that were read with defects, nor an empty file twice', async () => {
    const data = await small();
    const unjudged = await splitLinks(data, { share: 0.1, judgeCounts: false });
    expect(unjudged.seeds).toHaveLength(0);
    const seedsFile = join(temporaryFolder(), 'none.tsv');
    writeFileSync(seedsFile, '');
    const { defects, onDefect } = collectDefects();
    await splitLinks(data, { seedsFile, onDefect });
    expect(defects.map(({ message }) => message)).toEqual([
      expect.stringContaining('the seed set is empty'),
    ]);
  });
});

describe('seed files', () => {
  it('come back as they were written', async () => {
    const data = await small();
    const file = join(temporaryFolder(), 'seeds.tsv');
    writeSeeds(file, data, Int32Array.of(2, 5, 0, 3));
    expect(readFileSync(file, 'utf8')).toBe('7\t9\n0\t3\n');
    expect([...(await readSeeds(file, data))]).toEqual([2, 5, 0, 3]);
  });

  it('may name entities, always so where the data know names only', async () => {
    const data = await small();
    const file = join(temporaryFolder(), 'seeds.tsv');
    writeFileSync(file, 'en/Paris\tfr/Paris\n');
    expect([...(await readSeeds(file, data))]).toEqual([0, 3]);
    writeSeeds(file, { ...data, keyedBy: 'name' }, Int32Array.of(1, 4));
    expect(readFileSync(file, 'utf8')).toBe('en/France\tfr/France\n');
  });

  it('may be CSV with heading, quotes and further columns', async () => {
    const entityNames = ['a, b', 'c', 'd'];
    const ids = Int32Array.of(0, 1, 2);
    const data = { entityNames, entityIds: ids, sides: Uint8Array.of(1, 2, 2) };
    const file = join(temporaryFolder(), 'seeds.csv');
    writeFileSync(file, 'score,left,right\n.9,"a, b",d\n');
    expect([...(await readSeeds(file, { ...data, keyedBy: 'name' }))]).toEqual([0, 2]);
  });

  it('with defects name the line; an empty file is one', async () => {
    const data = await small();
    const file = join(temporaryFolder(), 'seeds.tsv');
    writeFileSync(file, '0\t3\n0\t3\n0\t99\n2\n');
    const { onDefect, defects } = collectDefects();
    expect([...(await readSeeds(file, data, { onDefect }))]).toEqual([0, 3]);
    expect(defects.map((defect) => defect.line)).toEqual([2, 3, 4]);
    writeFileSync(file, '');
    await expect(readSeeds(file, data)).rejects.toThrow(/the seed set is empty/);
  });
});

describe('automaticSeeds', () => {
  it('pairs names that agree and are unique', () => {
    const entityNames = ['a/Le_Havre', 'a/Seine', 'a/Seine', 'b/le%20havre', 'b#Seine', 'b/Rhône'];
    const data = { entityNames, left: Int32Array.of(0, 1, 2), right: Int32Array.of(3, 4, 5) };
    expect([...automaticSeeds(data, 'names')]).toEqual([0, 3]);
    const accents = { ...data, entityNames: ['x/Rhone', 'x/y', 'x/z', 'q', 'r', 'b/Rhône'] };
    expect([...automaticSeeds(accents, 'names')]).toEqual([0, 5]);
  });

  it('takes a name with a stray percent sign as it is', () => {
    const data = { entityNames: ['a/5%', 'b/5%'], left: Int32Array.of(0), right: Int32Array.of(1) };
    expect([...automaticSeeds(data, 'names')]).toEqual([0, 1]);
  });

  it('refuses when nothing agrees', () => {
    const data = { entityNames: ['a/x', 'b/y'], left: Int32Array.of(0), right: Int32Array.of(1) };
    expect(() => automaticSeeds(data, 'names')).toThrow(DataError);
  });
});
