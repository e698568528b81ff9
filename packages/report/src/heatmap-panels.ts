import { ShapeError } from '@lab/core';
import { type Axis, axisValue } from './axis.js';
import { csvText, escapeHtml } from './escape.js';
import type { Figure } from './figure.js';
import { heatShade } from './heat-shade.js';
import { groundColor } from './palette.js';
import { type Frame, writtenFigure } from './render-figure.js';
import { fitText } from './series-labels.js';

/** One small heatmap: a value for each row and column; NaN where nothing is drawn. */
export interface HeatmapPanel {
  readonly title: string;
  /** `[rows, columns]`. */
  readonly values: readonly ArrayLike<number>[];
  /** Cells with a frame around them, by index. */
  readonly marked?: readonly { readonly row: number; readonly column: number }[];
}

/** What a grid of small heatmaps shows; one scale of shades for all. */
export interface HeatmapPanelsSpec {
  readonly title: string;
  readonly description?: string;
  /** In reading order. */
  readonly panels: readonly HeatmapPanel[];
  /** What the shades mean; with `isLog` a step of shade is a factor. */
  readonly value: Axis;
  /** Words for what is counted down and across, such as `layer` and `head`. */
  readonly rowLabel: string;
  readonly columnLabel: string;
  /** Panels side by side on wide screens; default 3, on narrow ones at most 2. */
  readonly columns?: number;
  readonly width?: number;
}

/** Room in px: between panels, for the title above, for words at the left, right and below. */
const ROOM = { gap: 16, head: 22, left: 30, right: 6, below: 20 } as const;
/** Cells of nearly the same shade are drawn together; so many shades are told apart. */
const SHADES = 24;
/** A panel is at most so much taller than wide. */
const TALLEST = 1.5;

/**
 * Small heatmaps without numbers, rows and columns counted from 0: for matrices of hundreds of
 * cells, whose values are in the data of the figure.
 *
 * @throws {ShapeError} when the rows of a panel differ in length.
 */
export function heatmapPanels(spec: HeatmapPanelsSpec): Figure {
  const { panels, value, rowLabel, columnLabel } = spec;
  for (const { title, values } of panels) {
    const length = values[0]?.length ?? 0;
    const other = values.find((row) => row.length !== length);
    if (other === undefined) continue;
    throw new ShapeError(
      `report/heatmapPanels: rows of "${title}" have ${length} and ${other.length} values.`,
      { expected: length, got: other.length },
    );
  }
  return writtenFigure({
    title: spec.title,
    description: spec.description ?? describePanels(spec),
    csv: csvText(
      ['panel', rowLabel, columnLabel, value.label],
      panels.flatMap(({ title, values }) =>
        values.flatMap((row, i) =>
          Array.from(row).flatMap((cell, j) =>
            Number.isFinite(cell) ? [[title, i, j, cell]] : [],
          ),
        ),
      ),
    ),
    write: (frame) => writePanels(spec, frame),
    ...(spec.width === undefined ? {} : { width: spec.width }),
  });
}

function describePanels({ panels, value, rowLabel, columnLabel }: HeatmapPanelsSpec): string {
  const sentences = panels.map(({ title, values }) => {
    const most = { row: 0, column: 0, value: Number.NEGATIVE_INFINITY };
    values.forEach((row, i) => {
      for (let j = 0; j < row.length; j += 1) {
        if (row[j]! > most.value) Object.assign(most, { row: i, column: j, value: row[j]! });
      }
    });
    if (!Number.isFinite(most.value)) return `${title}: no values.`;
    const at = `${rowLabel} ${most.row}, ${columnLabel} ${most.column}`;
    return `${title}: highest ${axisValue(value, most.value)} at ${at}.`;
  });
  return `Heatmaps of ${value.label} by ${rowLabel} and ${columnLabel}. ${sentences.join(' ')}`;
}

