import { createRandom } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { fitMassMean, fitNearestCentroid } from './centroids.js';
import { cholesky, solveCholesky } from './cholesky.js';
import { type DualLinear, dualScores, predictClasses, primalWeights } from './dual-linear.js';
import { type FeatureMatrix, selectRows } from './feature-matrix.js';
import { crossProducts, gramMatrix } from './gram.js';
import { fitLda } from './lda.js';
import { fitLogistic } from './logistic.js';
import { fitLogisticOnGram } from './logistic-dual.js';
import { fitPrincipalCentroid, principalAxes } from './principal-axes.js';
import { fitScaler, scaleRows } from './scaler.js';
import { fisherRatio, silhouette } from './separation.js';

/** Clouds around points of a class each; each class lies out along a feature. */
function clouds(counts: readonly number[], width: number) {
  const random = createRandom(17);
  const labels = counts.flatMap((count, label) => Array.from({ length: count }, () => label));
  const values = Float64Array.from(
    labels.flatMap((label) =>
      Array.from({ length: width }, (_, f) => random.normal() + (f === label ? 8 : 0)),
    ),
  );
  const rows: FeatureMatrix = { rowCount: labels.length, columnCount: width, values };
  return { rows, labels, gram: gramMatrix(rows) };
}

const learners = {
  lda: (gram: Float64Array, labels: number[]) => fitLda(gram, labels, { featureCount: 4 }),
  logistic: fitLogisticOnGram,
  'nearest-centroid': fitNearestCentroid,
  pca: fitPrincipalCentroid,
};

describe.each(Object.entries(learners))('%s', (_, fit) => {
  it.each([[[12, 9]], [[12, 9, 11]]])('tells %j rows apart', (counts) => {
    const { rows, labels, gram } = clouds(counts, 4);
    const model = fit(gram, labels);
    const scores = dualScores(model, gram);
    expect(Array.from(predictClasses(model.classes, scores))).toEqual(labels);
    // The same scores from weights of features.
    const weights = primalWeights(model as DualLinear, rows);
    scores.forEach((score, at) => {
      const [row, o] = [Math.floor(at / model.outputCount), at % model.outputCount];
      let sum = model.intercepts[o]!;
      for (let f = 0; f < 4; f += 1) sum += weights[o * 4 + f]! * rows.values[row * 4 + f]!;
      expect(sum).toBeCloseTo(score, 6);
    });
  });

  it('gives a second and a third class of other numbers their own labels', () => {
    const { labels, gram } = clouds([5, 6], 4);
    const model = fit(
      gram,
      labels.map((label) => (label === 0 ? 3 : 7)),
    );
    expect(Array.from(model.classes)).toEqual([3, 7]);
  });
});

describe('fitMassMean', () => {
  it('is the nearest centroid of equal classes, along the difference of the means', () => {
    const { rows, labels, gram } = clouds([10, 10], 3);
    const [mass, nearest] = [fitMassMean(gram, labels), fitNearestCentroid(gram, labels)];
    expect(Array.from(mass.coefficients)).toEqual(Array.from(nearest.coefficients));
    expect(mass.intercepts[0]).toBeCloseTo(nearest.intercepts[0]!, 9);
    const [first, second] = primalWeights(mass, rows);
    expect(first).toBeLessThan(-6);
    expect(second).toBeGreaterThan(6);
  });

  it('has its threshold at the mean of all rows', () => {
    const { labels, gram } = clouds([30, 10], 3);
    const scores = dualScores(fitMassMean(gram, labels), gram);
    expect(scores.reduce((sum, score) => sum + score, 0)).toBeCloseTo(0, 6);
    expect(() =>
      fitMassMean(
        gram,
        labels.map((_, row) => row % 3),
      ),
    ).toThrow(/3 classes/);
  });
});

describe('fitLogisticOnGram', () => {
  it('is fitLogistic on standardised features', () => {
    const { rows, labels } = clouds([8, 14], 5);
    const scaled = scaleRows(fitScaler(rows), rows);
    const model = fitLogisticOnGram(gramMatrix(scaled), labels, { l2: 0.3 });
    const lists = labels.map((_, row) => Array.from(scaled.values.subarray(5 * row, 5 * row + 5)));
    const direct = fitLogistic(lists, labels, { l2: 0.3 });
    const weights = primalWeights(model, scaled);
    direct.coefficients.forEach((value, f) => expect(weights[f]).toBeCloseTo(value, 6));
    expect(model.intercepts[0]).toBeCloseTo(direct.intercept, 5);
  });

  it('refuses a ridge of 0', () => {
    expect(() => fitLogisticOnGram(Float64Array.of(1, 0, 0, 1), [0, 1], { l2: 0 })).toThrow(/l2 0/);
  });
});

