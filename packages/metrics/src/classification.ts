import { DataError } from '@lab/core';
import { requireSameLength } from './interval.js';

/** A class: its index or its name. */
export type Label = number | string;

/** Precision, recall and their harmonic mean, each 0..1; 0 where the divisor is 0. */
export interface PrecisionRecallF1 {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** The same for one class, with the number of true samples of that class. */
export interface ClassScores extends PrecisionRecallF1 {
  readonly label: Label;
  readonly support: number;
}

/** Share of samples whose predicted label is the true one, 0..1. */
export function accuracy(predicted: ArrayLike<Label>, actual: ArrayLike<Label>): number {
  requireSamples(predicted, actual);
  let right = 0;
  for (let index = 0; index < actual.length; index++) {
    if (predicted[index] === actual[index]) right += 1;
  }
  return right / actual.length;
}

/**
 * Counts of samples by true label (rows) and predicted label (columns).
 *
 * @param options - `labels`: order of rows and columns; default all that occur, sorted.
 * @throws {DataError} when a label is not among `labels`.
 */
export function confusionMatrix(
  predicted: ArrayLike<Label>,
  actual: ArrayLike<Label>,
  { labels }: { labels?: readonly Label[] } = {},
): { labels: Label[]; counts: number[][] } {
  requireSamples(predicted, actual);
  const names = labels
    ? [...labels]
    : sortedLabels([...Array.from(predicted), ...Array.from(actual)]);
  const places = new Map(names.map((name, index) => [name, index]));
  const counts = names.map(() => names.map(() => 0));
  const placeOf = (label: Label, index: number): number => {
    const place = places.get(label);
    if (place !== undefined) return place;
    throw new DataError(`metrics/classification: sample ${index} has the unknown label ${label}.`, {
      help: `Known labels: ${names.join(', ')}.`,
    });
  };
  for (let index = 0; index < actual.length; index++) {
    counts[placeOf(actual[index]!, index)]![placeOf(predicted[index]!, index)]! += 1;
  }
  return { labels: names, counts };
}

/**
 * Precision, recall and F1 of each class, averaged over classes (macro) and pooled (micro).
 *
 * `precision = TP / (TP + FP)`, `recall = TP / (TP + FN)`, `f1 = 2 TP / (2 TP + FP + FN)`.
 * Macro F1 is the mean of the classes' F1.
 *
 * @param options - `labels`: classes that count; default all that occur. Leaving out a class
 *   ("none") makes micro differ from accuracy.
 */
export function precisionRecallF1(
  predicted: ArrayLike<Label>,
  actual: ArrayLike<Label>,
  { labels }: { labels?: readonly Label[] } = {},
): { micro: PrecisionRecallF1; macro: PrecisionRecallF1; classes: ClassScores[] } {
  const matrix = confusionMatrix(predicted, actual);
  const wanted = labels ?? matrix.labels;
  const pooled = { right: 0, predicted: 0, actual: 0 };
  const classes = wanted.map((label): ClassScores => {
    const place = matrix.labels.indexOf(label);
    const row = matrix.counts[place] ?? [];
    const right = row[place] ?? 0;
    const support = row.reduce((sum, count) => sum + count, 0);
    const guesses = matrix.counts.reduce((sum, counts) => sum + (counts[place] ?? 0), 0);
    pooled.right += right;
    pooled.predicted += guesses;
    pooled.actual += support;
    return { label, support, ...scoresOf(right, guesses, support) };
  });
  const average = (key: keyof PrecisionRecallF1) =>
    classes.reduce((sum, scores) => sum + scores[key], 0) / (classes.length || 1);
  return {
    micro: scoresOf(pooled.right, pooled.predicted, pooled.actual),
    macro: { precision: average('precision'), recall: average('recall'), f1: average('f1') },
    classes,
  };
}

function scoresOf(right: number, predicted: number, actual: number): PrecisionRecallF1 {
  return {
    precision: predicted > 0 ? right / predicted : 0,
    recall: actual > 0 ? right / actual : 0,
    f1: predicted + actual > 0 ? (2 * right) / (predicted + actual) : 0,
  };
}

function sortedLabels(labels: Label[]): Label[] {
  return [...new Set(labels)].sort((left, right) => {
    if (typeof left === 'number' && typeof right === 'number') return left - right;
    const [a, b] = [String(left), String(right)];
    return a < b ? -1 : a > b ? 1 : 0;
  });
}

function requireSamples(predicted: ArrayLike<Label>, actual: ArrayLike<Label>): void {
  requireSameLength(predicted, actual, 'metrics/classification');
  if (actual.length === 0) throw new DataError('metrics/classification: there are no samples.');
}
