import { readFileSync } from 'node:fs';
import { createMersenneTwister } from '@lab/core';
import { describe, expect, test } from 'vitest';
import {
  crossProducts,
  dualScores,
  type FeatureMatrix,
  fitBagOfWords,
  fitLda,
  fitLogisticOnGram,
  fitMlp,
  fitNaiveBayes,
  fitNearestCentroid,
  fitScaler,
  fitSvm,
  gramMatrix,
  logitProbabilities,
  mlpScores,
  naiveBayesScores,
  predictClasses,
  primalWeights,
  principalAxes,
  silhouette,
  sparseProducts,
} from '../../src/index.js';

interface Task {
  readonly name: string;
  readonly seed: number;
  readonly rows: number;
  readonly columns: number;
  readonly labels: string;
}

interface SvmTask extends Task {
  readonly settings: { readonly kernel: 'linear' | 'rbf'; readonly C: number };
  readonly weights?: number[];
  readonly intercepts: number[];
  readonly decisions: number[];
  readonly support: number;
  readonly predicted: string;
}

interface MlpTask extends Task {
  readonly losses: number[];
  readonly probabilities: number[];
  readonly predicted: string;
}

interface LinearTask extends Task {
  readonly logistic?: { readonly weights: number[]; readonly intercept: number }[];
  readonly lda: { readonly shrinkage: number; readonly decisions: number[] }[];
  readonly ledoitWolf: number;
  readonly nearestCentroid: string;
  readonly silhouette: number;
  readonly energies: number[];
  readonly scaler: { readonly means: number[]; readonly scales: number[] };
}

const golden = JSON.parse(readFileSync(new URL('learn.json', import.meta.url), 'utf8')) as {
  svm: SvmTask[];
  mlp: MlpTask[];
  linear: LinearTask[];
  words: {
    texts: string[];
    labels: number[];
    unseen: string[];
    vocabulary: string[];
    products: number[];
    jointLogLikelihood: number[];
  };
};

function draw(seed: number, rowCount: number, columnCount: number): FeatureMatrix {
  const random = createMersenneTwister(seed);
  const values = Float64Array.from(
    { length: rowCount * columnCount },
    () => 2 * random.uniform() - 1,
  );
  return { rowCount, columnCount, values };
}

const rowsOf = ({ seed, rows, columns }: Task) => draw(seed, rows, columns);
const testOf = ({ seed, columns }: Task) => draw(seed + 3, 2000, columns);
const labelsOf = (digits: string) => Array.from(digits, Number);

function first({ columnCount, values }: FeatureMatrix, rowCount: number): FeatureMatrix {
  return { rowCount, columnCount, values: values.subarray(0, rowCount * columnCount) };
}

function largestGap(found: ArrayLike<number>, expected: readonly number[]): number {
  expect(found.length).toBe(expected.length);
  return expected.reduce((most, value, at) => Math.max(most, Math.abs(value - found[at]!)), 0);
}

/** Both solvers stop where violations are below 1e-6; the reference keeps kernels in float32. */
const SVM_GAP = 1e-4;

describe.each(golden.svm)('support vector machine, $name', (task) => {
  const rows = rowsOf(task);
  const labels = labelsOf(task.labels);
  const { kernel, C: cost } = task.settings;
  // scikit-learn turns the sign for two classes only.
  const sign = new Set(labels).size === 2 ? 1 : -1;

  test('the same machine at tolerance 1e-6', () => {
    const svm = fitSvm(rows, labels, { kernel, cost, tolerance: 1e-6 });
    expect(svm.model.converged).toBe(true);
    const own = svm.decisions(first(testOf(task), 100)).map((score) => sign * score);
    expect(largestGap(own, task.decisions)).toBeLessThan(SVM_GAP);
    const intercepts = svm.model.intercepts.map((value) => sign * value);
    expect(largestGap(intercepts, task.intercepts)).toBeLessThan(SVM_GAP);
    if (task.weights === undefined) return;
    const weights = svm.weights!.map((value) => sign * value);
    expect(largestGap(weights, task.weights)).toBeLessThan(SVM_GAP);
  });

  test('the same labels at the usual tolerance', () => {
    const svm = fitSvm(rows, labels, { kernel, cost });
    const predicted = svm.predict(testOf(task));
    const expected = labelsOf(task.predicted);
    const same = expected.filter((label, at) => label === predicted[at]).length;
    expect(same / expected.length).toBeGreaterThanOrEqual(0.999);
  });
});

