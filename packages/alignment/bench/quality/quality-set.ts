/**
 * What a quality table trains.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** One row of a quality table, trained once for each seed of its set. */
export interface Cell {
  /** Name of the run folder, without the seed. */
  readonly id: string;
  /** Name in the printed result. */
  readonly label: string;
  /** Folder of the data and, where the set has one, its seed file. */
  readonly data: () => { readonly dir: string; readonly seedsFile?: string };
  readonly preset: string;
  readonly mode: 'official' | 'corrected';
  readonly pseudoSeeds: boolean;
  /** Epochs of this row, where they are not those of its set. */
  readonly epochs?: number;
  /** Single settings by path. */
  readonly settings?: Readonly<Record<string, unknown>>;
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

/** A folder of the full data sets, found through LAB_DATA. */
export function fullData(path: string): { dir: string } {
  const base = process.env['LAB_DATA'];
  const dir = join(base ?? '', path);
  if (base !== undefined && existsSync(dir)) return { dir };
  throw new Error(`set LAB_DATA to the folder that holds ${path}`);
}
