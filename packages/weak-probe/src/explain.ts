/**
 * Weak-to-strong explanation: how well small probes tell classes of prompts apart, state by state.
 */
import { fisherRatio, silhouette } from '@lab/metrics';
import type { Config } from './config.js';
import { assertFiniteState, shareSamples, type SharedSamples } from './probe-input.js';
import { type ProbePrediction, predictionLines, predictRows } from './probe-predictions.js';
import { accuracyOf, type PredictionScores, scorePredictions } from './probe-scores.js';
import { fitProbe, type ProbeKind, trainingRows } from './probes.js';
import { type RandomLabels, randomLabelScores } from './random-labels.js';
import { leakedCount, makeSplits, type Split } from './split.js';
import { assertState, type StateStore } from './state-store.js';

/** A probe at a state. */
export interface StateProbe extends PredictionScores {
  readonly probe: ProbeKind;
  readonly trainAccuracy: number;
  readonly converged: boolean;
  /** The same probe on shuffled labels; null for `mlp`, which would take as long again. */
  readonly randomLabels: RandomLabels | null;
  /** Accuracy less that on random labels; null without those. */
  readonly selectivity: number | null;
}

/** All probes of a state. */
export interface StateReport {
  /** 0..L: behind so many blocks. */
  readonly state: number;
  /** `state - 1`, as charts of the released code count: -1 is the embedding. */
  readonly block: number;
  /** Whether all rows are the same: then probes say the most frequent class. */
  readonly degenerateFeatures: boolean;
  /** Separation of the classes with no probe: mean silhouette, -1..1. */
  readonly silhouette: number;
  /** Spread of class means over spread within classes; null where no class varies. */
  readonly fisherRatio: number | null;
  readonly probes: readonly StateProbe[];
}

/** A state that is done. */
export interface ExplainedState {
  readonly report: StateReport;
  readonly predictions: readonly ProbePrediction[];
}

/** A split as results name it. */
export interface SplitReport {
  readonly name: string;
  readonly trainCount: number;
  readonly testCount: number;
  /** Test rows whose text is in the training set as well. */
  readonly leakedCount: number;
}

/** What {@link explainStates} reads. */
export interface ExplainOptions {
  readonly store: StateStore;
  readonly config: Config;
  /** States that are explained; default all. */
  readonly states?: readonly number[] | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called before each probe of a state. */
  readonly onProgress?:
    | ((at: { readonly state: number; readonly probe: ProbeKind; readonly split: string }) => void)
    | undefined;
}

/** The divisions of the rows of a store; equal texts stay together in mode `corrected`. */
export function splitsOf({ store, config }: Pick<ExplainOptions, 'config' | 'store'>): Split[] {
  const { about, labels, rows } = store;
  // The released code divides rows, duplicates and all; tokens of a prompt always stay together.
  const isGrouped = config.data.deduplicate || about.positions === 'tokens';
  const groups = isGrouped ? rows.map(({ promptSha256 }) => promptSha256) : undefined;
  const settings = { ...config.split, seed: config.seed };
  return makeSplits({ labels, classes: about.classes, groups }, settings);
}

/** Different rows that the splits predict, for intervals. */
export const predictedCount = (
  { store, config }: Pick<ExplainOptions, 'config' | 'store'>,
  splits: readonly Split[],
): number => (config.split.folds > 0 ? store.rowCount : splits[0]!.test.length);

/** What results say of the splits. */
export function splitReports({ rows }: StateStore, splits: readonly Split[]): SplitReport[] {
  const texts = rows.map(({ promptSha256 }) => promptSha256);
  return splits.map((split) => ({
    name: split.name,
    ...{ trainCount: split.train.length, testCount: split.test.length },
    leakedCount: leakedCount(split, texts),
  }));
}

/** The settings that probes depend on: where they are the same, a stopped work goes on. */
export const explainSettings = ({ seed, split, probe, svm, mlp, data }: Config) => ({
  ...{ seed, split, probe, svm, mlp, deduplicate: data.deduplicate },
});

