import * as Plot from '@observablehq/plot';
import { ShapeError } from '@lab/core';
import { type Axis, valueWriter } from './axis.js';
import { csvText } from './escape.js';
import type { Figure } from './figure.js';
import { heatShade } from './heat-shade.js';
import { type Frame, renderFigure } from './render-figure.js';
import { groundColor } from './palette.js';
import { fitText, textWidth } from './series-labels.js';

/** What a heatmap shows: a value for each row and column; NaN where there is none. */
export interface HeatmapSpec {
  readonly title: string;
  readonly description?: string;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** Words above the columns and beside the rows. */
  readonly rowLabel?: string;
  readonly columnLabel?: string;
  /** `[rows, columns]`. */
  readonly values: readonly ArrayLike<number>[];
  /** What the shades mean; with `isLog` a step of shade is a factor. */
  readonly value: Axis;
  /** Cells with a frame around them, such as the best ones. */
  readonly marked?: readonly { readonly row: string; readonly column: string }[];
  readonly width?: number;
}

interface Cell {
  readonly row: string;
  readonly column: string;
  readonly value: number;
  /** Opacity of the shade, 0..STRONGEST. */
  readonly strength: number;
}

/** Up to here words on the cell keep a contrast of 4.5:1 in both schemes. */
const STRONGEST = 0.68;

/**
 * Cells shaded by value, from the ground's colour (least) to blue (most), numbers inside.
 *
 * @throws {ShapeError} when `values` is not rows times columns.
 */
export function heatmap(spec: HeatmapSpec): Figure {
  const cells = cellsOf(spec);
  const known = cells.filter(({ value }) => Number.isFinite(value));
  const most = known.reduce<Cell | undefined>(
    (a, b) => (a && a.value >= b.value ? a : b),
    undefined,
  );
  const least = known.reduce<Cell | undefined>(
    (a, b) => (a && a.value <= b.value ? a : b),
    undefined,
  );
  const write = cellWriter(spec, cells);
  const at = (cell: Cell) => `${write(cell.value)} (${cell.row}, ${cell.column})`;
  const ends = most && least ? ` Highest ${at(most)}, lowest ${at(least)}.` : '';
  return renderFigure({
    title: spec.title,
    description:
      spec.description ??
      `Heatmap of ${spec.value.label}, ${spec.rows.length} rows ` +
        `by ${spec.columns.length} columns.${ends}${markedWords(spec)}`,
    csv: csvText(
      [spec.rowLabel ?? 'row', spec.columnLabel ?? 'column', spec.value.label],
      cells.map(({ row, column, value }) => [row, column, Number.isFinite(value) ? value : null]),
    ),
    draw: (frame) => drawHeatmap(spec, cells, frame),
    ...(spec.width === undefined ? {} : { width: spec.width }),
  });
}

function markedWords({ marked = [] }: HeatmapSpec): string {
  if (marked.length === 0) return '';
  return ` Framed: ${marked.map(({ row, column }) => `${row}, ${column}`).join('; ')}.`;
}

function cellsOf(spec: HeatmapSpec): Cell[] {
  const { rows, columns, values } = spec;
  if (values.length !== rows.length || values.some((row) => row.length !== columns.length)) {
    throw new ShapeError(
      `report/heatmap: "${spec.title}" has ${rows.length} x ${columns.length} names and ` +
        `${values.length} x ${values[0]?.length ?? 0} values.`,
      { expected: [rows.length, columns.length], got: [values.length, values[0]?.length ?? 0] },
    );
  }
  const shade = heatShade(
    spec.value,
    values.flatMap((row) => Array.from(row)),
  );
  return rows.flatMap((row, i) =>
    columns.map((column, j) => {
      const value = values[i]![j]!;
      const strength = STRONGEST * shade(value);
      return { row, column, value, strength };
    }),
  );
}

function drawHeatmap(spec: HeatmapSpec, cells: readonly Cell[], frame: Frame): Plot.PlotOptions {
  const widest = spec.rows.reduce((most, row) => Math.max(most, textWidth(row)), 0);
  const marginLeft = Math.min(widest + 14, frame.width * (frame.isNarrow ? 0.4 : 0.34));
  const columnWidth = (frame.width - marginLeft - 10) / Math.max(1, spec.columns.length);
  const tallest = spec.columns.reduce((most, column) => Math.max(most, textWidth(column)), 0);
  const isTurned = tallest > columnWidth - 4;
  const marginTop = (isTurned ? Math.min(tallest, 110) + 14 : 26) + (spec.columnLabel ? 18 : 0);
  const rowHeight = Math.max(22, Math.min(38, columnWidth));
  const write = cellWriter(spec, cells);
  const longest = cells.reduce((most, { value }) => Math.max(most, textWidth(write(value))), 0);
  const isWritten = columnWidth >= Math.max(34, longest + 4);
  return {
    width: frame.width,
    height: marginTop + spec.rows.length * rowHeight + 8,
    marginTop,
    marginRight: 10,
    marginBottom: 8,
    marginLeft,
    x: { domain: [...spec.columns], axis: null, padding: 0.04 },
    y: { domain: [...spec.rows], axis: null, padding: 0.06 },
    marks: [
      Plot.axisX([...spec.columns], {
        anchor: 'top',
        label: spec.columnLabel ?? null,
        labelArrow: 'none',
        tickSize: 0,
        fill: groundColor('muted'),
        tickFormat: (name: string) => fitText(name, isTurned ? 108 : columnWidth),
        ...(isTurned ? { tickRotate: -90 } : {}),
      }),
      Plot.text([...spec.rows], {
        y: (row: string) => row,
        frameAnchor: 'left',
        text: (row: string) => fitText(row, marginLeft - 12),
        dx: -8,
        textAnchor: 'end',
        fill: groundColor('ink'),
      }),
      ...cellMarks(spec, cells, isWritten),
    ],
  };
}

function cellWriter({ value: axis }: HeatmapSpec, cells: readonly Cell[]) {
  const write = valueWriter(
    axis,
    cells.map(({ value }) => value),
  );
  return (value: number): string => (Number.isFinite(value) ? write(value) : '–');
}

function cellMarks(spec: HeatmapSpec, cells: readonly Cell[], isWritten: boolean): Plot.Markish[] {
  const write = cellWriter(spec, cells);
  const marked = cells.filter((cell) =>
    spec.marked?.some(({ row, column }) => row === cell.row && column === cell.column),
  );
  return [
    Plot.cell(cells, {
      x: 'column',
      y: 'row',
      fill: groundColor('heat'),
      fillOpacity: (cell: Cell) => cell.strength,
      stroke: groundColor('rule'),
      strokeWidth: 0.6,
      title: (cell: Cell) => `${cell.row}, ${cell.column}: ${write(cell.value)}`,
    }),
    Plot.cell(marked, {
      x: 'column',
      y: 'row',
      fill: 'none',
      stroke: groundColor('ink'),
      strokeWidth: 2,
    }),
    ...(isWritten
      ? [
          Plot.text(cells, {
            x: 'column',
            y: 'row',
            text: (cell: Cell) => write(cell.value),
            fill: groundColor('ink'),
            fontVariant: 'tabular-nums',
          }),
        ]
      : []),
  ];
}
