import * as Plot from '@observablehq/plot';
import { type Axis, axisDomain, axisLabel, axisTick, axisValue } from './axis.js';
import { csvText } from './escape.js';
import { type Figure, type Frame, renderFigure } from './figure.js';
import {
  createSeriesColors,
  groundColor,
  type SeriesColors,
  seriesColor,
  seriesInk,
} from './palette.js';
import { fitText, legendHeight, legendMarks, legendRows, textWidth } from './series-labels.js';

/** A bar: what it is called, how long it is, and its 95 % interval where there is one. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly low?: number;
  readonly high?: number;
  /** Whose colour it has; default the label itself in `barPlot` when `isEachColored`. */
  readonly series?: string;
}

/** What a bar plot shows. */
export interface BarPlotSpec {
  readonly title: string;
  readonly description?: string;
  /** The measured quantity; bars start at 0 always. */
  readonly value: Axis;
  readonly bars: readonly Bar[];
  readonly colors?: SeriesColors;
  readonly width?: number;
}

/** What a grouped bar plot shows: in each group a bar of each series, in the same order. */
export interface GroupedBarPlotSpec extends Omit<BarPlotSpec, 'bars'> {
  readonly groups: readonly { readonly label: string; readonly bars: readonly Bar[] }[];
}

/** Horizontal bars with their values, and whiskers for 95 % intervals. */
export function barPlot(spec: BarPlotSpec): Figure {
  const colors = spec.colors ?? createSeriesColors();
  const rows = spec.bars.map((bar) => ({ ...bar, group: bar.label, slot: slotOf(bar, colors) }));
  return renderBars(spec, { rows, legend: [], rowHeight: 30, isGrouped: false });
}

/** Horizontal bars in groups; a series has the same colour in each group. */
export function groupedBarPlot(spec: GroupedBarPlotSpec): Figure {
  const colors = spec.colors ?? createSeriesColors();
  const rows = spec.groups.flatMap(({ label, bars }) =>
    bars.map((bar) => ({ ...bar, group: label, slot: colors.slotOf(bar.label) })),
  );
  const names = [...new Set(rows.map(({ label }) => label))];
  const legend = names.map((name) => ({ name, slot: colors.slotOf(name) }));
  return renderBars(spec, { rows, legend, rowHeight: 20, isGrouped: true });
}

function slotOf(bar: Bar, colors: SeriesColors): number {
  return colors.slotOf(bar.series ?? 'value');
}

interface BarRow extends Bar {
  readonly group: string;
  readonly slot: number;
}

interface BarLayout {
  readonly rows: readonly BarRow[];
  readonly legend: readonly { name: string; slot: number }[];
  readonly rowHeight: number;
  readonly isGrouped: boolean;
}

function renderBars(spec: Omit<BarPlotSpec, 'bars'>, layout: BarLayout): Figure {
  const { rows, isGrouped } = layout;
  const hasInterval = rows.some(({ low }) => low !== undefined);
  const header = isGrouped ? ['group', 'series'] : ['name'];
  return renderFigure({
    title: spec.title,
    description: spec.description ?? describeBars(spec, layout, hasInterval),
    csv: csvText(
      [...header, axisLabel(spec.value), ...(hasInterval ? ['low', 'high'] : [])],
      rows.map(({ group, label, value, low, high }) => [
        ...(isGrouped ? [group, label] : [label]),
        value,
        ...(hasInterval ? [low, high] : []),
      ]),
    ),
    draw: (frame) => drawBars(spec, layout, frame),
    ...(spec.width === undefined ? {} : { width: spec.width }),
  });
}

function describeBars(
  spec: Omit<BarPlotSpec, 'bars'>,
  { rows, isGrouped }: BarLayout,
  hasInterval: boolean,
): string {
  const parts = rows.map(({ group, label, value }) => {
    const name = isGrouped ? `${group}, ${label}` : label;
    return `${name}: ${axisValue(spec.value, value)}`;
  });
  const whiskers = hasInterval ? ' Whiskers are 95 % intervals.' : '';
  return `Bars of ${axisLabel(spec.value)}. ${parts.join('; ')}.${whiskers}`;
}

