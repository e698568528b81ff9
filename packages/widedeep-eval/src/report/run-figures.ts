/**
 * The figures of a run's page.
 */
import { createRandom, formatPercent, formatShare } from '@lab/core';
import { wilson } from '@lab/metrics';
import {
  barPlot,
  type CaptionedFigure,
  groupedBarPlot,
  heatmap,
  linePlot,
  type LinePoint,
} from '@lab/report';
import type { Agreement, GroupMetrics, NetworkStatistics } from '../evaluate.js';
import type { JudgedSample } from '../judged-sample.js';
import { verdicts, verdictOf } from '../verdict.js';
import { verdictMetrics } from '../verdict-metrics.js';

const share = { format: 'share' } as const;
/** Resamples of a band: it is looked at, not quoted. */
const RESAMPLES = 1000;

/** Agreement of one judge and of more of them, in the first layer alone; null for one judge. */
export function widthFigure(samples: readonly JudgedSample[], tau: number): CaptionedFigure | null {
  const widest = Math.max(0, ...samples.map(({ judgeDifferences }) => judgeDifferences.length));
  if (widest < 2) return null;
  const points: LinePoint[] = [];
  for (let width = 1; width <= widest; width += 1) {
    const point = kappaPoint(samples, width, ({ judgeDifferences }) =>
      judgeDifferences.length === 0 ? null : meanOf(judgeDifferences.slice(0, width)),
    )(tau);
    if (point !== null) points.push(point);
  }
  return {
    figure: linePlot({
      title: 'Agreement with people by width',
      x: { label: 'judges of the first layer' },
      y: { label: 'kappa', format: 'share' },
      series: [{ name: 'mean of the first judges', points }],
    }),
    caption:
      'Kappa of the mean scores of the first judges alone, without discussion; samples with ' +
      'fewer judges have all of theirs. Bands are 95 % bootstrap intervals.',
  };
}

/** Agreement after each layer; null for one layer. */
export function depthFigure(samples: readonly JudgedSample[], tau: number): CaptionedFigure | null {
  const deepest = Math.max(0, ...samples.map(({ layerDifferences }) => layerDifferences.length));
  if (deepest < 2) return null;
  const series = (['this layer alone', 'all layers up to it'] as const).map((name) => {
    const points: LinePoint[] = [];
    for (let layer = 1; layer <= deepest; layer += 1) {
      const point = kappaPoint(samples, layer, ({ layerDifferences: found }) => {
        if (found.length === 0) return null;
        const at = Math.min(layer, found.length);
        return name === 'this layer alone' ? found[at - 1]! : meanOf(found.slice(0, at));
      })(tau);
      if (point !== null) points.push(point);
    }
    return { name, points };
  });
  return {
    figure: linePlot({
      title: 'Agreement with people by depth',
      x: { label: 'layer' },
      y: { label: 'kappa', format: 'share' },
      series,
    }),
    caption:
      'Layer 1 is judges alone; from layer 2 on they have read each other. ' +
      'Bands are 95 % bootstrap intervals.',
  };
}

function kappaPoint(
  samples: readonly JudgedSample[],
  x: number,
  differenceOf: (sample: JudgedSample) => number | null,
): (tau: number) => LinePoint | null {
  return (tau) => {
    const pairs = samples.flatMap((sample) => {
      const difference = differenceOf(sample);
      if (sample.gold === null || difference === null) return [];
      return [{ gold: sample.gold, predicted: verdictOf(difference, tau) }];
    });
    if (pairs.length === 0) return null;
    const random = createRandom(1).fork(`kappa at ${x}`);
    const { kappa } = verdictMetrics(pairs, { random, resamples: RESAMPLES });
    return { x, y: kappa.value, low: kappa.low, high: kappa.high };
  };
}

function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return null;
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}

