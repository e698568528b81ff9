import { ConfigError, DataError } from '@lab/core';
import { requireSameLength } from './interval.js';

/** Right or wrong, per sample: true or 1, false or 0. */
export type BinaryLabels = ArrayLike<boolean | number>;

/**
 * Area under the ROC curve: the chance that a positive scores above a negative, ties one half.
 *
 * `(sum of mean ranks of the positives - P(P+1)/2) / (P * N)`. Source: Mann and Whitney 1947.
 *
 * @param scores - higher means more likely positive.
 * @param labels - true or 1 for positive.
 * @throws {ShapeError} when the lengths differ.
 * @throws {DataError} when one class is empty or a score is not a number.
 */
export function auroc(scores: ArrayLike<number>, labels: BinaryLabels): number {
  requireSameLength(scores, labels, 'metrics/calibration');
  const order = orderByScore(scores);
  let positives = 0;
  let rankSum = 0;
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && scores[order[end]!] === scores[order[start]!]) end += 1;
    const meanRank = (start + 1 + end) / 2;
    for (let place = start; place < end; place++) {
      if (!labels[order[place]!]) continue;
      positives += 1;
      rankSum += meanRank;
    }
    start = end;
  }
  const negatives = order.length - positives;
  requireBothClasses(positives, negatives);
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** One bin of a reliability diagram. Means are NaN when the bin is empty. */
export interface ReliabilityBin {
  readonly low: number;
  readonly high: number;
  readonly count: number;
  /** Mean predicted probability in the bin. */
  readonly confidence: number;
  /** Share of positives in the bin. */
  readonly accuracy: number;
}

/**
 * Expected calibration error and the equal-width bins it is made of.
 *
 * `ece = sum_b (n_b / n) |accuracy_b - confidence_b|`; bins are `(low, high]`, the first closed.
 *
 * @param probabilities - predicted probability of being positive, 0..1.
 * @param labels - true or 1 for positive.
 * @param options - `bins`: number of bins, default 10.
 * @throws {DataError} when there is no sample or a probability is outside 0..1.
 */
export function expectedCalibrationError(
  probabilities: ArrayLike<number>,
  labels: BinaryLabels,
  { bins: binCount = 10 }: { bins?: number } = {},
): { ece: number; bins: ReliabilityBin[] } {
  requireProbabilities(probabilities, labels);
  if (!(Number.isInteger(binCount) && binCount > 0)) {
    throw new ConfigError(`metrics/calibration: bins is ${binCount}, allowed are 1, 2, ...`);
  }
  const sums = Array.from({ length: binCount }, () => ({ count: 0, confidence: 0, positives: 0 }));
  for (let index = 0; index < probabilities.length; index++) {
    const probability = probabilities[index]!;
    const bin = sums[Math.max(0, Math.ceil(probability * binCount) - 1)]!;
    bin.count += 1;
    bin.confidence += probability;
    bin.positives += labels[index] ? 1 : 0;
  }
  let ece = 0;
  const bins = sums.map(({ count, confidence, positives }, index): ReliabilityBin => {
    ece += Math.abs(positives - confidence) / probabilities.length;
    return {
      low: index / binCount,
      high: (index + 1) / binCount,
      count,
      confidence: confidence / count,
      accuracy: positives / count,
    };
  });
  return { ece, bins };
}

/**
 * Brier score: mean squared difference between probability and outcome, 0 is best.
 *
 * @throws {DataError} when there is no sample or a probability is outside 0..1.
 */
export function brier(probabilities: ArrayLike<number>, labels: BinaryLabels): number {
  requireProbabilities(probabilities, labels);
  let sum = 0;
  for (let index = 0; index < probabilities.length; index++) {
    sum += (probabilities[index]! - (labels[index] ? 1 : 0)) ** 2;
  }
  return sum / probabilities.length;
}

/** Indices in increasing order of score. @throws {DataError} when a score is not a number. */
export function orderByScore(scores: ArrayLike<number>): Uint32Array {
  for (let index = 0; index < scores.length; index++) {
    if (!Number.isNaN(scores[index]!)) continue;
    throw new DataError(`metrics/calibration: score ${index} is not a number.`, {
      help: 'Find where the scores turn into NaN before comparing them.',
    });
  }
  return Uint32Array.from({ length: scores.length }, (_, index) => index).sort(
    (left, right) => scores[left]! - scores[right]! || left - right,
  );
}

/** Nothing, when both classes occur. @throws {DataError} otherwise, with both counts. */
export function requireBothClasses(positives: number, negatives: number): void {
  if (positives > 0 && negatives > 0) return;
  throw new DataError(
    `metrics/calibration: ${positives} positive and ${negatives} negative samples.`,
    { help: 'At least one of each is needed to tell them apart.' },
  );
}

function requireProbabilities(probabilities: ArrayLike<number>, labels: BinaryLabels): void {
  requireSameLength(probabilities, labels, 'metrics/calibration');
  if (probabilities.length === 0) throw new DataError('metrics/calibration: there are no samples.');
  for (let index = 0; index < probabilities.length; index++) {
    const probability = probabilities[index]!;
    if (probability >= 0 && probability <= 1) continue;
    throw new DataError(
      `metrics/calibration: probability ${index} is ${probability}, allowed are 0..1.`,
      { help: 'Turn scores into probabilities first, for example with fitPlatt.' },
    );
  }
}
