import { ConfigError } from '@lab/core';
import { type BinaryLabels, orderByScore, requireBothClasses } from './calibration.js';
import { requireSameLength } from './interval.js';

/** A threshold on scores and what it lets through. */
export interface OperatingPoint {
  /** Scores at or above it count as positive. */
  readonly threshold: number;
  readonly truePositiveRate: number;
  /** At most the rate that was asked for. */
  readonly falsePositiveRate: number;
}

/**
 * The lowest threshold whose share of false alarms stays within a limit.
 *
 * @param scores - higher means more likely positive.
 * @param labels - true or 1 for positive.
 * @param falsePositiveRate - most negatives that may score at or above it, 0..1; default .01.
 * @returns the threshold (infinite when even the highest score is too common among negatives) and
 *   the rates it gives on these samples.
 * @throws {DataError} when one class is empty or a score is not a number.
 */
export function operatingPoint(
  scores: ArrayLike<number>,
  labels: BinaryLabels,
  falsePositiveRate = 0.01,
): OperatingPoint {
  requireSameLength(scores, labels, 'metrics/roc');
  if (!(falsePositiveRate >= 0 && falsePositiveRate <= 1)) {
    throw new ConfigError(`metrics/roc: a false positive rate of ${falsePositiveRate}; use 0..1.`);
  }
  const order = orderByScore(scores).reverse();
  const positives = Array.from(order).filter((index) => labels[index]).length;
  const negatives = order.length - positives;
  requireBothClasses(positives, negatives);
  let best: OperatingPoint = {
    ...{ threshold: Number.POSITIVE_INFINITY, truePositiveRate: 0, falsePositiveRate: 0 },
  };
  let [hits, alarms] = [0, 0];
  for (let start = 0; start < order.length; ) {
    const threshold = scores[order[start]!]!;
    while (start < order.length && scores[order[start]!] === threshold) {
      if (labels[order[start]!]) hits += 1;
      else alarms += 1;
      start += 1;
    }
    if (alarms / negatives > falsePositiveRate) break;
    best = {
      ...{ threshold, truePositiveRate: hits / positives, falsePositiveRate: alarms / negatives },
    };
  }
  return best;
}
