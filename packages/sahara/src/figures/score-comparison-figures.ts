/**
 * Figures of several matrices of head scores: steps of Sahara, overlaps, sweeps of a setting.
 */
import {
  type Axis,
  type CaptionedFigure,
  heatmap,
  heatmapPanels,
  linePlot,
  rankOverlapPlot,
  scatterPlot,
} from '@lab/report';
import { headKey, type HeadId, leadingCount, rankHeads, type ScoredHead } from '../head.js';
import { compareScores } from '../overlap.js';
import type { NamedScores, ScoredHeads } from './score-figures.js';

/** A step of Sahara as its figure needs it: scores, and the group with the head it picked. */
export interface SearchStep extends ScoredHeads {
  /** Heads picked so far, this step's last. */
  readonly group: readonly HeadId[];
}

const gainLabel = (steps: readonly SearchStep[]): string =>
  steps[0]?.unit === 'nats' ? 'divergence (nats)' : 'turn of the subspace (degrees)';

/** Steps of Sahara beside each other: what each head adds to the group before, picks framed. */
export function searchSteps(steps: readonly SearchStep[]): CaptionedFigure {
  const names = steps.map(({ group }) => nameOf(group.at(-1)));
  const gains = steps.map(({ scores }, index) => {
    const before = index === 0 ? 0 : bestScore(steps[index - 1]!);
    return scores.map((row) => row.map((score) => (score === null ? Number.NaN : score - before)));
  });
  const most = gains.flat(2).reduce((a, b) => (b > a ? b : a), 0);
  return {
    figure: heatmapPanels({
      title: 'Every step of the search',
      panels: steps.map(({ group }, index) => ({
        title: `step ${index + 1}: + ${names[index]}`,
        values: gains[index]!,
        marked: group.map(({ layer, head }) => ({ row: layer, column: head })),
      })),
      value: { label: `added ${gainLabel(steps)}`, domain: [0, most > 0 ? most : 1] },
      ...{ rowLabel: 'layer', columnLabel: 'head' },
    }),
    caption:
      `Sahara takes ${names.join(', then ')}. Shades are what a head adds to the group framed ` +
      `before it, on one scale for all steps: from none to ${scaleEnd(most, steps)}.`,
  };
}

/** What the darkest shade stands for. */
const scaleEnd = (most: number, [step]: readonly SearchStep[]): string =>
  `${(most > 0 ? most : 1).toPrecision(3)} ${step?.unit ?? 'degrees'}`;

/** Score of the pick of a step. */
function bestScore({ scores, group }: SearchStep): number {
  const { layer, head } = group.at(-1)!;
  return scores[layer]?.[head] ?? 0;
}

const nameOf = (head: HeadId | undefined): string => (head === undefined ? 'none' : headKey(head));

/** Highest score of each step: how much one more head adds. */
export function searchGain(steps: readonly SearchStep[]): CaptionedFigure {
  const points = steps.map(({ scores }, index) => ({
    x: index + 1,
    y: rankHeads(scores)[0]?.score ?? Number.NaN,
  }));
  return {
    figure: linePlot({
      title: 'What one more head adds',
      x: { label: 'heads in the group' },
      y: { label: gainLabel(steps), hasZero: true },
      series: [{ name: 'best group', points }],
    }),
    caption: 'Where the line flattens, a further head turns the subspace hardly more.',
  };
}

/** The best heads of two rankings, joined where both have them (figure 5). */
export function headOverlap(a: NamedScores, b: NamedScores, top = 10): CaptionedFigure {
  const most = leadingCount([a, b], top);
  const { top: shared } = compareScores(a, b, { top: most });
  const rankingOf = ({ name, scores }: NamedScores) => ({
    ...{ name, items: rankHeads(scores, most).map(headKey) },
  });
  return {
    figure: rankOverlapPlot({
      title: `Best ${most} heads: ${a.name} and ${b.name}`,
      ...{ left: rankingOf(a), right: rankingOf(b) },
    }),
    caption:
      `${shared.both.length} of ${most} heads are among the best of both; ` +
      `${shared.expected.toFixed(1)} would be by chance (p = ${shared.pValue.toPrecision(2)}).`,
  };
}

/** Score of every head in one matrix against another. */
export function scoreScatter(a: NamedScores, b: NamedScores): CaptionedFigure {
  const points = a.scores.flatMap((row, layer) =>
    row.flatMap((x, head) => {
      const y = b.scores[layer]?.[head];
      return isNumber(x) && isNumber(y) ? [{ x, y, label: headKey({ layer, head }) }] : [];
    }),
  );
  return {
    figure: scatterPlot({
      title: `Every head: ${a.name} against ${b.name}`,
      x: { label: `${a.name} (${a.unit})`, hasZero: true },
      y: { label: `${b.name} (${b.unit})`, hasZero: true },
      series: [{ name: 'heads', points }],
      maxPoints: 6000,
    }),
    caption: 'Heads far from both axes matter to both; those along one axis to that one alone.',
  };
}

const isNumber = (value: number | null | undefined): value is number =>
  typeof value === 'number' && Number.isFinite(value);

/**
 * Rank correlation of each pair of score matrices: how far a setting (data set, format, side,
 * centring, ablation, model) changes what is found.
 */
export function rankingAgreement(sets: readonly NamedScores[]): CaptionedFigure {
  const values = sets.map((a) => sets.map((b) => correlation(a, b)));
  return {
    figure: heatmap({
      title: 'Agreement of rankings',
      rows: sets.map(({ name }) => name),
      columns: sets.map(({ name }) => name),
      ...{ values, value: { label: 'rank correlation', domain: [0, 1] } },
    }),
    caption: 'Spearman correlation over all heads: 1 is the same order, 0 none in common.',
  };
}

function correlation(a: NamedScores, b: NamedScores): number {
  return compareScores(a, b, { top: 1 }).spearman;
}

/** Scores under one value of the setting that is swept: eps, rank, number of prompts. */
export interface SweptScores extends ScoredHeads {
  readonly at: number;
}

/** Scores of the best heads along a setting (eps, r, number of prompts). */
export function scoreSweep(setting: Axis, sets: readonly SweptScores[], top = 5): CaptionedFigure {
  const sorted = [...sets].sort((a, b) => a.at - b.at);
  const best = new Map<string, ScoredHead>();
  for (const { scores } of sorted) {
    for (const head of rankHeads(scores)) {
      const known = best.get(headKey(head));
      if (known === undefined || head.score > known.score) best.set(headKey(head), head);
    }
  }
  const heads = [...best.values()].sort((a, b) => b.score - a.score).slice(0, top);
  return {
    figure: linePlot({
      title: `Scores along ${setting.label}`,
      x: setting,
      y: { label: `score (${sorted[0]?.unit ?? 'nats'})`, hasZero: true },
      series: heads.map(({ layer, head }) => {
        return {
          name: headKey({ layer, head }),
          points: sorted.flatMap(({ at, scores }) => {
            const y = scores[layer]?.[head];
            return isNumber(y) ? [{ x: at, y }] : [];
          }),
        };
      }),
    }),
    caption: `The ${heads.length} heads that are highest anywhere; lines that cross change ranks.`,
  };
}
