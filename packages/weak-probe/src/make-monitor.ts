/**
 * Monitors made of collected states.
 */
import { ConfigError, DataError } from '@lab/core';
import { auroc, expectedCalibrationError, fitPlatt, operatingPoint } from '@lab/metrics';
import type { Config } from './config.js';
import { readSamples, splitsOf } from './explain.js';
import type { MonitorBundle, MonitorQuality } from './monitor.js';
import type { PlainProbe, ProbeLayer } from './plain-probe.js';
import { type ProbePrediction, predictRows, type RowPredictions } from './probe-predictions.js';
import { accuracyOf } from './probe-scores.js';
import { fitProbe, type Probe, type ProbeKind, trainingRows } from './probes.js';
import { assertState, type StateStore } from './state-store.js';

/** What {@link makeMonitor} reads. */
export interface MakeMonitorOptions {
  readonly store: StateStore;
  readonly config: Config;
  /** State that is read. */
  readonly state: number;
  /** Default `svm`. */
  readonly probe?: ProbeKind | undefined;
  /** Share of the first class that may raise an alarm, 0..1; default .01. */
  readonly falsePositiveRate?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A monitor: a probe fitted on the training rows of the first split, its probabilities and its
 * threshold on half of the test rows, its quality on the other half.
 *
 * @throws {ConfigError} for other than two classes, a state out of range, or a probe without
 *   weights.
 * @throws {DataError} when a half of the test rows lacks a class.
 */
export async function makeMonitor(options: MakeMonitorOptions): Promise<MonitorBundle> {
  const { store, config, state, probe: kind = 'svm', signal } = options;
  const { classes } = store.about;
  assertState(state, store.stateCount);
  if (classes.length !== 2) {
    throw new ConfigError(
      `weak-probe/monitor: ${classes.length} classes; a monitor tells two apart.`,
      {
        help: 'collect with --classes NORMAL,HARMFUL: the second one raises the alarm.',
      },
    );
  }
  const samples = await readSamples(store, state);
  const split = splitsOf({ store, config })[0]!;
  const rows = trainingRows(samples, classes, split.train);
  const probe = await fitProbe(kind, rows, { settings: config, signal });
  const halves = [0, 1].map((half) => halfOf(split.test, samples.labels, half));
  const [chosen, measured] = halves.map((half) => predictRows(probe, half, samples));
  for (const half of [chosen!, measured!]) assertBoth(half, classes);
  const { slope, intercept } = plattOf(chosen!);
  const { threshold } = operatingPoint(chosen!.margins!, chosen!.actual, options.falsePositiveRate);
  const finite = Math.min(threshold, Math.max(...chosen!.scores) + 1);
  return {
    ...{ schemaVersion: 1, kind: 'weak-probe-monitor', ...placeOf(store), state },
    probe: storedProbe(probe),
    calibration: { slope, intercept },
    threshold: finite,
    quality: qualityOf(measured!, { slope, intercept, threshold: finite }),
  };
}

/** Whose best state {@link bestMonitorState} says. */
export type MonitorChoice = Pick<MakeMonitorOptions, 'config' | 'probe' | 'store'>;

/**
 * The state at which a probe is right most often on the half of the test rows that a monitor is set
 * on, the first of equal ones: the other half stays unseen for its quality.
 *
 * @param predictions - of the states, by `explainStates`.
 * @returns null where none are of this probe and these test rows.
 */
export function bestMonitorState(
  { store, config, probe = 'svm' }: MonitorChoice,
  predictions: readonly ProbePrediction[],
): number | null {
  const { test } = splitsOf({ store, config })[0]!;
  const chosen = new Set(halfOf(test, store.labels, 0));
  const own = predictions.filter((one) => one.probe === probe && one.split === 0);
  const states = [...new Set(own.map(({ state }) => state))].toSorted((a, b) => a - b);
  let best: { readonly state: number; readonly right: number } | null = null;
  for (const state of states) {
    const lines = own.filter((one) => one.state === state);
    const isSame = lines.every(({ id }, at) => id === store.rows[test[at] ?? -1]?.id);
    if (!isSame || lines.length !== test.length) return null;
    const right = lines.filter(
      ({ predicted, label }, at) => chosen.has(test[at]!) && predicted === label,
    ).length;
    if (best === null || right > best.right) best = { state, right };
  }
  return best?.state ?? null;
}

/** Every second row of each class. */
function halfOf(rows: Int32Array, labels: Int32Array, half: number): Int32Array {
  const seen = [0, 0];
  return rows.filter((row) => {
    const place = labels[row]!;
    seen[place]! += 1;
    return seen[place]! % 2 === half;
  });
}

function assertBoth({ actual }: RowPredictions, classes: readonly string[]): void {
  const missing = classes.findIndex((_, place) => !Array.from(actual).includes(place));
  if (missing < 0) return;
  throw new DataError(`weak-probe/monitor: too few test rows of class ${classes[missing]}.`, {
    help: 'collect more prompts, or take a larger share for the test (split.testShare).',
  });
}

function plattOf({ margins, actual }: RowPredictions) {
  const { parameters } = fitPlatt(margins!, actual);
  if (parameters.kind === 'platt') return parameters;
  throw new ConfigError('weak-probe/monitor: probabilities have the wrong form.');
}

interface Decision {
  readonly slope: number;
  readonly intercept: number;
  readonly threshold: number;
}

function qualityOf(
  measured: RowPredictions,
  { slope, intercept, threshold }: Decision,
): MonitorQuality {
  const { actual, scores } = measured;
  const shareAbove = (label: number) => {
    const own = scores.filter((_, at) => actual[at] === label);
    return own.filter((score) => score >= threshold).length / own.length;
  };
  const probabilities = scores.map((score) => 1 / (1 + Math.exp(-(slope * score + intercept))));
  return {
    rowCount: actual.length,
    accuracy: accuracyOf(measured),
    auroc: auroc(scores, actual),
    ...{ truePositiveRate: shareAbove(1), falsePositiveRate: shareAbove(0) },
    ece: expectedCalibrationError(probabilities, actual).ece,
  };
}

function placeOf({ about }: StateStore) {
  const { model, tokenizerFingerprint, format, system, normalisation } = about;
  const { site, positions, isNormed } = about;
  return {
    model: { path: model.path, fingerprint: model.fingerprint },
    ...{ tokenizerFingerprint, format, system, normalisation, site, positions, isNormed },
  };
}

/** Nine digits, as many as a float32 has. */
const digits = (values: ArrayLike<number>): number[] =>
  Array.from(values, (value) => Number(value.toPrecision(9)));

function storedProbe(probe: Probe): PlainProbe {
  const { kind, classes, width, layer } = probe.plain();
  return { kind, classes: [...classes], width, layer: storedLayer(layer) };
}

function storedLayer(layer: ProbeLayer): ProbeLayer {
  if (layer.form === 'linear') {
    const { weights, intercepts, isVote } = layer;
    return { form: 'linear', weights: digits(weights), intercepts: digits(intercepts), isVote };
  }
  return {
    form: 'mlp',
    hiddenWeights: digits(layer.hiddenWeights),
    hiddenBiases: digits(layer.hiddenBiases),
    outputWeights: digits(layer.outputWeights),
    outputBiases: digits(layer.outputBiases),
  };
}
