import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { requireCondition } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { readAlignmentFolder, relationPairs } from '../../src/index.js';

const root = process.env['LAB_DATA'] ?? '';

/** Ordered pairs E and distinct sets U, counted in Python: `loginmea/test/golden/oracles.json`. */
const counts: [string, number, number][] = [
  ['srprs15k/en_fr_15k_V1', 112_178, 2015],
  ['srprs15k/en_de_15k_V1', 123_224, 1644],
  ['srprs15k/dbp_yg_15k_V1', 119_600, 1266],
  ['dbp15k/zh_en', 259_545, 14_096],
  ['dbp15k/ja_en', 270_029, 10_345],
  ['dbp15k/fr_en', 353_543, 11_044],
  ['mmkb/fb15k_db15k', 648_921, 10_429],
  ['mmkb/fb15k_yago15k', 684_243, 7039],
];

async function countOf(folder: string): Promise<[pairs: number, sets: number]> {
  const data = await readAlignmentFolder(folder);
  const pairs = relationPairs(data, { relationCount: data.relationIds.length });
  return [pairs.sets.length, pairs.averaging.rowCount];
}

/** See test/SKIPS.md. */
describe('pairs and relation sets of the stock data sets', () => {
  for (const [folder, pairs, sets] of counts) {
    const isThere = requireCondition('data', root !== '' && existsSync(join(root, folder)));
    it.skipIf(!isThere)(`${folder} has ${pairs} and ${sets} (needs data)`, async () => {
      expect(await countOf(join(root, folder))).toEqual([pairs, sets]);
    });
  }

  it('EN-FR 3K has 31071 and 1055', async () => {
    const sample = join(import.meta.dirname, '../../../alignment/data/en-fr-3k');
    expect(await countOf(sample)).toEqual([31_071, 1055]);
  });
});
