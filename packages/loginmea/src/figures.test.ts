import '@lab/core/testing';
import type { CaptionedFigure } from '@lab/report';
import { describe, expect, it } from 'vitest';
import { smallData, withImages } from './__fixtures__/small-task.js';
import type { LoginmeaEpochRecord } from './epoch-record.js';
import { coverageFigure, lossFigures, weightFigures, weightHistogram } from './figures.js';
import type { Modality } from './modalities.js';

const record = (epoch: number, extra: Partial<LoginmeaEpochRecord> = {}): LoginmeaEpochRecord => ({
  epoch,
  learningRate: 0.005,
  loss: 8 - 2 * epoch,
  batches: [4 - epoch, 4 - epoch],
  seeds: 10,
  earlyWeights: [0.5, 0.2, 0.3],
  ...extra,
});

const measured = { modalityWeights: { relation: 0.75, attribute: 0.25 }, fusedNorm: 0.4 };
const present: Modality[] = ['relation', 'attribute'];

const titles = (figures: readonly CaptionedFigure[]) => figures.map(({ figure }) => figure.title);

/** The drawn values of a figure, line by line, without the head. */
const rowsOf = ({ figure }: CaptionedFigure) => figure.csv.trim().split(/\r?\n/).slice(1);

describe('figures over the epochs', () => {
  it('have the loss of a batch and the learning rate', () => {
    const figures = lossFigures([record(0), record(1, { learningRate: 0.001 })]);
    expect(titles(figures)).toEqual(['Loss of the seed pairs', 'Learning rate']);
    expect(rowsOf(figures[0]!)).toEqual(['loss,1,4', 'loss,2,3']);
    expect(rowsOf(figures[1]!)).toEqual(['learning rate,1,0.005', 'learning rate,2,0.001']);
  });

  it('have the weights of the modalities at hand, each with its own numbers', () => {
    const figures = weightFigures([record(0), record(1, measured)], present);
    expect(titles(figures)).toEqual([
      'Weights of the modalities, mean over the entities',
      'Weights of the joined modalities',
      'Length of the fused vectors',
    ]);
    expect(rowsOf(figures[0]!)).toEqual(['relation,2,0.75', 'attribute,2,0.25']);
    // The early weights are listed for image, relation and attribute.
    expect(rowsOf(figures[1]!)).toEqual([
      'relation,1,0.2',
      'relation,2,0.2',
      'attribute,1,0.3',
      'attribute,2,0.3',
    ]);
    expect(rowsOf(figures[2]!)).toEqual(['mean length,2,0.4']);
  });

  it('leave out what was not recorded', () => {
    expect(titles(weightFigures([record(0)], present))).toEqual([
      'Weights of the joined modalities',
    ]);
    const { earlyWeights: _weights, ...bare } = record(0);
    expect(weightFigures([bare], [])).toEqual([]);
  });
});

/** Half a bin of a histogram of weights, at most. */
const binWidth = { atol: 0.011, rtol: 0 };

describe('figures over the entities', () => {
  const data = withImages(smallData(2), 3); // entities 0 and 2 of four have an image
  const all: Modality[] = ['image', 'relation'];
  const findings = (weights: readonly number[]) => ({
    weights: Float32Array.from(weights),
    fusedNorms: null,
  });

  /** Middles of the bins of a line of a histogram, each as often as it has values. */
  const middlesOf = (figure: CaptionedFigure, name: string): number[] =>
    rowsOf(figure)
      .filter((row) => row.replaceAll('"', '').startsWith(`${name},`))
      .flatMap((row) => {
        const [from, to, count] = row.split(',').slice(-4).map(Number);
        return Array.from({ length: count! }, () => (from! + to!) / 2);
      });

  const weights = [0.9, 0.1, 0.8, 0.2, 0.7, 0.3, 0.9, 0.1];

  it('count the weights of each modality', () => {
    const [figure] = weightHistogram(all, findings(weights));
    expect(figure!.figure.title).toBe('Weights of the modalities');
    expect(middlesOf(figure!, 'image')).toBeClose([0.7, 0.8, 0.9, 0.9], binWidth);
    expect(middlesOf(figure!, 'relation')).toBeClose([0.1, 0.1, 0.2, 0.3], binWidth);
  });

  it('tell entities with an image from those without', () => {
    const [figure] = coverageFigure(all, findings(weights), data.images);
    expect(middlesOf(figure!, 'entities with image')).toBeClose([0.7, 0.9], binWidth);
    expect(middlesOf(figure!, 'without, vector put in')).toBeClose([0.8, 0.9], binWidth);
  });

  it('are none without weights, for one modality, without images or with all of them', () => {
    const found = findings(weights);
    const nothing = { weights: null, fusedNorms: null };
    expect(weightHistogram(all, null)).toEqual([]);
    expect(weightHistogram(all, nothing)).toEqual([]);
    expect(weightHistogram(['relation'], findings([1, 1, 1, 1]))).toEqual([]);
    expect(coverageFigure(all, nothing, data.images)).toEqual([]);
    expect(coverageFigure(all, found, null)).toEqual([]);
    expect(coverageFigure(['relation', 'attribute'], found, data.images)).toEqual([]);
    const images = {
      dimension: 1,
      entities: Int32Array.of(0, 1, 2, 3),
      vectors: Float32Array.of(1),
    };
    expect(coverageFigure(all, found, images)).toEqual([]);
  });

  it('are none where images are masked: who has none has weight 0', () => {
    const masked = findings([0.9, 0.1, 0, 1, 0.7, 0.3, 0, 1]);
    expect(coverageFigure(all, masked, data.images)).toEqual([]);
  });
});
