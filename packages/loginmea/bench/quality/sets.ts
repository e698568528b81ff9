// @boundaries-ignore both methods fill their quality tables alike
import {
  type Cell,
  fullData,
  type QualitySet,
} from '../../../alignment/bench/quality/quality-set.js';
import { exampleSource } from '../../src/index.js';

const small = (
  id: string,
  label: string,
  more: Partial<Pick<Cell, 'epochs' | 'settings' | 'pseudoSeeds'>> = {},
): Cell => ({
  ...{ id, label, data: () => exampleSource('en-fr-3k') },
  ...{ preset: 'dbp15k', mode: 'corrected', pseudoSeeds: false },
  ...more,
});

/** A pair of graphs that is found through LAB_DATA. */
const pair = (id: string, path: string, preset = 'dbp15k'): Cell => ({
  ...{ id, label: id, data: () => fullData(path) },
  ...{ preset, mode: 'corrected', pseudoSeeds: false },
});

/** The sets by the name that the command line and the long checks give. */
export const sets: Readonly<Record<string, QualitySet>> = {
  '3k': {
    epochs: 60,
    every: 10,
    seeds: [1, 2, 3],
    cells: [
      small('corrected', 'corrected'),
      small('structure', 'graph alone', { settings: { 'data.modalities': ['graph'] } }),
      small('pseudo', 'corrected, pseudo seeds', { pseudoSeeds: true, epochs: 150 }),
    ],
  },
  pairs: {
    epochs: 60,
    every: 20,
    seeds: [1],
    isBesideLean: true,
    cells: [
      pair('en-fr-15k', 'srprs15k/en_fr_15k_V1'),
      pair('en-de-15k', 'srprs15k/en_de_15k_V1'),
      pair('dbp-yg-15k', 'srprs15k/dbp_yg_15k_V1'),
      pair('dbp15k-zh-en', 'dbp15k/zh_en'),
      pair('dbp15k-ja-en', 'dbp15k/ja_en'),
      pair('dbp15k-fr-en', 'dbp15k/fr_en'),
      // 64 % of the triples of FB15K and no images: never to be put beside published numbers.
      pair('fb15k64-db15k', 'mmkb/fb15k_db15k', 'fb15k-db15k'),
    ],
  },
};
