/**
 * The pictures of a run that this method has beside the shared ones.
 */
import { epochAxis, hasPoints, modalities as known, series } from '@lab/alignment';
import type { AlignmentData } from '@lab/graph';
import { type CaptionedFigure, createSeriesColors, histogram, linePlot } from '@lab/report';
import type { LocalFindings } from './encoding.js';
import type { LoginmeaEpochRecord } from './epoch-record.js';
import { type Modality, modalities } from './modalities.js';

/** A modality has the same colour in every figure, and on the pages of every method. */
const colors = createSeriesColors([...known]);

/** Loss per seed batch and learning rate over the epochs. */
export function lossFigures(epochs: readonly LoginmeaEpochRecord[]): CaptionedFigure[] {
  const loss = series('loss', epochs, (e) => e.loss / e.batches.length);
  const rate = series('learning rate', epochs, (e) => e.learningRate);
  return [
    {
      figure: linePlot({
        title: 'Loss of the seed pairs',
        x: epochAxis,
        y: { label: 'loss of a batch' },
        series: [loss],
      }),
      caption: 'How well seed pairs are told apart, mean over the batches; lower is better.',
    },
    {
      figure: linePlot({
        title: 'Learning rate',
        x: epochAxis,
        y: { label: 'rate', hasZero: true },
        series: [rate],
      }),
      caption: 'Constant, and lower once pseudo seeds are proposed.',
    },
  ];
}

/** Weights of the modalities and length of the fused vectors over the epochs. */
export function weightFigures(
  epochs: readonly LoginmeaEpochRecord[],
  present: readonly Modality[],
): CaptionedFigure[] {
  const early = present.map((name) =>
    series(name, epochs, (e) => e.earlyWeights?.[modalities.indexOf(name)]),
  );
  const local = present.map((name) => series(name, epochs, (e) => e.modalityWeights?.[name]));
  const norm = series('mean length', epochs, (e) => e.fusedNorm);
  const plot = (title: string, lines: typeof early, caption: string) => {
    const drawn = lines.filter(hasPoints);
    if (drawn.length === 0) return [];
    const y = { label: 'weight', format: 'share' } as const;
    const figure = linePlot({ title, x: epochAxis, y, series: drawn, colors });
    return [{ figure, caption }];
  };
  return [
    ...plot(
      'Weights of the modalities, mean over the entities',
      local,
      'Each entity weighs its own modalities; measured at every evaluation.',
    ),
    ...plot(
      'Weights of the joined modalities',
      early,
      'One weight per modality in the early feature, the same for all entities; one that the ' +
        'data lack keeps its share.',
    ),
    ...(hasPoints(norm)
      ? [
          {
            figure: linePlot({
              title: 'Length of the fused vectors',
              x: epochAxis,
              y: { label: 'mean 2-norm', hasZero: true },
              series: [norm],
            }),
            caption:
              'Near 0 the low-rank fusion is silent: with the released start its products of ' +
              'three factors are about 1e-7.',
          },
        ]
      : []),
  ];
}

/** Values of one column of `[N, M]`. */
function column(weights: Float32Array, width: number, at: number): Float32Array {
  return weights.filter((_, place) => place % width === at);
}

/** How the weights of the modalities differ between the entities. */
export function weightHistogram(
  present: readonly Modality[],
  findings: LocalFindings | null,
): CaptionedFigure[] {
  const weights = findings?.weights ?? null;
  if (weights === null || present.length < 2) return [];
  return [
    {
      figure: histogram({
        title: 'Weights of the modalities',
        x: { label: 'weight in an entity' },
        series: present.map((name, at) => ({
          name,
          values: column(weights, present.length, at),
        })),
        colors,
      }),
      caption: 'Narrow peaks say that all entities weigh alike, as one global weight would.',
    },
  ];
}

/**
 * Weight of the image by whether the entity has one of its own; none where images are masked, as
 * those without have weight 0 then.
 */
export function coverageFigure(
  present: readonly Modality[],
  findings: LocalFindings | null,
  images: AlignmentData['images'],
): CaptionedFigure[] {
  const weights = findings?.weights ?? null;
  const at = present.indexOf('image');
  if (weights === null || images === null || at < 0) return [];
  const owners = new Set(images.entities);
  const own = column(weights, present.length, at);
  const without = own.filter((_, entity) => !owners.has(entity));
  if (without.every((weight) => weight === 0)) return [];
  return [
    {
      figure: histogram({
        title: 'Weight of the image',
        x: { label: 'weight in an entity' },
        series: [
          { name: 'entities with image', values: own.filter((_, entity) => owners.has(entity)) },
          { name: 'without, vector put in', values: without },
        ],
      }),
      caption: 'Whether entities without an image of their own trust the one put in less.',
    },
  ];
}
