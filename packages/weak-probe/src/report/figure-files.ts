/**
 * Figures of a run as files: SVG, and the data of each as CSV.
 */
import { join } from 'node:path';
import { makeFolder, writeFileAtomic } from '@lab/core';
import { type CaptionedFigure, standaloneSvg } from '@lab/report';

/** A name for the files of a figure: letters, digits and hyphens of its title. */
export const figureName = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');

/**
 * Writes each figure as `figures/NAME.svg` and `figures/NAME.csv`.
 *
 * @returns the folder.
 */
export function writeFigures(dir: string, figures: readonly CaptionedFigure[]): string {
  const folder = join(dir, 'figures');
  makeFolder(folder);
  for (const { figure } of figures) {
    const name = figureName(figure.title);
    writeFileAtomic(join(folder, `${name}.svg`), standaloneSvg(figure));
    writeFileAtomic(join(folder, `${name}.csv`), figure.csv);
  }
  return folder;
}
