import * as Plot from '@observablehq/plot';
import { formatCount } from '@lab/core';
import { quantile } from '@lab/metrics';
import { type Axis, axisDomain, axisLabel, axisValue } from './axis.js';
import { csvText } from './escape.js';
import type { Figure } from './figure.js';
import { valueAxisMarks } from './plot-axes.js';
import { type Frame, renderFigure } from './render-figure.js';
import { createSeriesColors, groundColor, type SeriesColors, seriesColor } from './palette.js';
import { rowLabels } from './series-labels.js';

/** What a box plot shows. */
export interface BoxPlotSpec {
  readonly title: string;
  readonly description?: string;
  readonly value: Axis;
  readonly groups: readonly { readonly label: string; readonly values: ArrayLike<number> }[];
  readonly colors?: SeriesColors;
  readonly width?: number;
}

interface Box {
  readonly label: string;
  readonly count: number;
  readonly low: number;
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
  readonly high: number;
  readonly outliers: readonly number[];
  /** The values themselves where they are too few for quartiles. */
  readonly values: readonly number[];
}

/** Groups of fewer values are drawn as dots: quartiles of three values say nothing. */
const FEWEST = 5;

/** Most outliers drawn per box; all are counted. */
const DRAWN_OUTLIERS = 60;

/**
 * Horizontal boxes: median, quartiles, whiskers to the last value within 1.5 box lengths.
 *
 * Of fewer than five values each is a dot beside the median. Groups without values are shown
 * empty. Values that are not numbers are left out.
 */
export function boxPlot(spec: BoxPlotSpec): Figure {
  const boxes = spec.groups.flatMap(({ label, values }) => boxOf(label, values));
  const sentences = boxes.map(
    ({ label, count, lower, median, upper }) =>
      `${label}: median ${axisValue(spec.value, median)}, middle half ` +
      `${axisValue(spec.value, lower)} to ${axisValue(spec.value, upper)}, ` +
      `${formatCount(count)} values.`,
  );
  return renderFigure({
    title: spec.title,
    description:
      spec.description ??
      `Boxes of ${axisLabel(spec.value)}; whiskers reach 1.5 box lengths. ${sentences.join(' ')}`,
    csv: csvText(
      ['group', 'count', 'whisker low', 'quartile 1', 'median', 'quartile 3', 'whisker high'],
      boxes.map((box) => [
        box.label,
        box.count,
        box.low,
        box.lower,
        box.median,
        box.upper,
        box.high,
      ]),
    ),
    draw: (frame) => drawBoxes(spec, boxes, frame),
    ...(spec.width === undefined ? {} : { width: spec.width }),
  });
}

function boxOf(label: string, values: ArrayLike<number>): Box[] {
  const sorted = Float64Array.from(values)
    .filter((value) => Number.isFinite(value))
    .sort();
  if (sorted.length === 0) return [];
  const [lower, median, upper] = [0.25, 0.5, 0.75].map((share) => quantile(sorted, share)) as [
    number,
    number,
    number,
  ];
  const reach = 1.5 * (upper - lower);
  const isInside = (value: number) => value >= lower - reach && value <= upper + reach;
  const inside = sorted.filter(isInside);
  const outside = sorted.filter((value) => !isInside(value));
  const stride = Math.max(1, Math.ceil(outside.length / DRAWN_OUTLIERS));
  const isFew = sorted.length < FEWEST;
  return [
    {
      label,
      count: sorted.length,
      low: inside[0]!,
      lower,
      median,
      upper,
      high: inside.at(-1)!,
      outliers: isFew ? [] : Array.from(outside).filter((_, index) => index % stride === 0),
      values: isFew ? Array.from(sorted) : [],
    },
  ];
}

function drawBoxes(spec: BoxPlotSpec, boxes: readonly Box[], frame: Frame): Plot.PlotOptions {
  const labels = spec.groups.map(({ label }) => label);
  const colors = spec.colors ?? createSeriesColors(labels);
  const names = rowLabels(labels, frame);
  const ends = boxes.flatMap(({ low, high, outliers, values }) => [
    ...[low, high],
    ...outliers,
    ...values,
  ]);
  const domain = axisDomain(spec.value, ends);
  return {
    width: frame.width,
    height: labels.length * (40 + names.above) + 52,
    marginTop: 8 + names.above / 2,
    marginRight: 18,
    marginBottom: 42,
    marginLeft: names.marginLeft,
    x: { type: spec.value.isLog ? 'log' : 'linear', domain },
    y: { domain: labels, axis: null, padding: names.isAbove ? 0.68 : 0.4 },
    marks: [
      ...valueAxisMarks({ axis: spec.value, domain, count: frame.isNarrow ? 4 : 7 }),
      ...names.marks(),
      ...boxMarks(spec, boxes, colors),
    ],
  };
}

function boxMarks(spec: BoxPlotSpec, boxes: readonly Box[], colors: SeriesColors): Plot.Markish[] {
  const color = (box: Box) => seriesColor(colors.slotOf(box.label));
  const outliers = boxes.flatMap((box) => box.outliers.map((value) => ({ box, value })));
  const few = boxes.flatMap((box) => box.values.map((value) => ({ box, value })));
  const many = boxes.filter(({ values }) => values.length === 0);
  return [
    Plot.ruleY(many, { y: 'label', x1: 'low', x2: 'high', stroke: color, strokeWidth: 1.5 }),
    Plot.barX(many, {
      y: 'label',
      x1: 'lower',
      x2: 'upper',
      fill: color,
      fillOpacity: 0.35,
      stroke: color,
      title: (box: Box) => `${box.label}: median ${axisValue(spec.value, box.median)}`,
    }),
    Plot.tickX(boxes, { y: 'label', x: 'median', stroke: groundColor('ink'), strokeWidth: 2.5 }),
    Plot.dot(
      few.filter(({ box }) => box.count > 1),
      {
        x: 'value',
        y: ({ box }: { box: Box }) => box.label,
        fill: ({ box }: { box: Box }) => color(box),
        r: 4,
      },
    ),
    Plot.dot(outliers, {
      x: 'value',
      y: ({ box }: { box: Box }) => box.label,
      stroke: ({ box }: { box: Box }) => color(box),
      r: 2,
    }),
  ];
}
