import * as Plot from '@observablehq/plot';
import { axisPosition } from './axis.js';
import type { LineLayout, LinePlotSpec, LineSeries, ReferenceLine } from './line-plot.js';
import { groundColor } from './palette.js';
import { textWidth } from './series-labels.js';

/** Where the name of a reference line may stand: at which end, above it or below. */
interface LabelPlace {
  readonly end: 'start' | 'end';
  /** px from the line to the middle of its name; negative is up. */
  readonly dy: number;
}

/** In the order in which they are taken when several are as free. */
const PLACES: readonly LabelPlace[] = [
  { end: 'end', dy: -8 },
  { end: 'start', dy: -8 },
  { end: 'end', dy: 11 },
  { end: 'start', dy: 11 },
];

/** From here on, px, a name is clear of a line. */
const CLEAR = 12;

/** Dashed lines across a line plot. */
export function referenceRules({ references = [] }: LinePlotSpec): Plot.Markish[] {
  return references.map(({ y }) =>
    Plot.ruleY([y], { stroke: groundColor('muted'), strokeDasharray: '3 3' }),
  );
}

/** The names of these lines, each where series leave most room; to be drawn over the series. */
export function referenceNames(
  spec: LinePlotSpec,
  layout: LineLayout,
  width: number,
): Plot.Markish[] {
  return (spec.references ?? []).map((line) => {
    const { end, dy } = placeOf(line, spec, { layout, width });
    const isAtEnd = end === 'end';
    return Plot.text([line.label], {
      x: layout.x.domain[isAtEnd ? 1 : 0],
      y: line.y,
      dx: isAtEnd ? -4 : 6,
      dy,
      textAnchor: isAtEnd ? 'end' : 'start',
      fill: groundColor('muted'),
      stroke: groundColor('surface'),
      strokeWidth: 4,
    });
  });
}

interface Picture {
  readonly layout: LineLayout;
  readonly width: number;
}

function placeOf(line: ReferenceLine, spec: LinePlotSpec, picture: Picture): LabelPlace {
  const rooms = PLACES.map((place) => ({ place, room: roomAt(line, place, { spec, picture }) }));
  return rooms.reduce((best, one) => (one.room > best.room ? one : best)).place;
}

/** px from the middle of a name at a place to the nearest series, at most CLEAR. */
function roomAt(
  { y, label }: ReferenceLine,
  { end, dy }: LabelPlace,
  { spec, picture: { layout, width } }: { spec: LinePlotSpec; picture: Picture },
): number {
  const { margins, height } = layout;
  const [left, right] = [margins.left, width - margins.right];
  const [top, bottom] = [margins.top, height - margins.bottom];
  const down = axisPosition(spec.y, layout.y.domain, [bottom, top]);
  const across = axisPosition(spec.x, layout.x.domain, [left, right]);
  const middle = down(y) + dy;
  // A name that would leave the plot stands among the ticks or above the axis.
  if (middle > bottom - 4 || middle < top - 14) return -1;
  const length = textWidth(label) + 10;
  const [from, to] = end === 'end' ? [right - length, right] : [left, left + length];
  const nearest = spec.series.reduce((least, series) => {
    const heights = heightsBetween(series, { across, down, from, to });
    return heights.reduce((a, height) => Math.min(a, Math.abs(height - middle)), least);
  }, Number.POSITIVE_INFINITY);
  return Math.min(nearest, CLEAR);
}

interface Span {
  across(x: number): number;
  down(y: number): number;
  readonly from: number;
  readonly to: number;
}

/** Heights in px of a line at places between two, so near that a steep one is not missed. */
function heightsBetween({ points }: LineSeries, { across, down, from, to }: Span): number[] {
  const placed = points
    .filter(({ y }) => Number.isFinite(y))
    .map(({ x, y }) => ({ x: across(x), y: down(y) }));
  const places = Array.from({ length: 65 }, (_, index) => from + ((to - from) * index) / 64);
  return places.flatMap((place) => {
    const next = placed.findIndex(({ x }) => x >= place);
    const [a, b] = [placed[next - 1], placed[next]];
    if (b === undefined) return [];
    if (a === undefined) return b.x - place < 1 ? [b.y] : [];
    return [a.y + ((b.y - a.y) * (place - a.x)) / (b.x - a.x || 1)];
  });
}
