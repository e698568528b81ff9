import * as Plot from '@observablehq/plot';
import { csvText } from './escape.js';
import type { Figure } from './figure.js';
import { createSeriesColors, groundColor, type SeriesColors, seriesColor } from './palette.js';
import { type Frame, renderFigure } from './render-figure.js';
import { fitText } from './series-labels.js';

/** A ranking under its name, best first. */
export interface NamedRanking {
  readonly name: string;
  readonly items: readonly string[];
}

/** What a plot of two rankings shows. */
export interface RankOverlapSpec {
  readonly title: string;
  readonly description?: string;
  readonly left: NamedRanking;
  readonly right: NamedRanking;
  readonly colors?: SeriesColors;
  readonly width?: number;
}

interface Entry {
  readonly item: string;
  readonly rank: number;
  /** Rank in the other ranking; undefined where it is not in there. */
  readonly other: number | undefined;
}

const ROW = 24;
/** Several plain spaces would be drawn as one. */
const SPACE = '\u2003';
const HEAD = 34;

/** Two rankings side by side: what both have is joined by a line, what one has stands pale. */
export function rankOverlapPlot(spec: RankOverlapSpec): Figure {
  const { left, right } = spec;
  const entries = { left: entriesOf(left, right), right: entriesOf(right, left) };
  const shared = entries.left.filter(({ other }) => other !== undefined);
  const names = shared.map(({ item }) => item).join(', ');
  return renderFigure({
    title: spec.title,
    description:
      spec.description ??
      `Two rankings, ${left.name} and ${right.name}; ${shared.length} of ${left.items.length} ` +
        `stand in both${shared.length > 0 ? `: ${names}` : ''}.`,
    csv: csvText(
      ['ranking', 'rank', 'name', 'rank in the other'],
      (['left', 'right'] as const).flatMap((side) =>
        entries[side].map(({ item, rank, other }) => [spec[side].name, rank, item, other]),
      ),
    ),
    draw: (frame) => drawRankings(spec, entries, frame),
    width: spec.width ?? 480,
  });
}

function entriesOf({ items }: NamedRanking, other: NamedRanking): Entry[] {
  return items.map((item, index) => {
    const found = other.items.indexOf(item);
    return { item, rank: index + 1, other: found < 0 ? undefined : found + 1 };
  });
}

interface Column extends NamedRanking {
  readonly entries: readonly Entry[];
  readonly isLeft: boolean;
  /** px from the left edge. */
  readonly x: number;
  /** px that words may take. */
  readonly room: number;
  readonly color: string;
}

const heightOf = ({ rank }: Pick<Entry, 'rank'>): number => HEAD + (rank - 0.5) * ROW;

/** Name, items with their ranks, and a dot each: filled where the other ranking has the item. */
function columnMarks({ name, entries, isLeft, x, room, color }: Column): Plot.Markish[] {
  const words = { textAnchor: isLeft ? 'end' : 'start', dx: isLeft ? -10 : 10 } as const;
  return [
    Plot.text([fitText(name, room)], {
      ...{ ...words, x, y: 14, fontWeight: 600, fill: groundColor('ink') },
    }),
    Plot.text(entries, {
      ...{ ...words, x, y: heightOf },
      text: ({ item, rank }: Entry) =>
        isLeft ? `${fitText(item, 120)}${SPACE}${rank}` : `${rank}${SPACE}${fitText(item, 120)}`,
      fill: ({ other }: Entry) => groundColor(other === undefined ? 'muted' : 'ink'),
      fontVariant: 'tabular-nums',
    }),
    Plot.dot(entries, {
      ...{ x, y: heightOf, r: 3.5, stroke: color },
      fill: ({ other }: Entry) => (other === undefined ? groundColor('surface') : color),
    }),
  ];
}

function drawRankings(
  spec: RankOverlapSpec,
  entries: Record<'left' | 'right', readonly Entry[]>,
  frame: Frame,
): Plot.PlotOptions {
  const color = seriesColor((spec.colors ?? createSeriesColors()).slotOf('shared'));
  const [left, right] = [frame.width * 0.36, frame.width * 0.64];
  const shared = entries.left.filter(({ other }) => other !== undefined);
  const longest = Math.max(entries.left.length, entries.right.length);
  const both = { room: left - 14, color };
  return {
    width: frame.width,
    height: HEAD + longest * ROW + 8,
    margin: 0,
    x: { type: 'identity', axis: null },
    y: { type: 'identity', axis: null },
    marks: [
      Plot.link(shared, {
        ...{ x1: left, x2: right, y1: heightOf },
        y2: ({ other }: Entry) => heightOf({ rank: other! }),
        ...{ stroke: color, strokeWidth: 2, strokeOpacity: 0.75 },
      }),
      ...columnMarks({ ...spec.left, ...both, entries: entries.left, isLeft: true, x: left }),
      ...columnMarks({ ...spec.right, ...both, entries: entries.right, isLeft: false, x: right }),
    ],
  };
}
