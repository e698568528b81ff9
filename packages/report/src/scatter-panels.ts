import * as Plot from '@observablehq/plot';
import { formatCount } from '@lab/core';
import { csvText } from './escape.js';
import type { Figure } from './figure.js';
import { createSeriesColors, groundColor, type SeriesColors, seriesColor } from './palette.js';
import { type Frame, renderFigure } from './render-figure.js';
import { dotSymbols, fitText, legendHeight, legendMarks, legendRows } from './series-labels.js';

/** A point of a panel; `pair` names the two points that a thin line joins. */
export interface PanelPoint {
  readonly x: number;
  readonly y: number;
  /** Index into the points of the other series. */
  readonly pair?: number;
}

/** One small plot: the same series as every other panel, at places of its own. */
export interface Panel {
  readonly title: string;
  readonly series: readonly { readonly name: string; readonly points: readonly PanelPoint[] }[];
}

/** What a grid of small scatter plots shows. */
export interface ScatterPanelsSpec {
  readonly title: string;
  readonly description?: string;
  /** In reading order. */
  readonly panels: readonly Panel[];
  /** Panels side by side on wide screens; default 3, on narrow ones at most 2. */
  readonly columns?: number;
  readonly colors?: SeriesColors;
  readonly width?: number;
}

/** Room between panels and above each, px; share of a panel left free around its points. */
const GAP = 10;
const HEAD = 20;
const MARGIN = 0.04;

/**
 * Small scatter plots without axes, for layouts whose units mean nothing (t-SNE): every panel fills
 * its own square. Thin lines join the points of the first series to their pairs in the second.
 */
export function scatterPanels(spec: ScatterPanelsSpec): Figure {
  const names = [...new Set(spec.panels.flatMap(({ series }) => series.map(({ name }) => name)))];
  const colors = spec.colors ?? createSeriesColors(names);
  const slots = names.map((name) => ({ name, slot: colors.slotOf(name) }));
  const sentences = spec.panels.map(({ title, series }) => {
    const points = series.reduce((sum, { points: list }) => sum + list.length, 0);
    return `${title}: ${formatCount(points)} points.`;
  });
  return renderFigure({
    title: spec.title,
    description:
      spec.description ?? `Points in ${spec.panels.length} panels. ${sentences.join(' ')}`,
    csv: csvText(
      ['panel', 'series', 'x', 'y', 'pair'],
      spec.panels.flatMap(({ title, series }) =>
        series.flatMap(({ name, points }) =>
          points.map(({ x, y, pair }) => [title, name, x, y, pair]),
        ),
      ),
    ),
    draw: (frame) => drawPanels(spec, slots, frame),
    ...(spec.width === undefined ? {} : { width: spec.width }),
  });
}

interface Square {
  readonly left: number;
  readonly top: number;
  readonly side: number;
}

function drawPanels(
  spec: ScatterPanelsSpec,
  slots: readonly { readonly name: string; readonly slot: number }[],
  frame: Frame,
): Plot.PlotOptions {
  const legend = slots.length > 1 ? legendRows(slots, frame.width - 8) : [];
  const top = legendHeight(legend) + 8;
  const wanted = Math.max(1, Math.min(spec.columns ?? 3, spec.panels.length));
  const columns = frame.isNarrow ? Math.min(2, wanted) : wanted;
  const side = Math.floor((frame.width - GAP * (columns - 1) - 2) / columns);
  const rows = Math.ceil(spec.panels.length / columns);
  const height = top + rows * (HEAD + side + GAP);
  const slotOf = new Map(slots.map(({ name, slot }) => [name, slot]));
  const marks = spec.panels.flatMap((panel, index) => {
    const square = {
      left: 1 + (index % columns) * (side + GAP),
      top: top + HEAD + Math.floor(index / columns) * (HEAD + side + GAP),
      side,
    };
    return panelMarks(panel, slotOf, square);
  });
  return {
    width: frame.width,
    height,
    margin: 0,
    x: { type: 'identity', axis: null },
    y: { type: 'identity', axis: null },
    marks: [
      ...legendMarks(legend, { left: 4, top: 8, width: frame.width - 8, key: 'dot' }),
      ...marks,
    ],
  };
}

/** Frame, name, lines and dots of one panel, in px of the picture. */
function panelMarks(
  { title, series }: Panel,
  slotOf: ReadonlyMap<string, number>,
  square: Square,
): Plot.Markish[] {
  const { left, top, side } = square;
  const place = placer(
    series.flatMap(({ points }) => points),
    square,
  );
  const placed = series.map(({ name, points }) => ({
    slot: slotOf.get(name)!,
    points: points.map(place),
  }));
  const [right, bottom] = [left + side, top + side];
  const frame = { x1: left, x2: right, y1: top, y2: bottom, fill: 'none' };
  return [
    Plot.rect([0], { ...frame, stroke: groundColor('rule') }),
    Plot.text([title], {
      x: left,
      y: top - 9,
      text: (words: string) => fitText(words, side),
      textAnchor: 'start',
      fill: groundColor('ink'),
    }),
    pairLinks(series[0]?.points ?? [], placed),
    ...seriesDots(placed),
  ];
}

/** Points of a series in px. */
interface PlacedSeries {
  readonly slot: number;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** Thin lines from the points of the first series to their pairs in the second. */
function pairLinks(
  points: readonly PanelPoint[],
  [first, second]: readonly PlacedSeries[],
): Plot.Markish {
  const links = points.flatMap(({ pair }, at) => {
    const to = pair === undefined ? undefined : second?.points[pair];
    return to === undefined ? [] : [{ from: first!.points[at]!, to }];
  });
  return Plot.link(links, {
    x1: ({ from }: (typeof links)[number]) => from.x,
    y1: ({ from }: (typeof links)[number]) => from.y,
    x2: ({ to }: (typeof links)[number]) => to.x,
    y2: ({ to }: (typeof links)[number]) => to.y,
    stroke: groundColor('muted'),
    strokeOpacity: 0.35,
    strokeWidth: 0.6,
  });
}

/** Dots, smaller and fainter where they are many. */
function seriesDots(placed: readonly PlacedSeries[]): Plot.Markish[] {
  const isCrowded = placed.reduce((sum, { points }) => sum + points.length, 0) > 300;
  return placed.map(({ slot, points }, index) =>
    Plot.dot(points, {
      x: 'x',
      y: 'y',
      symbol: dotSymbols[index % dotSymbols.length]!,
      fill: seriesColor(slot),
      fillOpacity: isCrowded ? 0.6 : 0.8,
      r: isCrowded ? 1.6 : 2.6,
    }),
  );
}

/** From a panel's own units to px: its points fill the square, x and y on one scale. */
function placer(points: readonly PanelPoint[], { left, top, side }: Square) {
  const middle = (values: readonly number[]) => {
    const [low, high] = values.reduce(
      ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
      [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    );
    return values.length === 0 ? { at: 0, range: 0 } : { at: (low + high) / 2, range: high - low };
  };
  const x = middle(points.map((point) => point.x));
  const y = middle(points.map((point) => point.y));
  const range = Math.max(x.range, y.range) || 1;
  const scale = (side * (1 - 2 * MARGIN)) / range;
  return (point: PanelPoint) => ({
    x: left + side / 2 + (point.x - x.at) * scale,
    y: top + side / 2 - (point.y - y.at) * scale,
  });
}
