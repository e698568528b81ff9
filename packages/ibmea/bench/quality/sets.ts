import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exampleSource, type TrainOptions } from '../../src/index.js';

/** One row of a quality table, trained once for each seed of its set. */
export interface Cell {
  /** Name of the run folder, without the seed. */
  readonly id: string;
  /** Name in the printed result. */
  readonly label: string;
  /** Folder of the data and, where the set has one, its seed file. */
  readonly data: () => { readonly dir: string; readonly seedsFile?: string };
  readonly preset: NonNullable<TrainOptions['preset']>;
  readonly mode: 'official' | 'corrected';
  readonly pseudoSeeds: boolean;
}

/** Cells that are trained alike. */
export interface QualitySet {
  readonly epochs: number;
  /** Epochs between two evaluations on the test pairs. */
  readonly every: number;
  readonly seeds: readonly number[];
  readonly cells: readonly Cell[];
  /** Whether the lean PyTorch form runs beside ours, on the same seed file. */
  readonly isBesideLean?: boolean;
}

/** Folder of this package. */
export const packageDir = fileURLToPath(new URL('../../', import.meta.url));

/** A folder of the full data sets, found through LAB_DATA. */
function fullData(path: string): { dir: string } {
  const base = process.env['LAB_DATA'];
  const dir = join(base ?? '', path);
  if (base !== undefined && existsSync(dir)) return { dir };
  throw new Error(`set LAB_DATA to the folder that holds ${path}`);
}

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
