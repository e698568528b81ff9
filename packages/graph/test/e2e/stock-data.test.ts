import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { requireCondition } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { neighbourGraph, readAlignmentFolder, summarizeAlignment } from '../../src/index.js';

const root = process.env['LAB_DATA'] ?? '';

/** Entities and triples of KG1 and KG2, relations, links, ordered neighbour pairs, isolated. */
const counts: [string, number[]][] = [
  ['srprs15k/en_fr_15k_V1', [15_000, 15_000, 36_508, 33_532, 398, 15_000, 112_178, 0]],
  ['srprs15k/en_de_15k_V1', [15_000, 15_000, 38_363, 37_377, 342, 15_000, 123_224, 0]],
  ['srprs15k/dbp_yg_15k_V1', [15_000, 15_000, 33_748, 36_569, 253, 15_000, 119_600, 0]],
  ['dbp15k/zh_en', [19_388, 19_572, 70_414, 95_142, 3024, 15_000, 259_545, 0]],
  ['dbp15k/ja_en', [19_814, 19_780, 77_214, 93_484, 2452, 15_000, 270_029, 0]],
  ['dbp15k/fr_en', [19_661, 19_993, 105_998, 115_722, 2111, 15_000, 353_543, 0]],
  // rel_ids of FB15K name relations that the partial triples lack: 1,345 + 279, 1,345 + 32
  ['mmkb/fb15k_db15k', [14_951, 12_842, 381_186, 99_028, 1624, 12_846, 648_921, 164]],
  ['mmkb/fb15k_yago15k', [14_951, 15_404, 381_186, 122_886, 1377, 11_199, 684_243, 164]],
];

/** See test/SKIPS.md. */
describe('the stock data sets, unchanged', () => {
  for (const [folder, expected] of counts) {
    const isThere = requireCondition('data', root !== '' && existsSync(join(root, folder)));
    it.skipIf(!isThere)(`${folder} has its counts (needs data)`, async () => {
      const data = await readAlignmentFolder(join(root, folder));
      const summary = summarizeAlignment(data);
      expect([
        summary.leftEntities,
        summary.rightEntities,
        summary.leftTriples,
        summary.rightTriples,
        summary.relations,
        summary.links,
        neighbourGraph(data, { selfLoops: false }).columns.length,
        summary.isolatedEntities,
      ]).toEqual(expected);
    });
  }
});