describe.each(golden.mlp)('perceptron, $name', (task) => {
  test('the same draws, losses and predictions', () => {
    const model = fitMlp(rowsOf(task), labelsOf(task.labels));
    expect(model.losses.length).toBe(task.losses.length);
    expect(largestGap(model.losses, task.losses)).toBeLessThan(1e-6);
    const outputs = model.outputBiases.length;
    const scores = mlpScores(model, testOf(task));
    const some = logitProbabilities(scores.subarray(0, 50 * outputs), outputs);
    const both =
      outputs > 1 ? some : Float64Array.from(Array.from(some).flatMap((p) => [1 - p, p]));
    expect(largestGap(both, task.probabilities)).toBeLessThan(1e-5);
    expect(predictClasses(model.classes, scores).join('')).toBe(task.predicted);
  });
});

describe.each(golden.linear)('linear learners, $name', (task) => {
  const rows = rowsOf(task);
  const labels = labelsOf(task.labels);
  const gram = gramMatrix(rows);
  const few = crossProducts(first(testOf(task), 50), rows);

  test.each(task.logistic ?? [])('logistic regression', ({ weights, intercept }) => {
    const model = fitLogisticOnGram(gram, labels, { l2: 2 });
    expect(model.converged).toBe(true);
    expect(largestGap(primalWeights(model, rows), weights)).toBeLessThan(1e-6);
    expect(Math.abs(model.intercepts[0]! - intercept)).toBeLessThan(1e-6);
  });

  test.each(task.lda)('discriminant at shrinkage $shrinkage', ({ shrinkage, decisions }) => {
    const model = fitLda(gram, labels, { featureCount: rows.columnCount, shrinkage });
    const own = dualScores(model, few);
    const scale = Math.max(1, ...decisions.map(Math.abs));
    expect(largestGap(own, decisions) / scale).toBeLessThan(1e-8);
  });

  test('shrinkage of Ledoit and Wolf', () => {
    const model = fitLda(gram, labels, { featureCount: rows.columnCount });
    expect(model.shrinkage).toBeCloseTo(task.ledoitWolf, 10);
  });

  test('nearest centroid', () => {
    const model = fitNearestCentroid(gram, labels);
    const scores = dualScores(model, crossProducts(testOf(task), rows));
    expect(predictClasses(model.classes, scores).join('')).toBe(task.nearestCentroid);
  });

  test('separation, axes and scaler', () => {
    expect(silhouette(gram, labels)).toBeCloseTo(task.silhouette, 10);
    expect(largestGap(principalAxes(gram, 3).energies, task.energies)).toBeLessThan(1e-6);
    const { means, scales } = fitScaler(rows);
    expect(largestGap(means, task.scaler.means)).toBeLessThan(1e-10);
    expect(largestGap(scales, task.scaler.scales)).toBeLessThan(1e-10);
  });
});

describe('words', () => {
  const { texts, labels, unseen, vocabulary, products, jointLogLikelihood } = golden.words;

  test('vocabulary and naive Bayes', () => {
    const bag = fitBagOfWords(texts);
    expect(bag.vocabulary).toEqual(vocabulary);
    const model = fitNaiveBayes(bag.counts(texts), labels);
    const scores = naiveBayesScores(model, bag.counts(unseen));
    expect(largestGap(scores, jointLogLikelihood)).toBeLessThan(1e-9);
  });

  test('inverse document frequencies of words and pairs', () => {
    const bag = fitBagOfWords(texts, { mostWords: 2 });
    const rows = bag.tfIdf([...texts, ...unseen]);
    expect(largestGap(sparseProducts(rows, rows), products)).toBeLessThan(1e-10);
  });
});
