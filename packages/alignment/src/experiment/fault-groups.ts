/**
 * Groups for data that are few or faulty, and for settings, that every method can have.
 */
import type { Modality } from '../config-fields.js';
import { type AblationCell, type AblationGroup, type Corruption, type Rival } from './cell.js';

/** Fewer seed pairs, up to all that there are. */
export function lowResourceGroup(seedShare: number, rivals: readonly Rival[]): AblationGroup {
  // Shares of all links, as the field reports them, up to all seeds that there are.
  const shares = [0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3].filter((share) => share <= seedShare);
  return {
    name: 'low-resource',
    title: 'Few seeds',
    caption: 'The same test pairs throughout; only fewer seed pairs are used.',
    axis: { label: 'seed pairs, % of links' },
    cells: rivals.flatMap(({ series, set }) =>
      shares.map((share) => ({
        id: `low-resource/${series}-${share}`,
        label: `${series}, ${Math.round(share * 100)} % seeds`,
        set,
        seedShare: share / seedShare,
        x: share * 100,
        series,
      })),
    ),
  };
}

/** One fault at growing strength, for every rival. */
export interface FaultSweep {
  readonly group: string;
  readonly words: string;
  readonly rivals: readonly Rival[];
  readonly values: readonly number[];
  /** The fault at a value, and the value in words. */
  readonly fault: (value: number) => Corruption;
  readonly place: (value: number) => { readonly x: number; readonly text: string };
  /** The curve of a rival; default its own name. */
  readonly curve?: (series: string) => string;
}

/** A value that is a share of rows or bits. */
export const asPercent = (value: number) => {
  const x = Math.round(value * 100);
  return { x, text: `${x} %` };
};

function faultCells(sweep: FaultSweep): AblationCell[] {
  const { group, words, values, fault, place, curve = (series) => series } = sweep;
  return sweep.rivals.flatMap(({ series, set }) =>
    values.map((value) => {
      const { x, text } = place(value);
      const corruption = fault(value);
      return {
        id: `${group}/${corruption.kind}-${series}-${value}`,
        label: `${words} ${text}, ${series}`,
        set,
        corruption,
        x,
        series: curve(series),
      };
    }),
  );
}

/** Shares of rows or bits that are wrong. */
export const faultShares = [0, 0.1, 0.3, 0.5];

/** Rows and columns of attributes and relations that are wrong. */
export function noiseGroup(present: readonly Modality[], rivals: readonly Rival[]): AblationGroup {
  const kinds = [
    ['swap-rows', 'rows of other entities'],
    ...(present.includes('attribute') ? [['flip-attributes', 'flipped attributes'] as const] : []),
    ...(present.includes('relation') ? [['flip-relations', 'flipped relations'] as const] : []),
  ] as const;
  return {
    name: 'noise',
    title: 'Faulty modalities',
    caption:
      'Attribute and relation rows of other entities, or flipped attribute or relation bits.',
    axis: { label: 'share of faulty rows or bits, %' },
    cells: kinds.flatMap(([kind, words]) =>
      faultCells({
        group: 'noise',
        words,
        rivals,
        values: faultShares,
        fault: (probability) => ({ kind, probability }),
        place: asPercent,
        curve: (series) => `${words}, ${series}`,
      }),
    ),
  };
}

/** A group that is one sweep. */
export function faultGroup({
  title,
  caption,
  axis,
  ...sweep
}: FaultSweep & Pick<AblationGroup, 'title' | 'caption'> & { axis: string }): AblationGroup {
  return { name: sweep.group, title, caption, axis: { label: axis }, cells: faultCells(sweep) };
}

/** Images that are missing, of other entities, or blurred by noise. */
export function imageGroups(
  present: readonly Modality[],
  rivals: readonly Rival[],
): AblationGroup[] {
  if (!present.includes('image')) return [];
  return [imagesKept(rivals), imagesSwapped(rivals), imagesBlurred(rivals)];
}

const imagesKept = (rivals: readonly Rival[]): AblationGroup =>
  faultGroup({
    title: 'Fewer images',
    caption: 'Share of the images that is kept; the others are missing.',
    axis: 'images kept, %',
    group: 'images-kept',
    words: 'images kept',
    rivals,
    values: [0, 0.2, 0.4, 0.6, 0.8, 1],
    fault: (kept) => ({ kind: 'drop-images', probability: 1 - kept }),
    place: asPercent,
  });

const imagesSwapped = (rivals: readonly Rival[]): AblationGroup =>
  faultGroup({
    title: 'Images of other entities',
    caption: 'Images change places between entities of the same graph.',
    axis: 'swapped images, %',
    group: 'images-swapped',
    words: 'swapped images',
    rivals,
    values: [...faultShares, 1],
    fault: (probability) => ({ kind: 'swap-images', probability }),
    place: asPercent,
  });

const imagesBlurred = (rivals: readonly Rival[]): AblationGroup =>
  faultGroup({
    title: 'Noise on the image vectors',
    caption: 'Normal noise, its deviation in root mean squares of the image numbers.',
    axis: 'deviation of the noise',
    group: 'images-blurred',
    words: 'noise on images',
    rivals,
    values: [0, 0.5, 1, 2, 4],
    fault: (strength) => ({ kind: 'blur-images', probability: strength > 0 ? 1 : 0, strength }),
    place: (x) => ({ x, text: `${x} rms` }),
  });

/** Random vectors as images. */
export function noiseModalityGroup(rivals: readonly Rival[]): AblationGroup {
  return {
    name: 'noise-modality',
    title: 'A modality of pure noise',
    caption: 'Random vectors as images: a good fusion must not lose by them.',
    cells: rivals.flatMap(({ series, set }) =>
      [0, 1].map((probability) => ({
        id: `noise-modality/${series}-${probability}`,
        label: `${series}${probability === 0 ? '' : ', noise images'}`,
        set,
        ...(probability === 0
          ? {}
          : { corruption: { kind: 'noise-images' as const, probability } }),
      })),
    ),
  };
}
