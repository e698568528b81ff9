import { createRandom } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { predictClasses } from './dual-linear.js';
import type { FeatureMatrix } from './feature-matrix.js';
import { fitMlp, mlpEpochs, mlpScores } from './mlp.js';
import { batchGradients, logitProbabilities, type MlpParameters, turnRows } from './mlp-network.js';

/** Points near the corners of a square; the label is 1 where the coordinates differ. */
function exclusiveOr(count: number): { rows: FeatureMatrix; labels: number[] } {
  const random = createRandom(3);
  const corners = Array.from({ length: count }, (_, row) => [row & 1, (row >> 1) & 1]);
  const values = Float64Array.from(corners.flat(), (bit) => 2 * bit - 1 + 0.1 * random.normal());
  const labels = corners.map(([a, b]) => a! ^ b!);
  return { rows: { rowCount: count, columnCount: 2, values }, labels };
}

describe('fitMlp', () => {
  it('learns an exclusive or, the same from the same seed', () => {
    const { rows, labels } = exclusiveOr(40);
    const options = { hiddenCount: 20, maxEpochs: 150 };
    const model = fitMlp(rows, labels, options);
    expect(Array.from(predictClasses(model.classes, mlpScores(model, rows)))).toEqual(labels);
    expect(fitMlp(rows, labels, options).losses).toEqual(model.losses);
    const other = fitMlp(rows, labels, { ...options, seed: 43 });
    expect(other.losses).not.toEqual(model.losses);
  });

  it('ends when the loss improves no more, or after the epochs it was given', () => {
    const { rows, labels } = exclusiveOr(40);
    const patient = fitMlp(rows, labels, { tolerance: 10, patience: 2 });
    expect([patient.losses.length, patient.converged]).toEqual([4, true]);
    const short = fitMlp(rows, labels, { maxEpochs: 2 });
    expect([short.losses.length, short.converged]).toEqual([2, false]);
    const epochs = mlpEpochs(rows, labels, { maxEpochs: 2 });
    expect(epochs.next().value).toEqual({ epoch: 1, loss: short.losses[0] });
  });

  it('has the gradients of its loss', () => {
    const { rows } = exclusiveOr(6);
    const random = createRandom(9);
    const draw = (length: number) => Float64Array.from({ length }, () => random.normal());
    const parameters: MlpParameters = {
      ...{ hiddenWeights: draw(10), hiddenBiases: draw(5) },
      ...{ outputWeights: draw(15), outputBiases: draw(3) },
    };
    const turned = turnRows(rows);
    const batch = { indices: Int32Array.of(5, 1, 2, 0, 4, 3), places: [0, 1, 2, 0, 1, 2] };
    const meanLoss = () => batchGradients(parameters, turned, batch).loss / 6;
    const { gradients } = batchGradients(parameters, turned, batch);
    for (const name of Object.keys(parameters) as (keyof MlpParameters)[]) {
      for (const at of parameters[name].keys()) {
        const held = parameters[name][at]!;
        const step = 1e-6;
        parameters[name][at] = held + step;
        const above = meanLoss();
        parameters[name][at] = held - step;
        const slope = (above - meanLoss()) / (2 * step);
        parameters[name][at] = held;
        expect(gradients[name][at], `${name} ${at}`).toBeCloseTo(slope, 6);
      }
    }
  });

  it('gives probabilities that sum to 1, also of large logits', () => {
    const several = logitProbabilities(Float64Array.of(1000, 1001, -5), 3);
    expect(several.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
    expect(several[1]! / several[0]!).toBeCloseTo(Math.E, 10);
    expect(Array.from(logitProbabilities(Float64Array.of(0, 800, -800), 1))).toEqual([0.5, 1, 0]);
  });

  it('refuses what it cannot fit', () => {
    const { rows, labels } = exclusiveOr(8);
    expect(() => fitMlp(rows, labels, { hiddenCount: 0 })).toThrow(/hiddenCount is 0/);
    expect(() => fitMlp(rows, labels, { learningRate: 0 })).toThrow(/learning rate 0/);
    expect(() =>
      fitMlp(
        rows,
        labels.map(() => 1),
      ),
    ).toThrow(/all 8 samples/);
    const narrow = { rowCount: 2, columnCount: 1, values: Float64Array.of(1, 2) };
    expect(() => mlpScores(fitMlp(rows, labels, { maxEpochs: 1 }), narrow)).toThrow(/1 wide/);
  });
});