/**
 * Fits and measures the probes of `config.probe.kinds` at each state, one state after the other.
 *
 * One matrix of inner products a state serves all splits, labels and linear probes. The rows of a
 * state are in memory while it is explained, and no others.
 *
 * @throws {ConfigError} for a state out of range.
 * @throws {DataError} for values that are not finite, naming prompt and state; for rows that
 *   cannot be divided.
 */
export async function* explainStates(options: ExplainOptions): AsyncGenerator<ExplainedState> {
  const { store, states = Array.from({ length: store.stateCount }, (_, state) => state) } = options;
  for (const state of states) assertState(state, store.stateCount);
  const splits = splitsOf(options);
  for (const state of states) {
    options.signal?.throwIfAborted();
    yield await explainState(options, splits, state);
  }
}

async function explainState(
  options: ExplainOptions,
  splits: readonly Split[],
  state: number,
): Promise<ExplainedState> {
  const { store } = options;
  const { labels } = store;
  const samples = await readSamples(store, state);
  const measured = await measureProbes({ options, samples, splits, state });
  const ratio = samples.isDegenerate ? 0 : fisherRatio(samples.gram(), labels);
  return {
    report: {
      ...{ state, block: state - 1, degenerateFeatures: samples.isDegenerate },
      silhouette: samples.isDegenerate ? 0 : silhouette(samples.gram(), labels),
      fisherRatio: Number.isFinite(ratio) ? ratio : null,
      probes: measured.map(({ report }) => report),
    },
    predictions: measured.flatMap(({ predictions }) => predictions),
  };
}

/**
 * Rows and classes of a state.
 *
 * @throws {DataError} for values that are not finite, naming prompt and state.
 */
export async function readSamples(store: StateStore, state: number): Promise<SharedSamples> {
  const { width, rowCount, labels, rows } = store;
  const values = await store.readState(state);
  assertFiniteState(values, { state, width, ids: rows.map(({ id }) => id) });
  return shareSamples({ rows: { rowCount, columnCount: width, values }, labels });
}

/** A state at work. */
interface StateWork {
  readonly options: ExplainOptions;
  readonly samples: SharedSamples;
  readonly splits: readonly Split[];
  readonly state: number;
}

/** What the splits gave for one kind of probe so far. */
interface Tally {
  readonly tested: ReturnType<typeof predictRows>[];
  readonly trained: number[];
  readonly predictions: ProbePrediction[];
  converged: boolean;
}

async function measureProbes(work: StateWork) {
  const { options, samples, splits, state } = work;
  const { store, config, signal, onProgress } = options;
  const { classes } = store.about;
  const tallies = config.probe.kinds.map((kind) => {
    const tally: Tally = { tested: [], trained: [], predictions: [], converged: true };
    return { kind, tally };
  });
  let control = new Map<ProbeKind, RandomLabels>();
  for (const [at, split] of splits.entries()) {
    const rows = trainingRows(samples, classes, split.train);
    for (const { kind, tally } of tallies) {
      onProgress?.({ state, probe: kind, split: split.name });
      const probe = await fitProbe(kind, rows, { settings: config, signal });
      const tested = predictRows(probe, split.test, samples);
      tally.tested.push(tested);
      tally.trained.push(accuracyOf(predictRows(probe, split.train, samples)));
      tally.converged &&= probe.converged;
      const place = { store, state, kind, split: at, test: split.test };
      tally.predictions.push(...predictionLines(tested, place));
    }
    if (at === 0 && config.probe.controls) {
      onProgress?.({ state, probe: config.probe.kinds[0]!, split: 'random labels' });
      control = await randomLabelScores(rows, { split, settings: config, state, signal });
    }
  }
  const rowCount = predictedCount(options, splits);
  return tallies.map(({ kind, tally }) => {
    const scores = scorePredictions(tally.tested, classes, { rowCount });
    const randomLabels = control.get(kind) ?? null;
    const report: StateProbe = {
      ...{ probe: kind, ...scores, converged: tally.converged, randomLabels },
      trainAccuracy: tally.trained.reduce((sum, value) => sum + value, 0) / splits.length,
      selectivity: randomLabels === null ? null : scores.accuracy - randomLabels.accuracy,
    };
    return { report, predictions: tally.predictions };
  });
}
