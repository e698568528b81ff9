/**
 * The pictures of a run.
 */
import { formatCount } from '@lab/core';
import { wilson } from '@lab/metrics';
import {
  barPlot,
  type CaptionedFigure,
  createSeriesColors,
  histogram,
  linePlot,
  type LinePlotSpec,
  reliabilityPlot,
  scatterPlot,
} from '@lab/report';
import type { PairAnalysis } from './analysis.js';
import type { FittedConfidence, RunSummary } from './run-summary.js';
import { type IbmeaConfig, modalities } from './config.js';
import { klWeight } from './losses.js';
import { fusionSlots } from './fusion.js';
import type { EpochRecord } from './epoch-record.js';

/** Points of one number per epoch; epochs without it are left out. */
function series(
  name: string,
  epochs: readonly EpochRecord[],
  value: (record: EpochRecord) => number | null | undefined,
) {
  const points = epochs.flatMap((record) => {
    const y = value(record);
    return y === null || y === undefined || !Number.isFinite(y) ? [] : [{ x: record.epoch + 1, y }];
  });
  return { name, points };
}

/** A modality has the same colour in every figure. */
const colors = createSeriesColors([...modalities]);

const hasPoints = ({ points }: { readonly points: readonly unknown[] }) => points.length > 0;
const epochAxis = { label: 'epoch' };

/** Mean over the batches of one loss term. */
function meanTerm(record: EpochRecord, read: (batch: EpochRecord['batches'][number]) => number) {
  return record.batches.reduce((sum, batch) => sum + read(batch), 0) / record.batches.length;
}

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

/** Contrastive and KL terms per modality, the hybrid loss and the learning rate. */
export function lossFigures(
  epochs: readonly EpochRecord[],
  config: IbmeaConfig,
): CaptionedFigure[] {
  const present = modalities.filter((m) => epochs[0]?.batches[0]?.infoNce[m] !== undefined);
  const infoNce = present.map((m) =>
    series(m, epochs, (e) => meanTerm(e, (batch) => batch.infoNce[m] ?? 0)),
  );
  const priced = present.filter((m) => epochs[0]?.batches[0]?.kl[m] !== undefined);
  const kl = priced.map((m) => series(m, epochs, (e) => e.batches[0]?.kl[m]));
  const paid = priced.map((m) =>
    series(m, epochs, (e) => (e.batches[0]?.kl[m] ?? 0) * klWeight(m, config.loss)),
  );
  const hybrid = series('hybrid', epochs, (e) => meanTerm(e, (batch) => batch.hybrid ?? 0));
  const rate = series('learning rate', epochs, (e) => e.learningRate);
  const plot = (title: string, y: LinePlotSpec['y'], lines: typeof infoNce, caption: string) => ({
    figure: linePlot({ title, x: epochAxis, y, series: lines, colors }),
    caption,
  });
  return [
    plot(
      'InfoNCE per modality',
      { label: 'loss, nats' },
      infoNce,
      'How well each modality alone tells seed pairs apart; lower is better.',
    ),
    plot(
      'Hybrid loss',
      { label: 'loss' },
      [hybrid],
      'The loss of the fused vectors, before its weight.',
    ),
    ...(priced.length === 0
      ? []
      : [
          plot(
            'Information kept per modality',
            logAxis('KL divergence, nats', kl),
            kl,
            'The KL divergence bounds what a modality still tells about its input.',
          ),
          plot(
            'Price of the bottlenecks',
            logAxis('beta times KL', paid),
            paid,
            'What each bottleneck adds to the loss that is minimised.',
          ),
        ]),
    plot('Learning rate', { label: 'rate' }, [rate], 'Linear warm-up, then a cosine.'),
  ];
}

/**
 * A logarithmic axis where all values allow it: the terms of the modalities differ by orders of
 * magnitude, and so do the first epochs from the later ones.
 */
function logAxis(label: string, lines: readonly { points: readonly { y: number }[] }[]) {
  return { label, isLog: lines.every(({ points }) => points.every(({ y }) => y > 0)) };
}

/** Fusion weights and mean posterior deviations over the epochs. */
export function modelFigures(epochs: readonly EpochRecord[]): CaptionedFigure[] {
  const weights = modalities
    .filter((m) => epochs[0]?.batches[0]?.infoNce[m] !== undefined)
    .map((m) => series(m, epochs, (e) => e.fusionWeights?.[fusionSlots.indexOf(m)]))
    .filter(hasPoints);
  const scales = modalities
    .map((m) => series(m, epochs, (e) => e.meanScale?.[m]))
    .filter(hasPoints);
  return [
    ...(weights.length === 0
      ? []
      : [
          {
            figure: linePlot({
              title: 'Fusion weights',
              x: epochAxis,
              y: { label: 'weight' },
              series: weights,
              colors,
            }),
            caption: 'Weight of each modality in the fused vector, the same for all entities.',
          },
        ]),
    ...(scales.length === 0
      ? []
      : [
          {
            figure: linePlot({
              title: 'Mean posterior deviation',
              x: epochAxis,
              y: { label: 'standard deviation' },
              series: scales,
              colors,
            }),
            caption: 'How uncertain the encoders are on average; measured at every evaluation.',
          },
        ]),
  ];
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
export function pairFigures(pairs: readonly PairAnalysis[]): CaptionedFigure[] {
  if (pairs.length === 0) return [];
  const figures: CaptionedFigure[] = [
    {
      figure: histogram({
        title: 'Similarity of true and of the hardest wrong pairs',
        x: { label: 'cosine of the fused vectors' },
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
  const uncertain = pairs.flatMap(({ scale, rank }) =>
    scale === null ? [] : [{ x: scale, y: rank === 0 ? 11 : rank }],
  );
  if (uncertain.length > 0) {
    figures.push({
      figure: scatterPlot({
        title: 'Posterior deviation and rank of the true counterpart',
        x: { label: 'mean deviation of the graph posterior' },
        y: { label: 'rank (11: beyond the tenth)' },
        series: [{ name: 'test pairs', points: uncertain }],
      }),
      caption: 'Whether the encoder is less certain where it errs.',
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
      `calibration error ${quality.ece.toFixed(3)}, AUROC ${quality.auroc.toFixed(3)} ` +
      `(margin alone ${quality.marginAuroc.toFixed(3)}).`,
  };
}
