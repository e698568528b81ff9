/**
 * The pictures of a run that this method has beside the shared ones.
 */
import { epochAxis, hasPoints, modalities, series } from '@lab/alignment';
import { type CaptionedFigure, createSeriesColors, linePlot, type LinePlotSpec } from '@lab/report';
import type { IbmeaConfig } from './config.js';
import type { IbmeaEpochRecord } from './epoch-record.js';
import { fusionSlots } from './fusion.js';
import { klWeight } from './losses.js';

/** A modality has the same colour in every figure. */
const colors = createSeriesColors([...modalities]);

/** Mean over the batches of one loss term. */
function meanTerm(
  record: IbmeaEpochRecord,
  read: (batch: IbmeaEpochRecord['batches'][number]) => number,
) {
  return record.batches.reduce((sum, batch) => sum + read(batch), 0) / record.batches.length;
}

/** Contrastive and KL terms per modality, the hybrid loss and the learning rate. */
export function lossFigures(
  epochs: readonly IbmeaEpochRecord[],
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
    plot(
      'Learning rate',
      { label: 'rate', hasZero: true },
      [rate],
      'Linear warm-up, then a cosine.',
    ),
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
export function modelFigures(epochs: readonly IbmeaEpochRecord[]): CaptionedFigure[] {
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
              y: { label: 'weight', format: 'share' },
              series: weights,
              colors,
            }),
            caption:
              'Weight of each modality in the fused vector, the same for all entities; one that ' +
              'the data lack keeps its share.',
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
