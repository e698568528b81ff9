/**
 * Figures of a page as files: pictures and their data.
 */
import { join } from 'node:path';
import { makeFolder, writeFileAtomic } from '@lab/core';
import { type CaptionedFigure, type RunPage, standaloneSvg, svgToPng } from '@lab/report';

/** All figures of a page, the main one first. */
export function figuresOf(page: RunPage): CaptionedFigure[] {
  const main = page.mainFigure === undefined ? [] : [page.mainFigure];
  return [...main, ...page.sections.flatMap(({ figures }) => figures ?? [])];
}

/**
 * Writes every figure of a page as SVG, its data as CSV, and both words and data as JSON.
 *
 * @returns paths of the files.
 * @throws {BackendError} for PNG where `@resvg/resvg-js` is not installed.
 */
export async function writeFigures(dir: string, page: RunPage, isPng: boolean): Promise<string[]> {
  makeFolder(dir);
  const written: string[] = [];
  for (const [at, { figure, caption }] of figuresOf(page).entries()) {
    const name = `${String(at + 1).padStart(2, '0')}-${fileName(figure.title)}`;
    const save = (extension: string, content: string | Uint8Array) => {
      const path = join(dir, `${name}.${extension}`);
      writeFileAtomic(path, content);
      written.push(path);
    };
    const svg = standaloneSvg(figure);
    const { title, description, csv } = figure;
    save('svg', svg);
    save('csv', csv);
    save('json', `${JSON.stringify({ title, caption, description, ...dataOf(csv) }, null, 1)}\n`);
    if (isPng) save('png', await svgToPng(svg));
  }
  return written;
}

const fileName = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 60);

/** Columns and rows of the CSV text of a figure; numbers as numbers. */
function dataOf(csv: string): { columns: string[]; rows: (number | string | null)[][] } {
  const [columns = [], ...rows] = csv.trimEnd().split('\r\n').map(cellsOf);
  return { columns, rows: rows.map((row) => row.map(valueOf)) };
}

/** Cells of a line that `csvText` wrote; its texts have no line ends. */
function cellsOf(line: string): string[] {
  const cells = line.match(/(?<=^|,)(?:"(?:[^"]|"")*"|[^,]*)(?=,|$)/g) ?? [];
  return cells.map((cell) =>
    cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell,
  );
}

function valueOf(cell: string): number | string | null {
  if (cell === '') return null;
  const number = Number(cell);
  return Number.isFinite(number) ? number : cell;
}
