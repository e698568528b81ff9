/**
 * The pictures of a run that every method has.
 */
import { formatCount, formatShare } from '@lab/core';
import { wilson } from '@lab/metrics';
import {
  barPlot,
  type CaptionedFigure,
  histogram,
  linePlot,
  reliabilityPlot,
  scatterPlot,
} from '@lab/report';
import type { PairAnalysis } from './analysis.js';
import type { FittedConfidence, RunSummary } from './run-summary.js';
import type { EpochRecord } from './epoch-record.js';
import { epochAxis, hasPoints, series } from './epoch-series.js';

/** H@1 and MRR of the test pairs, else of the validation pairs, over the epochs. */
export function metricsFigure(
  epochs: readonly EpochRecord[],
  summary: RunSummary,
): CaptionedFigure | null {
  const isTested = epochs.some(({ evaluation }) => evaluation !== undefined);
  const name = isTested ? 'test' : 'validation';
  const measured = (e: EpochRecord) => (isTested ? e.evaluation : e.validation);
  const lines = [
    series('H@1 KG1 to KG2', epochs, (e) => measured(e)?.forward['hits@1']),
    series('H@1 KG2 to KG1', epochs, (e) => measured(e)?.backward['hits@1']),
    series('MRR KG1 to KG2', epochs, (e) => measured(e)?.forward.mrr),
  ].filter(hasPoints);
  if (lines.length === 0) return null;
  const baseline = summary.baseline?.forward['hits@1'];
  const references = baseline === undefined ? [] : [{ y: baseline, label: 'baseline H@1' }];
  return {
    figure: linePlot({
      title: `${isTested ? 'Test' : 'Validation'} pairs found over the training`,
      x: epochAxis,
      y: { label: `share of ${name} pairs`, format: 'share' },
      series: lines,
      references,
    }),
    caption:
      `Share of ${name} pairs whose counterpart is ranked first, and mean reciprocal rank. ` +
      'A curve that falls again says that training went on too long.',
  };
}

/** Accepted pseudo seeds and how many of them are right. */
export function pseudoSeedFigure(epochs: readonly EpochRecord[]): CaptionedFigure | null {
  let accepted = 0;
  let correct = 0;
  const rounds = epochs.flatMap((record) => {
    const round = record.pseudoSeeds;
    if (round === undefined || round.accepted === 0) return [];
    accepted += round.accepted - round.removed;
    correct += round.correct - round.removedCorrect;
    return [{ x: record.epoch + 1, accepted, correct }];
  });
  if (rounds.length === 0) return null;
  return {
    figure: linePlot({
      title: 'Pseudo seeds',
      x: epochAxis,
      y: { label: 'pairs', hasZero: true },
      series: [
        { name: 'accepted', points: rounds.map(({ x, accepted: y }) => ({ x, y })) },
        { name: 'correct', points: rounds.map(({ x, correct: y }) => ({ x, y })) },
      ],
    }),
    caption: 'Pairs that the model added to its own seeds, and those among the gold links.',
  };
}

/** Similarities of true and of the hardest wrong pairs; deviation against rank; degree. */
export function pairFigures(
  pairs: readonly PairAnalysis[],
  uncertaintyLabel = 'uncertainty',
): CaptionedFigure[] {
  if (pairs.length === 0) return [];
  const figures: CaptionedFigure[] = [
    {
      figure: histogram({
        title: 'Similarity of true and of the hardest wrong pairs',
        x: { label: 'cosine of the vectors' },
        series: [
          { name: 'true pairs', values: pairs.map(({ trueCosine }) => trueCosine) },
          { name: 'hardest wrong pairs', values: pairs.map(({ falseCosine }) => falseCosine) },
        ],
      }),
      caption: 'The less the two overlap, the safer a threshold on the similarity.',
    },
    {
      figure: barPlot({
        title: 'H@1 by number of triples',
        value: { label: 'H@1', format: 'share' },
        bars: degreeBars(pairs),
      }),
      caption:
        'Among all entities without a seed. Those with few triples are hard to align; ' +
        'whiskers are 95 % intervals.',
    },
  ];
  const uncertain = pairs.flatMap(({ uncertainty: x, rank }) =>
    x === null ? [] : [{ x, y: rank === 0 ? 11 : rank }],
  );
  if (uncertain.length > 0) {
    figures.push({
      figure: scatterPlot({
        title: 'Uncertainty and rank of the true counterpart',
        x: { label: uncertaintyLabel },
        y: { label: 'rank (11: beyond the tenth)' },
        series: [{ name: 'test pairs', points: uncertain }],
      }),
      caption: 'Dots to the right at high ranks: the model is less certain where it errs.',
    });
  }
  return figures;
}

function degreeBars(pairs: readonly PairAnalysis[]) {
  const buckets = [
    { label: '0-2', low: 0, high: 2 },
    { label: '3-5', low: 3, high: 5 },
    { label: '6-10', low: 6, high: 10 },
    { label: '11-20', low: 11, high: 20 },
    { label: 'over 20', low: 21, high: Number.POSITIVE_INFINITY },
  ];
  return buckets.flatMap(({ label, low, high }) => {
    const inside = pairs.filter(({ degree }) => degree >= low && degree <= high);
    if (inside.length === 0) return [];
    const hits = inside.filter(({ rank }) => rank === 1).length;
    const value = hits / inside.length;
    return [{ label: `${label} (${inside.length})`, value, ...wilson(hits, inside.length) }];
  });
}

/** Whether a confidence of p is right p of the time. */
export function confidenceFigure(confidence: FittedConfidence | null): CaptionedFigure | null {
  const quality = confidence?.quality ?? null;
  if (confidence === null || quality === null) return null;
  return {
    figure: reliabilityPlot({
      title: 'Confidence against truth',
      bins: quality.bins,
      ece: quality.ece,
      outcome: 'share of right pairs',
    }),
    caption:
      `Fitted on ${confidence.fittedOn}, measured on ${formatCount(quality.pairs)} other pairs: ` +
      `calibration error (ECE) ${formatShare(quality.ece)}, AUROC ${formatShare(quality.auroc)} ` +
      `(margin alone ${formatShare(quality.marginAuroc)}). Dots grow with the number of pairs; ` +
      'whiskers are 95 % intervals.',
  };
}
