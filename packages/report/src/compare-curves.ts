import { tInterval } from '@lab/metrics';
import { type Axis, axisValue } from './axis.js';
import { proseHtml } from './escape.js';
import { type CaptionedFigure, figureHtml } from './html.js';
import { type LinePoint, type LineSeries, linePlot } from './line-plot.js';
import { isShareMetric, metricLabel } from './metric-label.js';
import type { RunGroup } from './run-groups.js';
import { createSeriesColors, type SeriesColors } from './palette.js';
import type { RunFolder } from './run-folder.js';

/** Most curves shown, one small picture each. */
const SHOWN_CURVES = 18;
/** Most groups drawn in one picture: as many as there are colours. */
const SHOWN_GROUPS = 8;
/** Most points drawn of a curve. */
const CURVE_POINTS = 150;

/** Small multiples of what `metrics.jsonl` holds: a picture a metric, a line a group. */
export function curvesHtml(groups: readonly RunGroup[]): string {
  const shown = groups.slice(0, SHOWN_GROUPS);
  const colors = createSeriesColors(shown.map(({ label }) => label));
  const curves = curveKeys(shown)
    .map((key) => ({ key, series: curveSeries(shown, key) }))
    .filter(({ series }) => series.some(({ points }) => points.length > 1));
  if (curves.length === 0) return '<p>None of the runs has a metrics.jsonl with curves.</p>';
  const figures = curves
    .slice(0, SHOWN_CURVES)
    .map(({ key, series }) => curveFigure(key, series, { axis: axisOf(shown), colors }))
    .map((figure) => figureHtml(figure, { isSmall: true }));
  const isBanded = shown.some(({ runs }) => runs.length > 2);
  const remarks = [
    'One picture a metric; a group has the same colour and dashes in all of them.',
    isBanded ? 'Lines are means over seeds, bands 95 % intervals of the mean.' : '',
    groups.length > shown.length ? `Only the first ${shown.length} groups are drawn.` : '',
    curves.length > SHOWN_CURVES ? `${curves.length - SHOWN_CURVES} metrics are not drawn.` : '',
  ].filter((remark) => remark !== '');
  return (
    `<p>${proseHtml(remarks.join(' '))}</p>` + `<div class="multiples">${figures.join('')}</div>`
  );
}

const AXES = ['epoch', 'step', 'iteration', 'round'];

function curveKeys(groups: readonly RunGroup[]): string[] {
  const keys = new Set<string>();
  for (const { runs } of groups) {
    for (const { metrics } of runs) for (const row of metrics) for (const key in row) keys.add(key);
  }
  return [...keys].filter((key) => !AXES.includes(key) && !/(^|\.)(count|seed)$/.test(key));
}

/** What runs along x: the first of the usual names that any run has, or else the row. */
function axisOf(groups: readonly RunGroup[]): string | undefined {
  return AXES.find((name) =>
    groups.some(({ runs }) => runs.some(({ metrics }) => metrics.some((row) => name in row))),
  );
}

function curveSeries(groups: readonly RunGroup[], key: string): LineSeries[] {
  const axis = axisOf(groups);
  return groups.flatMap(({ label: name, runs }) => {
    const points = curvePoints(runs, key, axis);
    return points.length > 0 ? [{ name, points }] : [];
  });
}

function curveFigure(
  key: string,
  series: readonly LineSeries[],
  { axis, colors }: { axis: string | undefined; colors: SeriesColors },
): CaptionedFigure {
  const label = metricLabel(key);
  const y: Axis = { label, format: isShareMetric(key) ? 'share' : 'number' };
  const x: Axis = { label: axis ?? 'row' };
  const figure = linePlot({ title: label, x, y, series, colors, width: 352 });
  const last = series.map(({ name, points }) => `${name} ${axisValue(y, points.at(-1)!.y)}`);
  return { figure, caption: `Last: ${last.join('; ')}.` };
}

function curvePoints(
  runs: readonly RunFolder[],
  key: string,
  axis: string | undefined,
): LinePoint[] {
  const byX = new Map<number, number[]>();
  for (const { metrics } of runs) {
    // Epochs that count from 0 in the file count from 1 for people, as on the page of the run.
    const shift = axis === 'epoch' && metrics.some(({ epoch }) => epoch === 0) ? 1 : 0;
    metrics.forEach((row, index) => {
      const [at, y] = [axis === undefined ? index : row[axis], row[key]];
      if (at === undefined || y === undefined) return;
      const x = at + shift;
      byX.set(x, [...(byX.get(x) ?? []), y]);
    });
  }
  const points = [...byX].sort(([left], [right]) => left - right);
  const stride = Math.max(1, Math.ceil(points.length / CURVE_POINTS));
  return points
    .filter((_, index) => index % stride === 0 || index === points.length - 1)
    .map(([x, values]) => {
      const { mean: y, low, high } = tInterval(values);
      if (values.length < 3) return { x, y };
      const isShare = isShareMetric(key);
      return {
        x,
        y,
        low: isShare ? Math.max(0, low) : low,
        high: isShare ? Math.min(1, high) : high,
      };
    });
}
