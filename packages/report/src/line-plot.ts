import * as Plot from '@observablehq/plot';
import {
  type Axis,
  axisDomain,
  axisLabel,
  axisPosition,
  axisValue,
  type DrawnAxis,
  hasWholeTicks,
} from './axis.js';
import { csvText } from './escape.js';
import type { Figure } from './figure.js';
import { type Frame, renderFigure } from './render-figure.js';
import {
  createSeriesColors,
  type SeriesColors,
  seriesColor,
  seriesDash,
  seriesInk,
} from './palette.js';
import { axisMarks, lastTickRoom, tickRoom } from './plot-axes.js';
import { referenceNames, referenceRules } from './reference-lines.js';
import {
  fitText,
  legendHeight,
  legendMarks,
  legendRows,
  spreadPositions,
  textWidth,
} from './series-labels.js';

/** A point of a line, with the ends of its 95 % interval where there is one. */
export interface LinePoint {
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
}

/** A named line; points in increasing x. */
export interface LineSeries {
  readonly name: string;
  readonly points: readonly LinePoint[];
}

/** A straight line across the plot at a fixed height, with its name. */
export interface ReferenceLine {
  readonly y: number;
  readonly label: string;
}

/** What a line plot shows. */
export interface LinePlotSpec {
  readonly title: string;
  /** Text alternative; by default one sentence a series with its ends and best value. */
  readonly description?: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly LineSeries[];
  readonly references?: readonly ReferenceLine[];
  /** Each value holds until the next point, as in a distribution function; default no. */
  readonly isStepped?: boolean;
  readonly colors?: SeriesColors;
  /** Width of the picture on wide screens, px; default 720. */
  readonly width?: number;
}

/** Lines with direct labels; shaded 95 % bands where points have `low` and `high`. */
export function linePlot(spec: LinePlotSpec): Figure {
  const colors = spec.colors ?? createSeriesColors(spec.series.map(({ name }) => name));
  const hasBand = spec.series.some(({ points }) => points.some(isBanded));
  return renderFigure({
    title: spec.title,
    description: spec.description ?? describeLines(spec, hasBand),
    csv: csvText(
      ['series', axisLabel(spec.x), axisLabel(spec.y), ...(hasBand ? ['low', 'high'] : [])],
      spec.series.flatMap(({ name, points }) =>
        points.map(({ x, y, low, high }) => [name, x, y, ...(hasBand ? [low, high] : [])]),
      ),
    ),
    draw: (frame) => drawLines(spec, { frame, colors, hasBand }),
    pointer: {
      label: spec.x.label,
      axis: (frame) => {
        const { x, margins } = layoutLines(spec, { frame, colors, hasBand });
        const ends = [margins.left, frame.width - margins.right, ...x.domain];
        return [...ends.map((end) => Number(end.toFixed(3))), spec.x.isLog ? 1 : 0].join(' ');
      },
    },
    ...(spec.width === undefined ? {} : { width: spec.width }),
  });
}

function isBanded(point: LinePoint): boolean {
  return point.low !== undefined && point.high !== undefined;
}

function describeLines(spec: LinePlotSpec, hasBand: boolean): string {
  const parts = spec.series.map(({ name, points }) => {
    const shown = points.filter(({ y }) => Number.isFinite(y));
    const [first, last] = [shown[0], shown.at(-1)];
    if (!first || !last) return `${name}: no values.`;
    const high = shown.reduce((best, point) => (point.y > best.y ? point : best));
    const at = (point: LinePoint) =>
      `${axisValue(spec.y, point.y)} at ${spec.x.label} ${axisValue(spec.x, point.x)}`;
    return `${name}: from ${at(first)} to ${at(last)}, highest ${at(high)}.`;
  });
  const band = hasBand ? ' Shaded bands are 95 % intervals.' : '';
  return `Lines of ${axisLabel(spec.y)} over ${axisLabel(spec.x)}. ${parts.join(' ')}${band}`;
}

interface LineContext {
  readonly frame: Frame;
  readonly colors: SeriesColors;
  readonly hasBand: boolean;
}

/** Where the parts of a line plot stand. */
export interface LineLayout {
  readonly x: DrawnAxis;
  readonly y: DrawnAxis;
  readonly height: number;
  readonly margins: { top: number; right: number; bottom: number; left: number };
  readonly legend: ReturnType<typeof legendRows>;
}

