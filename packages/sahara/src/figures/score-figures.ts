/**
 * Figures of one matrix of head scores: map, long tail, distribution, layers.
 */
import {
  type Axis,
  type CaptionedFigure,
  heatmap,
  heatmapPanels,
  linePlot,
  type LinePoint,
} from '@lab/report';
import { empiricalDistribution, kernelDensity } from '@lab/metrics';
import type { ScoreFile } from '../score-file.js';
import { headKey, rankHeads, type ScoredHead } from '../head.js';

/** What figures read of a score file. */
export interface ScoredHeads extends Pick<ScoreFile, 'kind' | 'unit'> {
  /** `[L][H]`; null for a head that was not scored. */
  readonly scores: readonly (readonly (number | null)[])[];
}

/** How a map of scores is drawn. */
export interface ScoreMapOptions {
  readonly title?: string;
  /** Best heads with a frame; default one in twenty, 10 at most. */
  readonly top?: number;
  /** Logarithmic shades; default for KL scores, whose tail is long. */
  readonly isLog?: boolean;
}

/** More heads than this are drawn without a box for each: a page would grow too heavy. */
const MOST_BOXES = 1600;
/** A logarithmic scale of shades reaches this far below the highest score. */
const LOG_DEPTH = 1e4;

/** A score in words. */
export function scoreText(score: number, unit: ScoredHeads['unit']): string {
  const size = score.toPrecision(3);
  if (unit === 'accuracy') return `an accuracy of ${size}`;
  return unit === 'length' ? `a length of ${size}` : `${size} ${unit}`;
}

/** What scores of each kind measure, where the unit does not say it. */
const MEASURES: Readonly<Partial<Record<ScoredHeads['kind'], string>>> = {
  ships: 'Ships, mean over prompts (nats)',
  'probe-heads': 'accuracy of a probe',
  'refusal-direction': 'written along the refusal direction',
  'refusal-logits': 'added to the logit of a refusal',
};

const measureOf = ({ kind, unit }: ScoredHeads): string =>
  MEASURES[kind] ??
  (unit === 'degrees' ? 'turn of the subspace (degrees)' : 'mean divergence (nats)');

const valuesOf = (scores: ScoredHeads['scores']): number[][] =>
  scores.map((row) => row.map((score) => score ?? Number.NaN));

/**
 * Layer x head map of scores, the best heads framed (the paper draws such a map in figure 4b).
 *
 * A model of more than 1,600 heads gets cells without numbers or tooltips; the data has them all.
 */
export function scoreMap(scored: ScoredHeads, options: ScoreMapOptions = {}): CaptionedFigure {
  const { title = 'Every head and its score', isLog = scored.unit === 'nats' } = options;
  const values = valuesOf(scored.scores);
  const ranked = rankHeads(scored.scores);
  const { top = Math.min(10, Math.ceil(ranked.length / 20)) } = options;
  const best = ranked.slice(0, top).filter(({ score }) => score > 0);
  const highest = ranked[0]?.score ?? 0;
  const isLogDrawn = isLog && highest > 0;
  const value: Axis = {
    label: measureOf(scored),
    ...(isLogDrawn ? { isLog: true, domain: [highest / LOG_DEPTH, highest] } : {}),
  };
  const headCount = values[0]?.length ?? 0;
  const figure =
    values.length * headCount > MOST_BOXES
      ? heatmapPanels({
          ...{ title, value, rowLabel: 'layer', columnLabel: 'head', columns: 1, width: 720 },
          panels: [
            {
              title: `${values.length} layers of ${headCount} heads`,
              values,
              marked: best.map(({ layer, head }) => ({ row: layer, column: head })),
            },
          ],
        })
      : heatmap({
          ...{ title, value, values, rowLabel: 'layer', columnLabel: 'head' },
          rows: values.map((_, layer) => `layer ${layer}`),
          columns: Array.from({ length: headCount }, (_, head) => String(head)),
          marked: best.map(({ layer, head }) => ({ row: `layer ${layer}`, column: String(head) })),
        });
  const shades = isLogDrawn
    ? ' Shades are logarithmic: each factor of ten is one quarter of the scale.'
    : '';
  return { figure, caption: `${bestWords(best, scored)}${shades}` };
}

function bestWords(best: readonly ScoredHead[], { unit }: ScoredHeads): string {
  const first = best[0];
  if (first === undefined) return 'No head moves anything.';
  const framed = best.length === 1 ? 'best one is' : `best ${best.length} are`;
  return (
    `Dark heads matter most; the ${framed} framed. ` +
    `First is ${headKey(first)} with ${scoreText(first.score, unit)}.`
  );
}

