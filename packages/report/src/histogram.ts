import * as Plot from '@observablehq/plot';
import { formatCount } from '@lab/core';
import { mean } from '@lab/metrics';
import { type Axis, axisDomain, axisLabel, axisValue } from './axis.js';
import { csvText } from './escape.js';
import type { Figure } from './figure.js';
import { type Frame, renderFigure } from './render-figure.js';
import { axisMarks } from './plot-axes.js';
import { createSeriesColors, type SeriesColors, seriesColor } from './palette.js';
import { legendHeight, legendMarks, legendRows } from './series-labels.js';

/** What a histogram shows: one or more distributions over the same bins. */
export interface HistogramSpec {
  readonly title: string;
  readonly description?: string;
  readonly x: Axis;
  readonly series: readonly { readonly name: string; readonly values: ArrayLike<number> }[];
  /** Number of bins; default 40. */
  readonly bins?: number;
  readonly colors?: SeriesColors;
  readonly width?: number;
}

interface Bin {
  readonly x1: number;
  readonly x2: number;
  readonly share: number;
  readonly count: number;
}

interface BinnedSeries {
  readonly name: string;
  readonly slot: number;
  readonly bins: readonly Bin[];
}

/**
 * Overlaid distributions as shares of each series, so that sizes do not hide shapes.
 *
 * Values that are not numbers are left out and counted in the description.
 */
export function histogram(spec: HistogramSpec): Figure {
  const colors = spec.colors ?? createSeriesColors(spec.series.map(({ name }) => name));
  const samples = spec.series.map(({ name, values }) => ({
    name,
    values: Float64Array.from(values).filter((value) => Number.isFinite(value)),
    leftOut: values.length,
  }));
  const all = samples.flatMap(({ values }) => extremes(values));
  const domain = axisDomain(spec.x, all, 0);
  const series = samples.map(({ name, values }): BinnedSeries => {
    return { name, slot: colors.slotOf(name), bins: binValues(values, domain, spec.bins ?? 40) };
  });
  const sentences = samples.map(({ name, values, leftOut }) => {
    const missing = leftOut - values.length;
    const remark = missing > 0 ? `, ${formatCount(missing)} not numbers left out` : '';
    const centre = values.length > 0 ? axisValue(spec.x, mean(values)) : 'none';
    return `${name}: ${formatCount(values.length)} values, mean ${centre}${remark}.`;
  });
  return renderFigure({
    title: spec.title,
    description:
      spec.description ?? `Histogram of ${axisLabel(spec.x)}, as shares. ${sentences.join(' ')}`,
    csv: csvText(
      ['series', 'from', 'to', 'count', 'share'],
      series.flatMap(({ name, bins }) =>
        bins.map(({ x1, x2, count, share }) => [name, x1, x2, count, share]),
      ),
    ),
    draw: (frame) => drawHistogram(spec, { series, domain, frame }),
    ...(spec.width === undefined ? {} : { width: spec.width }),
  });
}

function extremes(values: Float64Array): number[] {
  if (values.length === 0) return [];
  let [low, high] = [values[0]!, values[0]!];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}

function binValues(values: Float64Array, [low, high]: [number, number], count: number): Bin[] {
  const counts = new Float64Array(count);
  for (const value of values) {
    const place = Math.floor(((value - low) / (high - low)) * count);
    if (place >= 0 && place <= count) counts[Math.min(count - 1, place)]! += 1;
  }
  const step = (high - low) / count;
  return Array.from(counts, (inBin, index) => ({
    x1: low + index * step,
    x2: low + (index + 1) * step,
    count: inBin,
    share: inBin / Math.max(1, values.length),
  }));
}

function drawHistogram(
  spec: HistogramSpec,
  context: { series: readonly BinnedSeries[]; domain: [number, number]; frame: Frame },
): Plot.PlotOptions {
  const { series, domain, frame } = context;
  const rows = series.length > 1 ? legendRows(series, frame.width - 8) : [];
  const marginTop = legendHeight(rows) + 30;
  const top = Math.max(...series.flatMap(({ bins }) => bins.map(({ share }) => share)), 0);
  const yDomain: [number, number] = [0, top > 0 ? top * 1.05 : 1];
  const y: Axis = { label: 'share of values', hasZero: true, format: 'share' };
  return {
    width: frame.width,
    height: marginTop + (frame.isNarrow ? 170 : 220) + 42,
    marginTop,
    marginRight: 18,
    marginBottom: 42,
    marginLeft: 46,
    x: { domain },
    y: { domain: yDomain },
    marks: [
      ...axisMarks(
        { axis: spec.x, domain, count: frame.isNarrow ? 4 : 8 },
        { axis: y, domain: yDomain, count: 5 },
      ),
      ...legendMarks(rows, { left: 4, top: 28, width: frame.width - 8, key: 'square' }),
      ...series.map(({ name, slot, bins }) =>
        Plot.rectY(bins, {
          x1: 'x1',
          x2: 'x2',
          y: 'share',
          inset: 0,
          fill: seriesColor(slot),
          fillOpacity: series.length > 1 ? 0.38 : 0.75,
          title: (bin: Bin) => binTitle(spec.x, name, bin),
        }),
      ),
      ...series.map(({ slot, bins }) => outline(bins, slot)),
    ],
  };
}

/** The contour of the bins: overlapping shapes stay readable, in black and white too. */
function outline(bins: readonly Bin[], slot: number): Plot.Markish {
  const corners = bins.flatMap(({ x1, x2, share }) => [
    { x: x1, y: share },
    { x: x2, y: share },
  ]);
  return Plot.line(corners, { x: 'x', y: 'y', stroke: seriesColor(slot), strokeWidth: 1.5 });
}

function binTitle(axis: Axis, name: string, bin: Bin): string {
  const range = `${axisValue(axis, bin.x1)} to ${axisValue(axis, bin.x2)}`;
  return `${name}, ${range}: ${formatCount(bin.count)} (${(bin.share * 100).toFixed(1)} %)`;
}