function layoutLines(spec: LinePlotSpec, { frame, colors }: LineContext): LineLayout {
  const points = spec.series.flatMap((series) => series.points);
  const heights = points.flatMap(({ y, low, high }) => [y, low ?? y, high ?? y]);
  const labels = spec.series.map(({ name }) => textWidth(name));
  const labelWidth = labels.reduce((most, width) => Math.max(most, width), 0);
  const isLegend =
    spec.series.length > 1 && labelWidth > frame.width * (frame.isNarrow ? 0.2 : 0.26);
  const slots = spec.series.map(({ name }) => ({ name, slot: colors.slotOf(name) }));
  const references = (spec.references ?? []).map(({ y }) => y);
  const y = {
    axis: spec.y,
    domain: axisDomain(spec.y, [...heights, ...references]),
    count: 5,
    isWhole: hasWholeTicks(spec.y, heights),
  };
  const left = tickRoom(y);
  const legend = isLegend ? legendRows(slots, frame.width - left) : [];
  const isDirect = spec.series.length > 1 && !isLegend;
  const xs = points.map(({ x }) => x);
  const plotHeight = Math.round(Math.min(300, Math.max(190, frame.width * 0.42)));
  const x = {
    axis: spec.x,
    domain: axisDomain(spec.x, xs, 0),
    count: frame.width < 420 ? 4 : 7,
    isWhole: hasWholeTicks(spec.x, xs),
  };
  const margins = {
    top: 30 + legendHeight(legend),
    right: isDirect ? labelWidth + 16 : lastTickRoom(x),
    bottom: 42,
    left,
  };
  return {
    x,
    y,
    height: plotHeight + margins.top + margins.bottom,
    margins,
    legend,
  };
}

function drawLines(spec: LinePlotSpec, context: LineContext): Plot.PlotOptions {
  const layout = layoutLines(spec, context);
  const { margins, height, legend } = layout;
  const { frame } = context;
  return {
    width: frame.width,
    height,
    marginTop: margins.top,
    marginRight: margins.right,
    marginBottom: margins.bottom,
    marginLeft: margins.left,
    x: { type: spec.x.isLog ? 'log' : 'linear', domain: [...layout.x.domain] },
    y: { type: spec.y.isLog ? 'log' : 'linear', domain: [...layout.y.domain] },
    marks: [
      ...axisMarks(layout.x, layout.y),
      ...(legend.length > 0
        ? legendMarks(legend, { left: 4, top: 28, width: frame.width - 8, key: 'line' })
        : []),
      ...referenceRules(spec),
      ...seriesMarks(spec, context.colors),
      ...referenceNames(spec, layout, frame.width),
      ...(legend.length === 0 ? endLabels(spec, context, layout) : []),
    ],
  };
}

function seriesMarks(spec: LinePlotSpec, colors: SeriesColors): Plot.Markish[] {
  const bands = spec.series.map(({ name, points }) => {
    const banded = points.filter(isBanded);
    return Plot.areaY(banded, {
      x: 'x',
      y1: 'low',
      y2: 'high',
      fill: seriesColor(colors.slotOf(name)),
      fillOpacity: 0.18,
    });
  });
  const lines = spec.series.flatMap(({ name, points }): Plot.Markish[] => {
    const slot = colors.slotOf(name);
    const dash = seriesDash(slot);
    const stroke = seriesColor(slot);
    const few = points.length <= 12;
    return [
      Plot.lineY(points, {
        x: 'x',
        y: 'y',
        stroke,
        strokeWidth: 2,
        ...(spec.isStepped ? { curve: 'step-after' as const } : {}),
        ...(dash ? { strokeDasharray: dash } : {}),
      }),
      ...(few ? [Plot.dot(points, { x: 'x', y: 'y', fill: stroke, r: 2.6 })] : []),
    ];
  });
  return [...bands, ...lines];
}

function endLabels(spec: LinePlotSpec, context: LineContext, layout: LineLayout): Plot.Markish[] {
  if (spec.series.length < 2) return [];
  const { margins, height } = layout;
  const position = axisPosition(spec.y, layout.y.domain, [height - margins.bottom, margins.top]);
  const ends = spec.series.flatMap(({ name, points }) => {
    const last = points.findLast(({ y }) => Number.isFinite(y));
    return last ? [{ name, last, pixel: position(last.y) }] : [];
  });
  const range = [margins.top, height - margins.bottom] as const;
  const pixels = ends.map(({ pixel }) => pixel);
  const placed = spreadPositions(pixels, 15, range);
  return ends.map(({ name, last, pixel }, index) =>
    Plot.text([last], {
      x: () => layout.x.domain[1],
      y: 'y',
      text: () => fitText(name, margins.right - 10),
      dx: 8,
      dy: placed[index]! - pixel,
      textAnchor: 'start',
      fill: seriesInk(context.colors.slotOf(name)),
    }),
  );
}
