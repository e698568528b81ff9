import * as Plot from '@observablehq/plot';
import { formatCount } from '@lab/core';
import { spearman } from '@lab/metrics';
import { type Axis, axisDomain, axisLabel, axisValue } from './axis.js';
import { csvText } from './escape.js';
import type { Figure } from './figure.js';
import { type Frame, renderFigure } from './render-figure.js';
import { axisMarks, tickRoom } from './plot-axes.js';
import { createSeriesColors, type SeriesColors, seriesColor } from './palette.js';
import { dotSymbols, legendHeight, legendMarks, legendRows } from './series-labels.js';

/** A dot, with a name shown when it is pointed at. */
export interface ScatterPoint {
  readonly x: number;
  readonly y: number;
  readonly label?: string;
}

/** What a scatter plot shows. */
export interface ScatterPlotSpec {
  readonly title: string;
  readonly description?: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly { readonly name: string; readonly points: readonly ScatterPoint[] }[];
  /** Most dots drawn of all series together; every k-th is kept beyond. Default 1500. */
  readonly maxPoints?: number;
  readonly colors?: SeriesColors;
  readonly width?: number;
}

/** Dots of one or more series; says how many of all points are drawn when there are too many. */
export function scatterPlot(spec: ScatterPlotSpec): Figure {
  const colors = spec.colors ?? createSeriesColors(spec.series.map(({ name }) => name));
  const total = spec.series.reduce((sum, { points }) => sum + points.length, 0);
  const stride = Math.max(1, Math.ceil(total / (spec.maxPoints ?? 1500)));
  const series = spec.series.map(({ name, points }) => ({
    name,
    slot: colors.slotOf(name),
    points: points.filter((_, index) => index % stride === 0),
  }));
  const drawn = series.reduce((sum, { points }) => sum + points.length, 0);
  const sentences = spec.series.map(({ name, points }) => {
    const rho = points.length > 1 ? spearman(xs(points), ys(points)) : Number.NaN;
    const relation = Number.isFinite(rho) ? `, rank correlation ${rho.toFixed(2)}` : '';
    return `${name}: ${formatCount(points.length)} points${relation}.`;
  });
  const sampled = drawn < total ? ` Drawn: ${formatCount(drawn)} of ${formatCount(total)}.` : '';
  const labels = `${axisLabel(spec.y)} against ${axisLabel(spec.x)}`;
  return renderFigure({
    title: spec.title,
    description: spec.description ?? `Dots of ${labels}. ${sentences.join(' ')}${sampled}`,
    csv: csvText(
      ['series', axisLabel(spec.x), axisLabel(spec.y), 'name'],
      series.flatMap(({ name, points }) => points.map(({ x, y, label }) => [name, x, y, label])),
    ),
    draw: (frame) => drawScatter(spec, series, frame),
    ...(spec.width === undefined ? {} : { width: spec.width }),
  });
}

function xs(points: readonly ScatterPoint[]): number[] {
  return points.map(({ x }) => x);
}

function ys(points: readonly ScatterPoint[]): number[] {
  return points.map(({ y }) => y);
}

interface ScatterSeries {
  readonly name: string;
  readonly slot: number;
  readonly points: readonly ScatterPoint[];
}

function drawScatter(
  spec: ScatterPlotSpec,
  series: readonly ScatterSeries[],
  frame: Frame,
): Plot.PlotOptions {
  const rows = series.length > 1 ? legendRows(series, frame.width - 8) : [];
  const marginTop = legendHeight(rows) + 30;
  const all = series.flatMap(({ points }) => points);
  const [xDomain, yDomain] = [axisDomain(spec.x, xs(all)), axisDomain(spec.y, ys(all))];
  const y = { axis: spec.y, domain: yDomain, count: 5 };
  return {
    width: frame.width,
    height: marginTop + (frame.isNarrow ? 240 : 320) + 42,
    marginTop,
    marginRight: 18,
    marginBottom: 42,
    marginLeft: tickRoom(y),
    x: { type: spec.x.isLog ? 'log' : 'linear', domain: xDomain },
    y: { type: spec.y.isLog ? 'log' : 'linear', domain: yDomain },
    marks: [
      ...axisMarks({ axis: spec.x, domain: xDomain, count: frame.isNarrow ? 4 : 7 }, y),
      ...legendMarks(rows, { left: 4, top: 28, width: frame.width - 8, key: 'dot' }),
      ...seriesDots(spec, series),
    ],
  };
}

/** The dots of each series; smaller and fainter where they are many. */
function seriesDots(spec: ScatterPlotSpec, series: readonly ScatterSeries[]): Plot.Markish[] {
  const isCrowded = series.reduce((sum, { points }) => sum + points.length, 0) > 300;
  return series.map(({ slot, points }, index) =>
    Plot.dot(points, {
      x: 'x',
      y: 'y',
      symbol: dotSymbols[index % dotSymbols.length]!,
      fill: seriesColor(slot),
      fillOpacity: isCrowded ? 0.45 : 0.75,
      r: isCrowded ? 2.2 : 3.4,
      ...(points.some(({ label }) => label !== undefined)
        ? { title: (point: ScatterPoint) => dotTitle(spec, point) }
        : {}),
    }),
  );
}

function dotTitle(spec: ScatterPlotSpec, { x, y, label }: ScatterPoint): string {
  const place = `${axisValue(spec.x, x)}, ${axisValue(spec.y, y)}`;
  return label === undefined ? place : `${label}: ${place}`;
}
