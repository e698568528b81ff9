/**
 * Figures of what the lens shows.
 */
import {
  barPlot,
  type CaptionedFigure,
  createSeriesColors,
  linePlot,
  type LineSeries,
  scatterPlot,
  wordHeatmap,
} from '@lab/report';
import type { Consistency, ConsistencyCorrelation } from '../consistency.js';
import type { TokenPath } from '../lens-result.js';
import { publishedCorrelations } from '../published.js';
import type { ListedKind } from '../token-lists.js';
import type { TokenTable } from '../token-table.js';

/** What the lens shows of the prompts of a class. */
export interface ClassLens {
  readonly label: string;
  readonly table: TokenTable;
}

/** Kinds in their colours, the same in every figure. */
const kindColors = createSeriesColors(['neutral', 'negative', 'positive']);
const signs: Readonly<Record<string, string>> = { negative: '−', positive: '+', neutral: '·' };

/** Rows of a figure, at most: a model of 80 blocks shows its middle states. */
const MOST_ROWS = 44;

/** The most frequent tokens of each state, shaded by the share of prompts, framed by kind. */
export function tokenFigure(
  { label, table }: ClassLens,
  middle: readonly number[],
): CaptionedFigure {
  const shown =
    table.states.length <= MOST_ROWS
      ? table.states
      : table.states.filter(({ state }) => middle.includes(state));
  return {
    figure: wordHeatmap({
      title: `What the lens says of ${label} prompts`,
      rows: shown.map(({ state, cells }) => ({
        name: `state ${state}`,
        words: cells.map(({ text, share, kind }) => ({
          text,
          value: share,
          ...(kind === 'other' ? {} : { kind }),
        })),
      })),
      rowLabel: 'state',
      columnLabel: 'rank by prompts',
      value: { label: 'share of prompts', format: 'share', domain: [0, 1] },
      signs,
      colors: kindColors,
    }),
    caption:
      `Tokens among the best ${table.top} of most of the ${table.promptCount} prompts; state 0 ` +
      'is the embedding, state k stands behind k blocks. The deeper the shade, the more prompts.',
  };
}

/** Kinds in the order of their figures, and what to see. */
const shareTexts: readonly (readonly [ListedKind, string])[] = [
  ['negative', 'Where the classes part, the model has turned its judgement into words of refusal.'],
  ['positive', 'Words of agreement: where they part, the model is on its way to an answer.'],
  ['neutral', 'Words that open any response.'],
];

/**
 * How much of the lens each kind of listed tokens takes, by state and class: a figure a kind.
 *
 * @param of - behind the title; default nothing.
 */
export function kindShareFigures(lenses: readonly ClassLens[], of = ''): CaptionedFigure[] {
  return shareTexts.map(([kind, text]) => ({
    figure: linePlot({
      title: `${kind[0]!.toUpperCase()}${kind.slice(1)} words by depth${of}`,
      x: { label: 'state' },
      y: { label: 'share of listed tokens', format: 'share', hasZero: true },
      series: lenses.map(({ label, table }) => ({
        name: label,
        points: table.states.map(({ state, kindShares, kindIntervals }) => {
          const { low, high } = kindIntervals[kind];
          return { x: state, y: kindShares[kind], low, high };
        }),
      })),
    }),
    caption:
      `Of all tokens that the lens lists, the share on the list of ${kind} words; bands are 95 % ` +
      `intervals over prompts. ${text}`,
  }));
}

/** Consistency of classes of prompts. */
export interface ClassConsistency {
  readonly label: string;
  readonly consistency: Consistency;
}

/** Top-K Intermediate Consistency of each class as bars. */
export function consistencyFigure(classes: readonly ClassConsistency[]): CaptionedFigure {
  const [first] = classes;
  const states = first?.consistency.states.map(({ state }) => state) ?? [];
  const range =
    states.length > 1 ? `states ${states[0]} to ${states.at(-1)}` : `state ${states[0]}`;
  return {
    figure: barPlot({
      title: 'Top-K Intermediate Consistency',
      value: { label: 'consistency', format: 'share', domain: [0, 1] },
      bars: classes.map(({ label, consistency: { value, interval, promptCount } }) => ({
        label: `${label} (n = ${promptCount})`,
        value,
        ...(interval === null ? {} : { low: interval.low, high: interval.high }),
      })),
    }),
    caption:
      `Over ${range}: 1 where every prompt brings up the same tokens. Whiskers are 95 % ` +
      'bootstrap intervals over prompts.',
  };
}

/** Consistency against attack success over models. */
export function consistencyScatter({
  points,
  pearson,
  spearman,
}: ConsistencyCorrelation): CaptionedFigure {
  const text = ({ value, low, high }: ConsistencyCorrelation['pearson']) =>
    `${value.toFixed(2)} (95 %: ${low.toFixed(2)} to ${high.toFixed(2)})`;
  return {
    figure: scatterPlot({
      title: 'Consistency and attack success',
      x: { label: 'Top-K Intermediate Consistency', format: 'share' },
      y: { label: 'attack success', format: 'share', hasZero: true },
      series: [
        {
          name: 'models',
          points: points.map(({ name, consistency, attackSuccess }) => ({
            ...{ x: consistency, y: attackSuccess, label: name },
          })),
        },
      ],
    }),
    caption:
      `A point a model, n = ${points.length}. Pearson ${text(pearson)}, ` +
      `Spearman ${text(spearman)}; published, kind not stated: ` +
      `${publishedCorrelations.map(({ prompts, value }) => `${value} (${prompts})`).join(', ')}.`,
  };
}

/** Mean entropy of the lens by state and class. */
export function entropyFigure(
  classes: readonly { readonly label: string; readonly meanEntropies: readonly number[] }[],
): CaptionedFigure {
  return {
    figure: linePlot({
      title: 'How sure the lens is',
      x: { label: 'state' },
      y: { label: 'entropy', unit: 'nats', hasZero: true },
      series: classes.map(({ label, meanEntropies }) => ({
        name: label,
        points: meanEntropies.map((y, x) => ({ x, y })),
      })),
    }),
    caption: 'Entropy of the next token as the lens reads it, mean over prompts: low is sure.',
  };
}

/** A word followed through the states, of a class of prompts. */
export interface ClassPath {
  readonly label: string;
  readonly path: TokenPath;
}

/** Probability, logit and rank of the words that are followed, by state. */
export function pathFigures(paths: readonly ClassPath[]): CaptionedFigure[] {
  const seriesOf = (of: (state: TokenPath['states'][number]) => number): LineSeries[] =>
    paths.map(({ label, path }) => ({
      name: `${path.text.trim()}, ${label}`,
      points: path.states.map((one) => ({ x: one.state, y: of(one) })),
    }));
  const x = { label: 'state' };
  return [
    {
      figure: linePlot({
        title: 'Words followed: probability',
        ...{ x, y: { label: 'probability', format: 'share', hasZero: true } },
        series: seriesOf(({ meanProbability }) => meanProbability),
      }),
      caption: 'Mean over prompts of the probability that the lens gives each word.',
    },
    {
      figure: linePlot({
        title: 'Words followed: rank',
        ...{ x, y: { label: 'median rank', isLog: true } },
        series: seriesOf(({ medianRank }) => medianRank),
      }),
      caption: 'Median over prompts of the place of each word among all tokens; 1 is the first.',
    },
    {
      figure: linePlot({
        title: 'Words followed: logit',
        ...{ x, y: { label: 'logit', unit: 'nats' } },
        series: seriesOf(({ meanLogit }) => meanLogit),
      }),
      caption: 'Mean over prompts of the logit that the lens gives each word.',
    },
  ];
}
