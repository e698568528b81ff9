// @boundaries-ignore both methods fill their quality tables alike
import {
  type Cell,
  fullData,
  type QualitySet,
} from '../../../alignment/bench/quality/quality-set.js';
import { exampleSource } from '../../src/index.js';

/** The cell of a mode on one pair of graphs. */
function modeCell(
  data: Cell['data'],
  { mode, pseudoSeeds }: Pick<Cell, 'mode' | 'pseudoSeeds'>,
): Cell {
  return {
    id: `${mode}${pseudoSeeds ? '-pseudo' : ''}`,
    label: `${mode}${pseudoSeeds ? ', pseudo seeds' : ''}`,
    data,
    preset: 'dbp15k',
    mode,
    pseudoSeeds,
  };
}

/** The cell of a pair of graphs in mode official. */
function pairCell(id: string, path: string, preset: Cell['preset'] = 'dbp15k'): Cell {
  const data = () => fullData(path);
  return { id, label: id, data, preset, mode: 'official', pseudoSeeds: false };
}

function smallPair(): { dir: string; seedsFile: string } {
  return exampleSource('en-fr-3k');
}

const bothModes = (['official', 'corrected'] as const).flatMap((mode) => [
  modeCell(smallPair, { mode, pseudoSeeds: false }),
  modeCell(smallPair, { mode, pseudoSeeds: true }),
]);

/** The sets by the name that the command line and the long checks give. */
export const sets: Readonly<Record<string, QualitySet>> = {
  '3k': { epochs: 300, every: 50, seeds: [1, 2, 3], cells: bothModes },
  '15k': {
    epochs: 100,
    every: 50,
    seeds: [1],
    cells: [
      modeCell(() => fullData('srprs15k/en_fr_15k_V1'), { mode: 'official', pseudoSeeds: false }),
    ],
  },
  pairs: {
    epochs: 100,
    every: 50,
    seeds: [1],
    isBesideLean: true,
    cells: [
      pairCell('en-de-15k', 'srprs15k/en_de_15k_V1'),
      pairCell('dbp-yg-15k', 'srprs15k/dbp_yg_15k_V1'),
      pairCell('dbp15k-zh-en', 'dbp15k/zh_en'),
      pairCell('dbp15k-ja-en', 'dbp15k/ja_en'),
      pairCell('dbp15k-fr-en', 'dbp15k/fr_en'),
      // 64 % of the triples of FB15K and no images: never to be put beside published numbers.
      pairCell('fb15k64-db15k', 'mmkb/fb15k_db15k', 'fb15k-db15k'),
    ],
  },
};