function drawBars(
  spec: Omit<BarPlotSpec, 'bars'>,
  layout: BarLayout,
  frame: Frame,
): Plot.PlotOptions {
  const { rows, isGrouped, rowHeight } = layout;
  const groups = [...new Set(rows.map(({ group }) => group))];
  const widest = groups.reduce((most, group) => Math.max(most, textWidth(group)), 0);
  const marginLeft = Math.min(widest + 14, frame.width * 0.36);
  const legend = legendRows(layout.legend, frame.width - 8);
  const marginTop = legendHeight(legend) + 8;
  const gap = isGrouped ? 14 : 0;
  const height = marginTop + rows.length * rowHeight + groups.length * gap + 44;
  const values = rows.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value]);
  const grid = { stroke: groundColor('rule'), strokeOpacity: 0.7 };
  const tick = axisTick(spec.value);
  const words = { fill: groundColor('muted'), tickSize: 0, labelArrow: 'none' as const };
  const band = isGrouped ? 'fy' : 'y';
  return {
    width: frame.width,
    height,
    marginTop,
    marginRight: 56,
    marginBottom: 42,
    marginLeft,
    x: { domain: axisDomain({ ...spec.value, hasZero: true }, values, 0) },
    y: {
      domain: isGrouped ? uniqueLabels(rows) : groups,
      axis: null,
      padding: isGrouped ? 0.12 : 0.3,
    },
    ...(isGrouped ? { fy: { domain: groups, axis: null, padding: gap / (gap + 60) } } : {}),
    marks: [
      Plot.gridX({ ...grid, ticks: frame.isNarrow ? 4 : 6 }),
      Plot.axisX({
        ...words,
        label: axisLabel(spec.value),
        ticks: frame.isNarrow ? 4 : 6,
        ...(tick ? { tickFormat: tick } : {}),
      }),
      ...legendMarks(legend, { left: 4, top: 10, width: frame.width - 8, key: 'square' }),
      ...barMarks(spec, rows, isGrouped),
      ...groupNames(groups, { band, marginLeft }),
    ],
  };
}

function uniqueLabels(rows: readonly BarRow[]): string[] {
  return [...new Set(rows.map(({ label }) => label))];
}

function groupNames(
  groups: readonly string[],
  { band, marginLeft }: { band: 'y' | 'fy'; marginLeft: number },
): Plot.Markish[] {
  return [
    Plot.text(groups, {
      [band]: (group: string) => group,
      frameAnchor: 'left',
      text: (group: string) => fitText(group, marginLeft - 12),
      title: (group: string) => group,
      dx: -8,
      textAnchor: 'end',
      fill: groundColor('ink'),
    }),
  ];
}

function barMarks(
  spec: Omit<BarPlotSpec, 'bars'>,
  rows: readonly BarRow[],
  isGrouped: boolean,
): Plot.Markish[] {
  const place = {
    y: isGrouped ? (row: BarRow) => row.label : (row: BarRow) => row.group,
    ...(isGrouped ? { fy: (row: BarRow) => row.group } : {}),
  };
  const banded = rows.filter(({ low, high }) => low !== undefined && high !== undefined);
  return [
    Plot.barX(rows, {
      ...place,
      x: 'value',
      fill: (row: BarRow) => seriesColor(row.slot),
      title: (row: BarRow) => barTitle(spec.value, row),
    }),
    Plot.ruleY(banded, { ...place, x1: 'low', x2: 'high', stroke: groundColor('ink') }),
    ...(['low', 'high'] as const).map((end) =>
      Plot.tickX(banded, { ...place, x: end, stroke: groundColor('ink'), inset: 5 }),
    ),
    Plot.text(rows, {
      ...place,
      x: (row: BarRow) => Math.max(row.high ?? row.value, row.value, 0),
      text: (row: BarRow) => axisValue(spec.value, row.value),
      dx: 6,
      textAnchor: 'start',
      fill: isGrouped ? (row: BarRow) => seriesInk(row.slot) : groundColor('ink'),
      fontVariant: 'tabular-nums',
    }),
    Plot.ruleX([0], { stroke: groundColor('muted') }),
  ];
}

function barTitle(axis: Axis, row: BarRow): string {
  const value = axisValue(axis, row.value);
  const range =
    row.low === undefined || row.high === undefined
      ? ''
      : `, 95 %: ${axisValue(axis, row.low)} to ${axisValue(axis, row.high)}`;
  return `${row.group === row.label ? row.label : `${row.group}, ${row.label}`}: ${value}${range}`;
}