interface Place {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function writePanels(spec: HeatmapPanelsSpec, frame: Frame): { height: number; body: string } {
  const { panels } = spec;
  const wanted = Math.max(1, Math.min(spec.columns ?? 3, panels.length));
  const count = frame.isNarrow ? Math.min(2, wanted) : wanted;
  const beside = count * ROOM.left + ROOM.gap * (count - 1) + ROOM.right;
  const width = Math.floor((frame.width - beside) / count);
  const shapes = panels.map(({ values }) => values.length / Math.max(1, values[0]?.length ?? 1));
  const height = Math.round(width * Math.min(TALLEST, Math.max(0.25, ...shapes)));
  const step = ROOM.head + height + ROOM.below + ROOM.gap;
  const all = panels.flatMap(({ values }) => values.flatMap((row) => Array.from(row)));
  const shade = heatShade(spec.value, all);
  const drawn = panels.map((panel, index) => {
    const column = index % count;
    const place = {
      left: ROOM.left + column * (ROOM.left + width + ROOM.gap),
      top: ROOM.head + Math.floor(index / count) * step,
      ...{ width, height },
    };
    return panelSvg(panel, place, { spec, shade });
  });
  return { height: Math.ceil(panels.length / count) * step, body: drawn.join('') };
}

interface PanelContext {
  readonly spec: HeatmapPanelsSpec;
  readonly shade: (value: number) => number;
}

function panelSvg(panel: HeatmapPanel, place: Place, { spec, shade }: PanelContext): string {
  const { left, top, width, height } = place;
  const [rows, columns] = [panel.values.length, panel.values[0]?.length ?? 0];
  const cell = { width: width / Math.max(1, columns), height: height / Math.max(1, rows) };
  const frames = (panel.marked ?? []).map(({ row, column }) => {
    const at = `x="${short(left + column * cell.width)}" y="${short(top + row * cell.height)}"`;
    return `<rect ${at} width="${short(cell.width)}" height="${short(cell.height)}"/>`;
  });
  const muted = `fill="${groundColor('muted')}"`;
  const word = (text: string, x: number, y: number, more: string) =>
    `<text x="${short(x)}" y="${short(y)}" ${more}>${escapeHtml(text)}</text>`;
  const below = top + height + 14;
  return [
    word(fitText(panel.title, width + ROOM.left - 4), left, top - 7, startOf(groundColor('ink'))),
    `<g fill="${groundColor('heat')}">${cellPaths(panel, place, shade)}</g>`,
    `<rect x="${left}" y="${top}" width="${width}" height="${height}" fill="none" ` +
      `stroke="${groundColor('rule')}"/>`,
    `<g fill="none" stroke="${groundColor('ink')}" stroke-width="1.6">${frames.join('')}</g>`,
    `<g ${muted} font-size="11">`,
    word('0', left, below, 'text-anchor="start"'),
    word(spec.columnLabel, left + width / 2, below, ''),
    word(String(Math.max(0, columns - 1)), left + width, below, 'text-anchor="end"'),
    word('0', left - 5, top + 10, 'text-anchor="end"'),
    word(String(Math.max(0, rows - 1)), left - 5, top + height - 2, 'text-anchor="end"'),
    word(spec.rowLabel, 0, 0, turnedAt(left - 9, top + height / 2)),
    '</g>',
  ].join('');
}

const startOf = (color: string): string => `text-anchor="start" fill="${color}"`;

const turnedAt = (x: number, y: number): string =>
  `transform="translate(${short(x)},${short(y)}) rotate(-90)"`;

/** A path for each shade: cells of one shade beside each other are one rectangle. */
function cellPaths(
  { values }: HeatmapPanel,
  { left, top, width, height }: Place,
  shade: (value: number) => number,
): string {
  const paths = new Map<number, string[]>();
  values.forEach((row, i) => {
    const size = { x: width / row.length, y: height / values.length };
    for (let start = 0; start < row.length; ) {
      const level = levelOf(row[start]!, shade);
      let end = start + 1;
      while (end < row.length && levelOf(row[end]!, shade) === level) end += 1;
      if (level > 0) {
        const [x, y] = [short(left + start * size.x), short(top + i * size.y)];
        const across = short((end - start) * size.x);
        const path = `M${x} ${y}h${across}v${short(size.y)}h-${across}z`;
        paths.set(level, [...(paths.get(level) ?? []), path]);
      }
      start = end;
    }
  });
  return [...paths]
    .map(
      ([level, parts]) => `<path fill-opacity="${short(level / SHADES)}" d="${parts.join('')}"/>`,
    )
    .join('');
}

/** 0 for nothing drawn, up to SHADES. */
function levelOf(value: number, shade: (value: number) => number): number {
  return Number.isFinite(value) ? Math.round(shade(value) * SHADES) : 0;
}

const short = (value: number): string => String(Number(value.toFixed(2)));
