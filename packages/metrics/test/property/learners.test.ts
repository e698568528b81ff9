import { createRandom } from '@lab/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  crossProducts,
  type DualClassifier,
  dualScores,
  type FeatureMatrix,
  fitLda,
  fitLogisticOnGram,
  fitNearestCentroid,
  fitSvmOnGram,
  gramMatrix,
  predictClasses,
  selectRows,
  svmPredict,
} from '../../src/index.js';

/** Rows and labels of two or three classes, at least two rows of each. */
const tasks = fc
  .record({
    seed: fc.nat(),
    width: fc.integer({ min: 1, max: 40 }),
    counts: fc.array(fc.integer({ min: 2, max: 9 }), { minLength: 2, maxLength: 3 }),
    distance: fc.double({ min: 0, max: 6, noNaN: true }),
  })
  .map(({ seed, width, counts, distance }) => {
    const random = createRandom(seed);
    const labels = counts.flatMap((count, label) => Array.from({ length: count }, () => label));
    const values = Float64Array.from(
      labels.flatMap((label) =>
        Array.from({ length: width }, (_, f) => random.normal() + (f === label ? distance : 0)),
      ),
    );
    const rows: FeatureMatrix = { rowCount: labels.length, columnCount: width, values };
    return { rows, labels, order: random.permutation(labels.length) };
  });

type Learner = (gram: Float64Array, labels: number[]) => (products: Float64Array) => Int32Array;

const dual =
  (fit: (gram: Float64Array, labels: number[]) => DualClassifier): Learner =>
  (gram, labels) => {
    const model = fit(gram, labels);
    return (products) => predictClasses(model.classes, dualScores(model, products));
  };

const learners: Record<string, Learner> = {
  svm: (gram, labels) => {
    const model = fitSvmOnGram(gram, labels, { tolerance: 1e-9 });
    return (products) => svmPredict(model, dualScores(model, products));
  },
  logistic: dual((gram, labels) => fitLogisticOnGram(gram, labels)),
  'nearest centroid': dual(fitNearestCentroid),
  lda: dual((gram, labels) => fitLda(gram, labels, { featureCount: 10, shrinkage: 0.3 })),
};

/** Rows on the border may fall to either side by rounding. */
const MOST_DIFFERING = 1;

const differing = (one: Int32Array, other: Int32Array): number =>
  one.filter((label, row) => label !== other[row]).length;

describe.each(Object.entries(learners))('%s', (_, fit) => {
  test('does not depend on the order of the rows', () => {
    fc.assert(
      fc.property(tasks, ({ rows, labels, order }) => {
        const turned = selectRows(rows, order);
        const turnedLabels = Array.from(order, (row) => labels[row]!);
        const own = fit(gramMatrix(rows), labels)(gramMatrix(rows));
        const other = fit(gramMatrix(turned), turnedLabels)(crossProducts(rows, turned));
        expect(differing(own, other)).toBeLessThanOrEqual(MOST_DIFFERING);
      }),
      { numRuns: 40 },
    );
  });

  test('does not depend on the order of the features', () => {
    fc.assert(
      fc.property(tasks, ({ rows, labels }) => {
        const reversed = rows.values.slice();
        for (let from = 0; from < reversed.length; from += rows.columnCount) {
          reversed.subarray(from, from + rows.columnCount).reverse();
        }
        const gram = gramMatrix(rows);
        const other = gramMatrix({ ...rows, values: reversed });
        gram.forEach((value, at) => expect(other[at]).toBeCloseTo(value, 9));
        const [own, turned] = [fit(gram, labels)(gram), fit(other, labels)(other)];
        expect(differing(own, turned)).toBeLessThanOrEqual(MOST_DIFFERING);
      }),
      { numRuns: 20 },
    );
  });
});
