import * as Plot from '@observablehq/plot';
import { ShapeError } from '@lab/core';
import { type Axis, axisValue } from './axis.js';
import { csvText } from './escape.js';
import type { Figure } from './figure.js';
import { heatShade } from './heat-shade.js';
import { createSeriesColors, groundColor, type SeriesColors, seriesColor } from './palette.js';
import { type Frame, renderFigure } from './render-figure.js';
import { fitText, legendHeight, legendMarks, legendRows, textWidth } from './series-labels.js';

/** A word in a cell. */
export interface HeatmapWord {
  readonly text: string;
  /** Shades the cell. */
  readonly value: number;
  /** What kind of word it is: the frame of the cell has its colour, and a legend names it. */
  readonly kind?: string;
}

/** What a heatmap of words shows: words in the order of their rank, for each row. */
export interface WordHeatmapSpec {
  readonly title: string;
  readonly description?: string;
  readonly rows: readonly { readonly name: string; readonly words: readonly HeatmapWord[] }[];
  readonly rowLabel: string;
  /** Words above the columns; they are counted from 1. */
  readonly columnLabel: string;
  readonly value: Axis;
  /** Signs behind words of a kind, so that colour is not alone, e.g. `{ negative: '-' }`. */
  readonly signs?: Readonly<Record<string, string>>;
  /** Kinds in the order of the legend. */
  readonly colors?: SeriesColors;
  readonly width?: number;
}

interface Cell extends HeatmapWord {
  readonly row: string;
  readonly rank: number;
  readonly strength: number;
}

/** Up to here words on the cell keep a contrast of 4.5:1 in both schemes. */
const STRONGEST = 0.6;
const ROW_HEIGHT = 26;
/** px that a word needs; ranks that have no room are in the data alone. */
const NARROWEST = 72;

/** Words in cells shaded by value, each row its own words, framed by their kind. */
export function wordHeatmap(spec: WordHeatmapSpec): Figure {
  const names = spec.rows.map(({ name }) => name);
  if (new Set(names).size !== names.length) {
    throw new ShapeError(`report/wordHeatmap: rows of "${spec.title}" share a name.`, {
      expected: names.length,
      got: new Set(names).size,
    });
  }
  const cells = cellsOf(spec);
  return renderFigure({
    title: spec.title,
    description: spec.description ?? describeWords(spec),
    csv: csvText(
      [spec.rowLabel, spec.columnLabel, 'word', 'kind', spec.value.label],
      cells.map(({ row, rank, text, kind, value }) => [row, rank, text, kind, value]),
    ),
    draw: (frame) => drawWords(spec, cells, frame),
    ...(spec.width === undefined ? {} : { width: spec.width }),
  });
}

function describeWords({ rows, rowLabel, value }: WordHeatmapSpec): string {
  const parts = rows.map(({ name, words }) => {
    const first = words[0];
    return first === undefined
      ? `${name}: none.`
      : `${name}: ${first.text} (${axisValue(value, first.value)}).`;
  });
  return `Words by ${rowLabel}, shaded by ${value.label}. First of each: ${parts.join(' ')}`;
}

function cellsOf({ rows, value }: WordHeatmapSpec): Cell[] {
  const shade = heatShade(
    value,
    rows.flatMap(({ words }) => words.map((word) => word.value)),
  );
  return rows.flatMap(({ name, words }) =>
    words.map((word, index) => ({
      ...word,
      row: name,
      rank: index + 1,
      strength: STRONGEST * shade(word.value),
    })),
  );
}

function drawWords(spec: WordHeatmapSpec, cells: readonly Cell[], frame: Frame): Plot.PlotOptions {
  const names = spec.rows.map(({ name }) => name);
  const widest = names.reduce((most, name) => Math.max(most, textWidth(name)), 0);
  const marginLeft = Math.min(widest + 14, frame.width * 0.3);
  const whole = cells.reduce((most, { rank }) => Math.max(most, rank), 1);
  const room = Math.max(1, Math.floor((frame.width - marginLeft - 10) / NARROWEST));
  const ranks = Math.min(whole, room);
  const columnWidth = (frame.width - marginLeft - 10) / ranks;
  const colors = spec.colors ?? createSeriesColors();
  const kinds = [...new Set(cells.flatMap(({ kind }) => kind ?? []))];
  const slots = kinds.map((kind) => ({
    name: `${kind}${signOf(spec, kind)}`,
    slot: colors.slotOf(kind),
  }));
  const legend = legendRows(
    slots.toSorted((a, b) => a.slot - b.slot),
    frame.width - 8,
  );
  const marginTop = 40 + legendHeight(legend);
  return {
    width: frame.width,
    height: marginTop + names.length * ROW_HEIGHT + 8,
    ...{ marginTop, marginRight: 10, marginBottom: 8, marginLeft },
    x: { domain: Array.from({ length: ranks }, (_, at) => at + 1), axis: null, padding: 0.04 },
    y: { domain: names, axis: null, padding: 0.08 },
    marks: [
      ...legendMarks(legend, { left: 4, top: 10, width: frame.width - 8, key: 'square' }),
      Plot.axisX({
        ...{ anchor: 'top', labelArrow: 'none', labelOffset: 38, tickSize: 0 },
        label: ranks < whole ? `${spec.columnLabel}, first ${ranks}` : spec.columnLabel,
        fill: groundColor('muted'),
      }),
      Plot.text(names, {
        y: (name: string) => name,
        frameAnchor: 'left',
        text: (name: string) => fitText(name, marginLeft - 12),
        ...{ dx: -8, textAnchor: 'end', fill: groundColor('ink') },
      }),
      ...cellMarks(
        spec,
        cells.filter(({ rank }) => rank <= ranks),
        { columnWidth, colors },
      ),
    ],
  };
}

const signOf = ({ signs }: WordHeatmapSpec, kind: string | undefined): string => {
  const sign = kind === undefined ? undefined : signs?.[kind];
  return sign === undefined ? '' : ` ${sign}`;
};

function cellMarks(
  spec: WordHeatmapSpec,
  cells: readonly Cell[],
  { columnWidth, colors }: { readonly columnWidth: number; readonly colors: SeriesColors },
): Plot.Markish[] {
  const place = { x: 'rank', y: 'row' } as const;
  const valueOf = ({ value }: Cell) => axisValue(spec.value, value);
  return [
    Plot.cell(cells, {
      ...place,
      fill: groundColor('heat'),
      fillOpacity: (cell: Cell) => cell.strength,
      ...{ stroke: groundColor('rule'), strokeWidth: 0.6 },
      title: (cell: Cell) =>
        `${cell.row}, ${cell.rank}: ${cell.text}${cell.kind ? ` (${cell.kind})` : ''}, ` +
        `${spec.value.label} ${valueOf(cell)}`,
    }),
    Plot.cell(
      cells.filter(({ kind }) => kind !== undefined),
      {
        ...place,
        ...{ inset: 1, fill: 'none', strokeWidth: 2 },
        stroke: ({ kind }: Cell) => seriesColor(colors.slotOf(kind!)),
      },
    ),
    Plot.text(cells, {
      ...place,
      text: ({ text, kind }: Cell) => {
        const sign = signOf(spec, kind);
        return `${fitText(text, columnWidth - 10 - textWidth(sign))}${sign}`;
      },
      fill: groundColor('ink'),
    }),
  ];
}
