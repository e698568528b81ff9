/**
 * The tie threshold, chosen on samples that people have judged.
 */
import { ConfigError, DataError } from '@lab/core';
import type { JudgedSample } from './judged-sample.js';
import type { Verdict } from './verdict.js';
import { verdictOf } from './verdict.js';

/** A difference of mean scores beside the verdict of people. */
export interface ScoredSample {
  /** U - V. */
  readonly difference: number;
  readonly gold: Verdict;
}

/** A threshold, and how well it does where it was chosen. */
export interface Calibration {
  readonly tau: number;
  /** Accuracy on the development samples with it, and with tau = 0. */
  readonly accuracy: number;
  readonly accuracyAtZero: number;
  readonly n: number;
}

/**
 * The tau with the highest accuracy on development samples: a difference up to tau is a tie. Of
 * equally good ones the smallest; it lies half-way between two differences that occur.
 *
 * @throws {DataError} when there are no samples.
 */
export function calibrateTau(samples: readonly ScoredSample[]): Calibration {
  if (samples.length === 0) {
    throw new DataError('widedeep-eval/calibrate: no development sample has scores and a label.', {
      help: 'give labels of people for some samples, and keep these out of the evaluation.',
    });
  }
  const sorted = samples.toSorted((a, b) => Math.abs(a.difference) - Math.abs(b.difference));
  const isRight = (sample: ScoredSample, tau: number): number =>
    Number(verdictOf(sample.difference, tau) === sample.gold);
  const start = sorted.reduce((sum, sample) => sum + isRight(sample, 0), 0);
  let [best, bestTau, right] = [start, 0, start];
  for (const [at, sample] of sorted.entries()) {
    const size = Math.abs(sample.difference);
    // From here on this sample is a tie.
    right += Number(sample.gold === 'tie') - isRight(sample, 0);
    const next = sorted[at + 1];
    const nextSize = next === undefined ? null : Math.abs(next.difference);
    if (nextSize === size || right <= best) continue;
    [best, bestTau] = [right, nextSize === null ? size : (size + nextSize) / 2];
  }
  const n = samples.length;
  return { tau: bestTau, accuracy: best / n, accuracyAtZero: start / n, n };
}

/**
 * The samples that a threshold may be chosen on, and those that are left to evaluate.
 *
 * @param isDevelopment - tells them apart.
 * @throws {ConfigError} where all samples are on one side: tau is not chosen on what it is
 *   evaluated on.
 */
export function splitForCalibration(
  samples: readonly JudgedSample[],
  isDevelopment: (sample: JudgedSample) => boolean,
): { readonly development: JudgedSample[]; readonly test: JudgedSample[] } {
  const labelled = samples.filter(({ gold }) => gold !== null);
  const development = labelled.filter(isDevelopment);
  const test = labelled.filter((sample) => !isDevelopment(sample));
  if (development.length > 0 && test.length > 0) return { development, test };
  throw new ConfigError(
    `widedeep-eval/calibrate: ${development.length} development samples and ${test.length} to ` +
      'evaluate; tau is not chosen on the samples that it is evaluated on.',
    { help: 'name some samples for development, not all: --dev-share 0.2 or --dev FILE of ids.' },
  );
}

/** The samples with mean scores and a label, as {@link calibrateTau} takes them. */
export function scoredSamples(
  samples: readonly JudgedSample[],
  scope: 'all' | 'last',
): ScoredSample[] {
  return samples.flatMap(({ aggregates, gold }) => {
    const mean = scope === 'all' ? aggregates.avgAll : aggregates.avgLast;
    return mean === null || gold === null ? [] : [{ difference: mean.U - mean.V, gold }];
  });
}