describe('principal axes', () => {
  it('point along the greatest spread, and give the rows back', () => {
    const { gram, labels } = clouds([6, 6], 3);
    const { energies, vectors } = principalAxes(gram, 2);
    expect(energies[0]).toBeGreaterThan(5 * energies[1]!);
    const along = vectors.subarray(0, 12);
    const low = Math.sign(along[0]!);
    labels.forEach((label, row) => expect(Math.sign(along[row]!)).toBe(label === 0 ? low : -low));
    expect(along.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 9);
  });

  it('have no length beyond the rank of the rows', () => {
    const rows = { rowCount: 3, columnCount: 1, values: Float64Array.of(1, 2, 6) };
    const { energies } = principalAxes(gramMatrix(rows), 2);
    expect(energies[0]).toBeCloseTo(14, 9);
    expect(energies[1]).toBeLessThan(1e-9);
    expect(() => principalAxes(gramMatrix(rows), 4)).toThrow(/4 axes/);
  });
});

describe('separation', () => {
  it('is high for classes that lie apart and about 0 for labels without meaning', () => {
    const { labels, gram } = clouds([20, 20], 3);
    expect(silhouette(gram, labels)).toBeGreaterThan(0.6);
    expect(fisherRatio(gram, labels)).toBeGreaterThan(3);
    const mixed = labels.map((_, row) => row % 2);
    expect(Math.abs(silhouette(gram, mixed))).toBeLessThan(0.1);
    expect(fisherRatio(gram, mixed)).toBeLessThan(0.1);
  });

  it('knows classes without spread, and rows without any', () => {
    const rows = { rowCount: 4, columnCount: 1, values: Float64Array.of(1, 1, 5, 5) };
    expect(fisherRatio(gramMatrix(rows), [0, 0, 1, 1])).toBe(Number.POSITIVE_INFINITY);
    expect(silhouette(gramMatrix(rows), [0, 0, 1, 1])).toBe(1);
    const same = { ...rows, values: Float64Array.of(2, 2, 2, 2) };
    expect(fisherRatio(gramMatrix(same), [0, 0, 1, 1])).toBe(0);
    expect(silhouette(gramMatrix(same), [0, 0, 0, 1])).toBe(0);
  });

  it('weighs spread between means against spread within', () => {
    const rows = { rowCount: 4, columnCount: 1, values: Float64Array.of(0, 2, 4, 6) };
    // Means 1 and 5 about 3: 4 * 4 between; 4 * 1 within.
    expect(fisherRatio(gramMatrix(rows), [0, 0, 1, 1])).toBeCloseTo(4, 10);
  });
});

describe('fitLda', () => {
  it('says the most frequent class where nothing varies, and refuses a shrinkage of 0', () => {
    const gram = new Float64Array(25).fill(9);
    const model = fitLda(gram, [0, 1, 1, 1, 0], { featureCount: 3 });
    expect(new Set(predictClasses(model.classes, dualScores(model, gram)))).toEqual(new Set([1]));
    expect(() => fitLda(gram, [0, 1, 1, 1, 0], { featureCount: 3, shrinkage: 0 })).toThrow(/0 < s/);
    expect(() => fitLda(gram, [0, 1], { featureCount: 3 })).toThrow(/25 inner products/);
  });
});

describe('scaler', () => {
  it('gives mean 0 and deviation 1, and leaves what does not vary', () => {
    const values = Float64Array.of(1, 0.1, 3, 0.1, 5, 0.1);
    const rows: FeatureMatrix = { rowCount: 3, columnCount: 2, values };
    const scaler = fitScaler(rows);
    expect(scaler.constantCount).toBe(1);
    expect(scaler.scales[1]).toBe(1);
    const scaled = scaleRows(scaler, rows).values;
    expect(scaled[0]).toBeCloseTo(-Math.sqrt(1.5), 12);
    expect(scaled[1]).toBeCloseTo(0, 12);
    expect(() => scaleRows(scaler, { ...rows, columnCount: 3 })).toThrow(/3 wide/);
  });
});

describe('parts', () => {
  it('solve a system by its factor', () => {
    const factor = cholesky(Float64Array.of(4, 2, 2, 3), 2);
    expect(Array.from(solveCholesky(factor, [2, 5]), (x) => Number(x.toFixed(12)))).toEqual([
      -0.5, 2,
    ]);
  });

  it('copy rows in the order asked for', () => {
    const rows = { rowCount: 3, columnCount: 2, values: Float32Array.of(1, 2, 3, 4, 5, 6) };
    expect(Array.from(selectRows(rows, [2, 0]).values)).toEqual([5, 6, 1, 2]);
  });

  it('refuse products and rows that do not belong to the model', () => {
    const { rows, labels, gram } = clouds([3, 3], 2);
    const model = fitNearestCentroid(gram, labels);
    expect(() => dualScores(model, gram.subarray(1))).toThrow(/35 products/);
    expect(() => primalWeights(model, selectRows(rows, [0]))).toThrow(/6 rows, given are 1/);
    expect(crossProducts(rows, rows)).toEqual(gram);
  });
});
