import * as Plot from '@observablehq/plot';
import { type Axis, axisDomain, axisLabel, axisValue, hasWholeTicks } from './axis.js';
import { csvText } from './escape.js';
import type { Figure } from './figure.js';
import { valueAxisMarks } from './plot-axes.js';
import { type Frame, renderFigure } from './render-figure.js';
import {
  createSeriesColors,
  groundColor,
  type SeriesColors,
  seriesColor,
  seriesInk,
} from './palette.js';
import {
  fitText,
  legendHeight,
  legendMarks,
  legendRows,
  type RowLabels,
  rowLabels,
  textWidth,
} from './series-labels.js';

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
  const { rows, rowHeight } = layout;
  const groups = [...new Set(rows.map(({ group }) => group))];
  const names = layout.isGrouped ? groupNames(groups, layout, frame) : rowLabels(groups, frame);
  const legend = legendRows(layout.legend, frame.width - 8);
  const marginTop = legendHeight(legend) + 8;
  const keys = rowKeys(layout);
  const values = rows.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value]);
  const domain = axisDomain({ ...spec.value, hasZero: true }, values, 0);
  const isWhole = hasWholeTicks(spec.value, values);
  return {
    width: frame.width,
    height: marginTop + keys.length * (rowHeight + names.above) + 42,
    marginTop: marginTop + names.above / 2,
    marginRight: 56,
    marginBottom: 42,
    marginLeft: names.marginLeft,
    x: { domain },
    y: { domain: keys, axis: null, padding: barPadding(layout, names), round: false },
    marks: [
      ...valueAxisMarks({ axis: spec.value, domain, count: frame.isNarrow ? 4 : 6, isWhole }),
      ...legendMarks(legend, { left: 4, top: 10, width: frame.width - 8, key: 'square' }),
      ...barMarks(spec, layout),
      ...names.marks(),
    ],
  };
}

/** Keys of the rows from top to bottom, with an empty one between groups. */
function rowKeys({ rows, isGrouped }: BarLayout): string[] {
  return rows.flatMap((row, index) => {
    const isNewGroup = isGrouped && index > 0 && rows[index - 1]!.group !== row.group;
    return isNewGroup ? [`gap before ${keyOf(row)}`, keyOf(row)] : [keyOf(row)];
  });
}

function keyOf({ group, label }: BarRow): string {
  return group === label ? label : `${group}\n${label}`;
}

function barPadding({ isGrouped }: BarLayout, { isAbove }: RowLabels): number {
  if (isGrouped) return 0.1;
  return isAbove ? 0.68 : 0.3;
}

/** Names of groups in the middle of their bars, cut where they do not fit. */
function groupNames(groups: readonly string[], layout: BarLayout, frame: Frame): RowLabels {
  const widest = groups.reduce((most, group) => Math.max(most, textWidth(group)), 0);
  const marginLeft = Math.min(widest + 14, frame.width * 0.4);
  const marks = () =>
    groups.map((group) => {
      const own = layout.rows.filter((row) => row.group === group);
      return Plot.text(own.slice(0, 1), {
        y: keyOf,
        frameAnchor: 'left',
        text: () => fitText(group, marginLeft - 12),
        title: () => group,
        dx: -8,
        dy: ((own.length - 1) / 2) * layout.rowHeight,
        textAnchor: 'end',
        fill: groundColor('ink'),
      });
    });
  return { isAbove: false, marginLeft, above: 0, marks };
}

function barMarks(spec: Omit<BarPlotSpec, 'bars'>, layout: BarLayout): Plot.Markish[] {
  const { rows, isGrouped } = layout;
  const banded = rows.filter(({ low, high }) => low !== undefined && high !== undefined);
  const whisker = { y: keyOf, x1: 'low', x2: 'high' };
  return [
    Plot.barX(rows, {
      y: keyOf,
      x: 'value',
      fill: (row: BarRow) => seriesColor(row.slot),
      title: (row: BarRow) => barTitle(spec.value, row),
    }),
    Plot.ruleY(banded, { ...whisker, stroke: groundColor('surface'), strokeWidth: 3.5 }),
    Plot.ruleY(banded, { ...whisker, stroke: groundColor('ink') }),
    ...(['low', 'high'] as const).map((end) =>
      Plot.tickX(banded, { y: keyOf, x: end, stroke: groundColor('ink'), inset: 3 }),
    ),
    Plot.text(rows, {
      y: keyOf,
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
