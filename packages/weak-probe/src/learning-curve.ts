/**
 * How many prompts a probe needs: the same test rows, fewer and fewer training rows.
 */
import { ConfigError, createRandom } from '@lab/core';
import { type Interval, wilson } from '@lab/metrics';
import type { Config } from './config.js';
import { readSamples, splitsOf } from './explain.js';
import { predictRows } from './probe-predictions.js';
import { accuracyOf } from './probe-scores.js';
import { fitProbe, type ProbeKind, trainingRows } from './probes.js';
import { assertState, type StateStore } from './state-store.js';

/** A number of training rows, and how well a probe then does. */
export interface LearningPoint {
  readonly trainCount: number;
  /** Mean over the draws, on the test rows of the first split. */
  readonly accuracy: number;
  /** 95 %, Wilson, of that many test rows. */
  readonly interval: Interval;
  /** Accuracy of each draw of training rows. */
  readonly draws: readonly number[];
}

/** What {@link learningCurve} reads. */
export interface LearningCurveOptions {
  readonly store: StateStore;
  readonly config: Config;
  readonly state: number;
  readonly probe: ProbeKind;
  /** Training rows, all classes together, ascending; those beyond the training set are left out. */
  readonly counts: readonly number[];
  /** Draws of each number of rows; default 5. */
  readonly draws?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Accuracy of a probe by the number of training rows: each draw takes rows of the classes in turn,
 * and the rows of a smaller number are among those of a larger one.
 *
 * @throws {ConfigError} for a state out of range, and numbers below that of the classes.
 */
export async function learningCurve(options: LearningCurveOptions): Promise<LearningPoint[]> {
  const { store, config, state, probe: kind, counts, draws = 5, signal } = options;
  const { classes } = store.about;
  assertState(state, store.stateCount);
  const small = counts.find((count) => !(Number.isInteger(count) && count >= classes.length));
  if (small !== undefined) {
    throw new ConfigError(
      `weak-probe/learning: ${small} training rows of ${classes.length} classes.`,
      {
        help: 'give whole numbers, each at least one row a class.',
      },
    );
  }
  const samples = await readSamples(store, state);
  const { train, test } = splitsOf({ store, config })[0]!;
  const points: LearningPoint[] = [];
  for (const trainCount of counts.filter((count) => count <= train.length)) {
    const accuracies: number[] = [];
    for (let draw = 0; draw < draws; draw += 1) {
      const own = inTurn(train, samples.labels, { seed: config.seed, draw }).slice(0, trainCount);
      const rows = trainingRows(samples, classes, own);
      const probe = await fitProbe(kind, rows, { settings: config, signal });
      accuracies.push(accuracyOf(predictRows(probe, test, samples)));
    }
    const accuracy = accuracies.reduce((sum, value) => sum + value, 0) / draws;
    const interval = wilson(accuracy * test.length, test.length);
    points.push({ trainCount, accuracy, interval, draws: accuracies });
  }
  return points;
}

/** Rows in a random order in which the classes come in turn while they last. */
function inTurn(
  rows: Int32Array,
  labels: Int32Array,
  { seed, draw }: { readonly seed: number; readonly draw: number },
): Int32Array {
  const order = createRandom(seed).fork(`learning-curve/${draw}`).shuffle(Int32Array.from(rows));
  const rank = new Map<number, number>();
  const seen: number[] = [];
  for (const row of order) {
    const label = labels[row]!;
    rank.set(row, seen[label] ?? 0);
    seen[label] = (seen[label] ?? 0) + 1;
  }
  return order.sort((a, b) => rank.get(a)! - rank.get(b)! || labels[a]! - labels[b]!);
}
