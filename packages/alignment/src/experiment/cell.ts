/**
 * What a cell of an experiment is: one setting, trained and measured.
 */
import type { Modality } from '../config-fields.js';

/** A deliberate fault of the data. */
export interface Corruption {
  readonly kind:
    | 'swap-rows'
    | 'flip-attributes'
    | 'flip-relations'
    | 'noise-images'
    | 'drop-images'
    | 'swap-images'
    | 'blur-images';
  /** Chance per row or bit, 0..1. */
  readonly probability: number;
  /** Of `blur-images`: deviation of the noise, in root mean squares of the image numbers. */
  readonly strength?: number;
}

/** One setting of an experiment. */
export interface AblationCell {
  /** Unique, `<group>/<what>`. */
  readonly id: string;
  /** In words, for tables. */
  readonly label: string;
  /** Config paths that are set. */
  readonly set: Readonly<Record<string, unknown>>;
  /** Share of the seed pairs that is used; default all. The test pairs stay the same. */
  readonly seedShare?: number;
  readonly corruption?: Corruption;
  /** How the pairs of the trained model are scored; default by its fused vectors. */
  readonly scores?: 'fused' | 'evidence';
  /** Also lay out its vectors in the plane, to be drawn. */
  readonly isProjected?: boolean;
  /** Train on a made-up pair of that many entities a side, and measure the cost of an epoch. */
  readonly syntheticEntities?: number;
  /** Place on the x axis of a sweep. */
  readonly x?: number;
  /** Curve of a sweep. */
  readonly series?: string;
}

/** Cells that belong together: one table and one figure. */
export interface AblationGroup {
  readonly name: string;
  readonly title: string;
  /** What to look for. */
  readonly caption: string;
  /** Axis of a sweep; without it the figure has bars. */
  readonly axis?: { readonly label: string; readonly isLog?: boolean; readonly hasZero?: boolean };
  readonly cells: readonly AblationCell[];
}

/** Modalities in words. */
export const modalityWords: Record<Modality, string> = {
  image: 'images',
  attribute: 'attributes',
  relation: 'relations',
  graph: 'graph',
};

/** A setting that is compared with others under the same faults. */
export interface Rival {
  readonly series: string;
  readonly set: Readonly<Record<string, unknown>>;
}
