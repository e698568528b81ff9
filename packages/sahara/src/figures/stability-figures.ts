/**
 * Figures of how sure a ranking of heads is: intervals, smaller sets, kinds of prompts.
 */
import { barPlot, type CaptionedFigure, heatmap, linePlot } from '@lab/report';
import type { CategoryHeads } from '../category-heads.js';
import { headKey, type ScoredHead } from '../head.js';
import type { HeadStability } from '../head-stability.js';
import type { SubsetAgreement } from '../subset-agreement.js';

/** Mean scores of the best heads with the intervals of other prompts of the same kind. */
export function scoreIntervals(
  heads: readonly HeadStability[],
  unit: string,
  shown = 12,
): CaptionedFigure {
  const best = heads.slice(0, shown);
  const first = best[0];
  const rivals = best.slice(1).filter(({ rankLow }) => rankLow <= 1.5);
  const names = rivals.map(headKey).join(', ');
  const words =
    first === undefined
      ? 'No head was scored.'
      : rivals.length === 0 && first.rankHigh < 1.5
        ? `Head ${headKey(first)} stays first with other prompts.`
        : `With other prompts the first could also be ${names || 'another'}.`;
  return {
    figure: barPlot({
      title: 'Best heads, with intervals',
      value: { label: `mean score (${unit})` },
      bars: best.map(({ layer, head, mean, low, high }) => ({
        ...{ label: headKey({ layer, head }), value: mean, low, high },
      })),
    }),
    caption: `${words} Whiskers: 95 % over resampled prompts.`,
  };
}

/** How far two sets of so many prompts name the same best heads. */
export function agreementBySize(found: readonly SubsetAgreement[]): CaptionedFigure {
  const last = found.at(-1);
  return {
    figure: linePlot({
      title: 'Do other prompts name the same heads?',
      x: { label: 'prompts of each set', isLog: true },
      y: { label: `share of the best ${last?.top ?? 0} that both name`, domain: [0, 1] },
      series: [
        {
          name: 'two sets without a common prompt',
          points: found.map(({ size, shared, low, high }) => ({ x: size, y: shared, low, high })),
        },
      ],
    }),
    caption:
      last === undefined
        ? 'Too few prompts.'
        : `Two sets of ${last.size} share ${(last.shared * last.top).toFixed(1)} of their best ` +
          `${last.top} heads. The band holds 95 % of the draws.`,
  };
}

/** Heads that are drawn for kinds of prompts. */
const SHOWN_HEADS = 12;

/** Mean scores of the best heads by kind of prompt. */
export function scoreByCategory(
  categories: readonly CategoryHeads[],
  unit: string,
): CaptionedFigure {
  const best = new Map<string, ScoredHead>();
  for (const { best: own } of categories) {
    for (const head of own) {
      const known = best.get(headKey(head));
      if (known === undefined || head.score > known.score) best.set(headKey(head), head);
    }
  }
  const heads = [...best.values()].sort((a, b) => b.score - a.score).slice(0, SHOWN_HEADS);
  const firsts = new Set(categories.flatMap((one) => one.best.slice(0, 1).map(headKey)));
  return {
    figure: heatmap({
      title: 'Heads by kind of prompt',
      rows: categories.map(({ category, promptCount }) => `${category} (${promptCount})`),
      columns: heads.map(headKey),
      rowLabel: 'prompts',
      columnLabel: 'head',
      values: categories.map(({ scores }) =>
        heads.map(({ layer, head }) => scores[layer]?.[head] ?? Number.NaN),
      ),
      value: { label: `mean score (${unit})`, hasZero: true },
      marked: categories.flatMap(({ category, promptCount, best: [first] }) =>
        first === undefined
          ? []
          : [{ row: `${category} (${promptCount})`, column: headKey(first) }],
      ),
    }),
    caption:
      firsts.size === 1
        ? `Head ${[...firsts][0]} is first for every kind.`
        : `${firsts.size} different heads are first; framed: the first of each kind.`,
  };
}
