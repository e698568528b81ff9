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

function drawRankings(
  spec: RankOverlapSpec,
  entries: Record<'left' | 'right', readonly Entry[]>,
  frame: Frame,
): Plot.PlotOptions {
  const slot = (spec.colors ?? createSeriesColors()).slotOf('shared');
  const height = (rank: number) => HEAD + (rank - 0.5) * ROW;
  const ends = { left: frame.width * 0.36, right: frame.width * 0.64 };
  const shared = entries.left.filter(({ other }) => other !== undefined);
  const longest = Math.max(entries.left.length, entries.right.length);
  const column = (side: 'left' | 'right'): Plot.Markish[] => {
    const isLeft = side === 'left';
    const words = { textAnchor: isLeft ? 'end' : 'start', dx: isLeft ? -10 : 10 } as const;
    return [
      Plot.text([fitText(spec[side].name, frame.width * 0.36 - 14)], {
        ...words,
        x: ends[side],
        y: 14,
        fontWeight: 600,
        fill: groundColor('ink'),
      }),
      Plot.text(entries[side], {
        ...words,
        x: ends[side],
        y: ({ rank }: Entry) => height(rank),
        text: ({ item, rank }: Entry) =>
          isLeft ? `${fitText(item, 120)}${SPACE}${rank}` : `${rank}${SPACE}${fitText(item, 120)}`,
        fill: ({ other }: Entry) => groundColor(other === undefined ? 'muted' : 'ink'),
        fontVariant: 'tabular-nums',
      }),
      Plot.dot(entries[side], {
        x: ends[side],
        y: ({ rank }: Entry) => height(rank),
        r: 3.5,
        stroke: seriesColor(slot),
        fill: ({ other }: Entry) =>
          other === undefined ? groundColor('surface') : seriesColor(slot),
      }),
    ];
  };
  return {
    width: frame.width,
    height: HEAD + longest * ROW + 8,
    margin: 0,
    x: { type: 'identity', axis: null },
    y: { type: 'identity', axis: null },
    marks: [
      Plot.link(shared, {
        x1: ends.left,
        x2: ends.right,
        y1: ({ rank }: Entry) => height(rank),
        y2: ({ other }: Entry) => height(other!),
        stroke: seriesColor(slot),
        strokeWidth: 2,
        strokeOpacity: 0.75,
      }),
      ...column('left'),
      ...column('right'),
    ],
  };
}