/** Scores from the best head to the last, beside the share of the whole that they add up to. */
export function scoreTail(scored: ScoredHeads): CaptionedFigure {
  const ranked = rankHeads(scored.scores);
  const highest = ranked[0]?.score ?? 0;
  // Heads that work the other way have no share.
  const whole = ranked.reduce((sum, { score }) => sum + Math.max(0, score), 0);
  let sum = 0;
  const cumulative = ranked.map(({ score }, index) => {
    sum += Math.max(0, score);
    return { x: index + 1, y: whole > 0 ? sum / whole : 0 };
  });
  const half = cumulative.findIndex(({ y }) => y >= 0.5) + 1;
  const tail = ranked.map(({ score }, index) => ({
    x: index + 1,
    y: highest > 0 ? Math.max(0, score) / highest : 0,
  }));
  return {
    figure: linePlot({
      title: 'How few heads carry it',
      x: { label: 'rank of the head', isLog: true },
      y: { label: 'share', format: 'share', domain: [0, 1] },
      series: [
        { name: 'score / highest', points: tail },
        { name: 'sum so far', points: cumulative },
      ],
    }),
    caption:
      whole > 0
        ? `Half of the summed score lies with ${half} of ${ranked.length} heads. The faster the ` +
          'first line falls, the more the behaviour hangs on single heads.'
        : 'All scores are 0.',
  };
}

/** Scores under the name of their data set, model or setting. */
export interface NamedScores extends ScoredHeads {
  readonly name: string;
}

/**
 * Share of heads with at most a score, a line for each data set or model (the paper, figure 13).
 */
export function scoreDistribution(sets: readonly NamedScores[]): CaptionedFigure {
  const series = sets.map(({ name, scores }) => ({
    name,
    points: pointsOf(empiricalDistribution(scoresOf(scores))),
  }));
  return {
    figure: linePlot({
      title: 'Cumulative distribution of scores',
      x: { label: measureOf(sets[0]!), hasZero: true },
      y: { label: 'share of heads', format: 'share', domain: [0, 1] },
      series,
      isStepped: true,
    }),
    caption: 'A line that is near 1 early says that most heads hardly matter: the rest are sparse.',
  };
}

/**
 * Density of scores over all heads: Gaussian kernel, bandwidth by Scott (figure 13).
 *
 * Where no score is below 0 what the kernel lays there is folded back: such scores cannot be.
 */
export function scoreDensity(sets: readonly NamedScores[]): CaptionedFigure {
  const series = sets.map(({ name, scores }) => ({
    name,
    points: densityPoints(scoresOf(scores)),
  }));
  return {
    figure: linePlot({
      title: 'Density of scores',
      x: { label: measureOf(sets[0]!) },
      y: { label: 'density', hasZero: true },
      series,
    }),
    caption: 'One narrow peak at the left with a long tail: few heads stand out.',
  };
}

function scoresOf(scores: ScoredHeads['scores']): Float64Array {
  return Float64Array.from(rankHeads(scores), ({ score }) => score);
}

const pointsOf = ({ x, y }: { x: Float64Array; y: Float64Array }): LinePoint[] =>
  Array.from(x, (place, at) => ({ x: place, y: y[at]! }));

/** None where all scores are alike: they have no width of a kernel. */
function densityPoints(values: Float64Array): LinePoint[] {
  if (values[0] === values.at(-1)) return [];
  const density = kernelDensity(values);
  if (values.some((value) => value < 0)) return pointsOf(density);
  const { bandwidth } = density;
  const range = [0, density.x.at(-1)!] as const;
  const { x, y } = kernelDensity(values, { bandwidth, range });
  const below = kernelDensity(
    values.map((value) => -value),
    { bandwidth, range },
  );
  return pointsOf({ x, y: y.map((own, at) => own + below.y[at]!) });
}

/** Best and mean score of each layer. */
export function scoreByLayer(scored: ScoredHeads): CaptionedFigure {
  const rows = valuesOf(scored.scores).map((row) => row.filter((score) => Number.isFinite(score)));
  const linesOf = (value: (row: readonly number[]) => number) =>
    rows.flatMap((row, x) => (row.length === 0 ? [] : [{ x, y: value(row) }]));
  return {
    figure: linePlot({
      title: 'Scores by layer',
      x: { label: 'layer' },
      y: { label: measureOf(scored), hasZero: true },
      series: [
        { name: 'best head', points: linesOf((row) => Math.max(...row)) },
        { name: 'mean', points: linesOf((row) => row.reduce((a, b) => a + b, 0) / row.length) },
      ],
    }),
    caption: 'Where the best head is far above the mean, the layer has a specialist.',
  };
}