/** What people say against what the network says. */
export function confusionFigure({ overall }: Agreement): CaptionedFigure {
  const names = { '1': 'answer 1', '2': 'answer 2', tie: 'tie' } as const;
  const hasNone = overall.unjudged > 0;
  const columns = [...verdicts.map((verdict) => names[verdict]), ...(hasNone ? ['none'] : [])];
  return {
    figure: heatmap({
      title: 'People against the network',
      rows: verdicts.map((verdict) => names[verdict]),
      columns,
      rowLabel: 'people',
      columnLabel: 'network',
      values: overall.confusion.map((row) => row.slice(0, columns.length)),
      value: { label: 'pairs' },
    }),
    caption: 'On the diagonal both agree.',
  };
}

/** Accuracy by how far apart the mean scores are; null for too few samples. */
export function marginFigure(samples: readonly JudgedSample[]): CaptionedFigure | null {
  const scored = samples.flatMap(({ aggregates: { avgAll }, gold, verdict }) =>
    avgAll === null || gold === null
      ? []
      : [{ margin: Math.abs(avgAll.U - avgAll.V), isRight: verdict === gold }],
  );
  if (scored.length < leastForMargins) return null;
  const bars = marginEnds.slice(0, -1).flatMap((from, at) => {
    const to = marginEnds[at + 1]!;
    const own = scored.filter(({ margin }) => margin >= from && margin < to);
    if (own.length === 0) return [];
    const right = own.filter(({ isRight }) => isRight).length;
    const { low, high } = wilson(right, own.length);
    const end = Number.isFinite(to) ? `${from} to ${to}` : `${from} and more`;
    return [{ label: `${end} (n = ${own.length})`, value: right / own.length, low, high }];
  });
  return {
    figure: barPlot({
      title: 'Accuracy by the difference of mean scores',
      value: { label: 'share of right verdicts', ...share },
      bars,
    }),
    caption:
      'The further apart the scores, the more the verdict should be right; whiskers are 95 % ' +
      'intervals (Wilson).',
  };
}

const leastForMargins = 20;
const marginEnds = [0, 0.25, 0.5, 1, 2, 3, Number.POSITIVE_INFINITY];

/** Accuracy and kappa of data sets, categories or abilities; null for one group. */
export function groupFigure(
  title: string,
  groups: readonly GroupMetrics[],
): CaptionedFigure | null {
  if (groups.length < 2) return null;
  return {
    figure: groupedBarPlot({
      title,
      value: { label: 'accuracy, kappa', ...share },
      groups: groups.map(({ name, n, accuracy, kappa }) => ({
        label: `${name} (n = ${n})`,
        bars: [
          { label: 'accuracy', value: accuracy.value, low: accuracy.low, high: accuracy.high },
          {
            label: 'kappa',
            value: Math.max(0, kappa.value),
            low: Math.max(0, kappa.low),
            high: Math.max(0, kappa.high),
          },
        ],
      })),
    }),
    caption: 'Whiskers are 95 % bootstrap intervals; a kappa below 0 is drawn as 0.',
  };
}

/** The most frequent angles; null where judges have none. */
export function rolesFigure({ roles }: NetworkStatistics): CaptionedFigure | null {
  if (roles.frequent.length === 0) return null;
  const bars = roles.frequent.map(({ name, count }) => ({ label: name, value: count }));
  return {
    figure: barPlot({ title: 'Most frequent angles', value: { label: 'pairs' }, bars }),
    caption: `Each pair was judged from ${formatShare(roles.mean, 1)} angles on average.`,
  };
}

/** What the order of the answers does, as a sentence. */
export function positionSentence({ position }: NetworkStatistics): string {
  const { conflictRate, firstPreference, swapConsistency } = position;
  if (conflictRate === null) return 'Judges saw each pair in one order alone.';
  const first = firstPreference === null ? 'n/a' : formatPercent(firstPreference);
  const same = swapConsistency === null ? 'n/a' : formatPercent(swapConsistency);
  return (
    `With the order of answers ${formatPercent(conflictRate)} of judges change their verdict; ` +
    `of answers that prefer one, ${first} prefer what was shown first. From either order alone ` +
    `${same} of pairs have the same verdict.`
  );
}
