import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { smallFolder } from './__fixtures__/small-folder.js';
import { readAlignmentFolder } from './alignment-folder.js';
import { noiseImages } from './corrupt.js';
import { syntheticPair } from './datasets/synthetic-pair.js';
import type { AlignmentData } from './knowledge-graph.js';
import { writeAlignmentFolder } from './write-alignment-folder.js';

async function roundTrip(data: AlignmentData, gzip = false): Promise<AlignmentData> {
  const dir = join(temporaryFolder(), 'written');
  await writeAlignmentFolder(dir, data, { gzip });
  return readAlignmentFolder(dir);
}

function contents(data: AlignmentData): Partial<AlignmentData> {
  return { ...data, name: '', files: [], remarks: [] };
}

describe('writeAlignmentFolder', () => {
  it.each([false, true])('writes what the reader gives back (gzip: %s)', async (gzip) => {
    const edits = { ill_ent_ids: null, sup_ent_ids: '2\t4\n', ref_ent_ids: '0\t3\n2\t4\n' };
    const data = await readAlignmentFolder(smallFolder(edits));
    expect(contents(await roundTrip(data, gzip))).toEqual(contents(data));
  });

  it('writes a synthetic pair with images', async () => {
    const pair = syntheticPair({ entities: 200, random: createRandom(1) });
    const random = createRandom(2);
    const data = noiseImages(pair, { probability: 0.5, random, dimension: 3 });
    const read = await roundTrip(data);
    expect(read.images).toEqual(data.images);
    expect(read.links).toEqual(data.links);
    expect(read.triples.heads).toEqual(data.triples.heads);
    expect(read.attributes?.columns.length).toBe(data.attributes?.columns.length);
  });

  it('refuses names that the format cannot hold, before it writes that file', async () => {
    const data = await readAlignmentFolder(smallFolder());
    const dir = temporaryFolder();
    const entityNames = data.entityNames.map((name, i) => (i === 1 ? 'a\tb' : name));
    const spoilt = { ...data, entityNames };
    await expect(writeAlignmentFolder(dir, spoilt)).rejects.toThrow(
      /"a\\tb" is empty or has a tab/,
    );
    expect(readdirSync(dir)).toEqual([]);
  });
});
