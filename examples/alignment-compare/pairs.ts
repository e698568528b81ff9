// The comparison on seven pairs of 15,000 entities a side (13,000 to 19,661), 30 % of the links as
// seeds, one seed: a long check that needs LAB_DATA.
// node --conditions=@lab/source --import tsx examples/alignment-compare/pairs.ts
// Finished cells are kept in docs/experiments/alignment-comparison/pairs.
import { join } from 'node:path';
import { compareMethods, readTask } from '@lab/alignment';
import { ConfigError, writeFileAtomic } from '@lab/core';
import { markdownTable } from '@lab/report';
import { selectBackend } from '@lab/tensor';
import { comparisonDir, conditions, contestants } from './contestants.js';
import { pairsHeading, pairsPath, type PairRow, pairsTable } from './pairs-section.js';

const PAIRS = {
  'SRPRS EN-FR 15K': 'srprs15k/en_fr_15k_V1',
  'SRPRS EN-DE 15K': 'srprs15k/en_de_15k_V1',
  'SRPRS DBP-YG 15K': 'srprs15k/dbp_yg_15k_V1',
  'DBP15K ZH-EN': 'dbp15k/zh_en',
  'DBP15K JA-EN': 'dbp15k/ja_en',
  'DBP15K FR-EN': 'dbp15k/fr_en',
  'FB15K(64%)-DB15K': 'mmkb/fb15k_db15k',
};
const SHARE = 0.3;

const data = process.env['LAB_DATA'];
if (data === undefined) {
  throw new ConfigError('alignment-compare/pairs: LAB_DATA is not set.', {
    help: 'name the folder that holds srprs15k, dbp15k and mmkb',
  });
}

await selectBackend('auto');
const rows: PairRow[] = [];
for (const [pair, path] of Object.entries(PAIRS)) {
  const task = await readTask({ dir: join(data, path) }, contestants[0].config.config);
  const cells = await compareMethods({
    ...{ task, contestants, seeds: [1], seedShares: [SHARE] },
    dir: join(comparisonDir, 'pairs', path.replaceAll('/', '-')),
    onProgress: (text) => console.error(`${pair}  ${text}`),
  });
  const sizes = { entities: task.data.entityCount, testPairs: task.split.test.length / 2 };
  for (const { label, row } of cells) rows.push({ pair, label, ...sizes, values: row.mean });
}
writeFileAtomic(pairsPath, `${JSON.stringify(rows, null, 2)}\n`);
const table = markdownTable(pairsTable(rows));
const trained = `Seed 1; ${conditions.join('; ')}.`;
writeFileAtomic(join(comparisonDir, 'pairs.md'), `## ${pairsHeading}\n\n${trained}\n\n${table}\n`);
console.log(JSON.stringify(rows.map(({ pair, label, values }) => [pair, label, values['H@1']])));
