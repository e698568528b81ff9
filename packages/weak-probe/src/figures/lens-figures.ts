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
import type { TokenKind } from '../token-kinds.js';
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

/** Series of kinds and classes keep the colour of their kind for the first class. */
const shareColors = (labels: readonly string[]) =>
  createSeriesColors(labels.flatMap((label) => [`${label}, positive`, `${label}, negative`]));

/** How much of the lens each kind of tokens takes, by state and class. */
export function kindShareFigure(lenses: readonly ClassLens[]): CaptionedFigure {
  const kinds: readonly TokenKind[] = ['negative', 'positive'];
  const series: LineSeries[] = lenses.flatMap(({ label, table }) =>
    kinds.map((kind) => ({
      name: `${label}, ${kind}`,
      points: table.states.map(({ state, kindShares }) => ({ x: state, y: kindShares[kind] })),
    })),
  );
  return {
    figure: linePlot({
      title: 'Kinds of tokens by depth',
      x: { label: 'state' },
      y: { label: 'share of listed tokens', format: 'share', hasZero: true },
      series,
      colors: shareColors(lenses.map(({ label }) => label)),
    }),
    caption:
      'Of all tokens that the lens lists, the share on the lists of negative and positive words. ' +
      'Where the classes part, the model has turned its judgement into words.',
  };
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
      `Spearman ${text(spearman)}; ` +
      'published: −0.516 for malicious and −0.810 for jailbreak prompts.',
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

/** Probability of the words that are followed, by state. */
export function pathFigure(paths: readonly ClassPath[]): CaptionedFigure {
  return {
    figure: linePlot({
      title: 'Words followed through the states',
      x: { label: 'state' },
      y: { label: 'probability', format: 'share', hasZero: true },
      series: paths.map(({ label, path }) => ({
        name: `${path.text.trim()}, ${label}`,
        points: path.states.map(({ state, meanProbability }) => ({ x: state, y: meanProbability })),
      })),
    }),
    caption: 'Mean over prompts of the probability that the lens gives each word.',
  };
}
