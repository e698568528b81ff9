/**
 * Probes of a whole collection, with controls: what `weak-probe probe` writes.
 */
import type { Collection } from './collection.js';
import type { Config } from './config.js';
import {
  type ControlScores,
  strongestControl,
  type TextControl,
  textBaselines,
} from './controls.js';
import { type Emergence, emergence } from './emergence.js';
import {
  type ExplainedState,
  type ExplainOptions,
  explainSettings,
  explainStates,
  predictedCount,
  type SplitReport,
  splitReports,
  splitsOf,
  type StateReport,
} from './explain.js';
import { type HeadProbes, headProbes } from './head-probes.js';
import type { LearningPoint } from './learning-curve.js';
import type { ProbePrediction } from './probe-predictions.js';
import type { ProbeKind } from './probes.js';
import { openRecordFile } from './record-file.js';
import { assertState } from './state-store.js';

/** Probes of the states of a collection. */
export interface ProbeResult {
  readonly model: { readonly path: string; readonly fingerprint: string };
  readonly format: string;
  readonly classes: readonly { readonly label: string; readonly count: number }[];
  readonly settings: ReturnType<typeof explainSettings>;
  readonly splits: readonly SplitReport[];
  /** What texts alone tell, on the same splits; empty without `probe.controls`. */
  readonly controls: readonly ControlScores[];
  /** The control with the highest accuracy; null without controls. */
  readonly strongestControl: TextControl | null;
  readonly states: readonly StateReport[];
  /** Where each probe surely beats the strongest control; empty without controls. */
  readonly emergence: readonly Emergence[];
  /** What may make figures look better or worse than they are. */
  readonly warnings: readonly string[];
  /** Heads one by one, of a collection of what heads give. */
  readonly heads?: HeadProbes | undefined;
  /** Accuracy by the number of training rows, of a probe at its best state, where asked for. */
  readonly learning?: LearningCurve | undefined;
}

/** A probe at a state with more and more training rows. */
export interface LearningCurve {
  readonly probe: ProbeKind;
  readonly state: number;
  readonly points: readonly LearningPoint[];
}

/** What {@link probeCollection} reads. */
export interface ProbeCollectionOptions
  extends Pick<ExplainOptions, 'onProgress' | 'signal' | 'states'> {
  readonly collection: Collection;
  readonly config: Config;
  /** File where states are kept as they are done; a call that was ended goes on from there. */
  readonly recordPath?: string | undefined;
}

/** Result and predictions of a collection. */
export interface ProbedCollection {
  readonly result: ProbeResult;
  readonly predictions: readonly ProbePrediction[];
}

/**
 * Explains the states of a collection and sets text baselines beside them.
 *
 * @throws as `explainStates`.
 */
export async function probeCollection(options: ProbeCollectionOptions): Promise<ProbedCollection> {
  const { collection, config } = options;
  const { store } = collection;
  const splits = splitsOf({ store, config });
  const controls = config.probe.controls ? controlsOf(collection, config) : [];
  const strongest = strongestControl(controls);
  const explained = await explainAll(options);
  const states = explained.map(({ report }) => report);
  const reports = splitReports(store, splits);
  const { states: wanted, signal } = options;
  const heads = await headProbes({ store, config, states: wanted, signal });
  const result: ProbeResult = {
    model: { path: store.about.model.path, fingerprint: store.about.model.fingerprint },
    format: store.about.format,
    classes: store.about.classes.map((label, place) => ({
      label,
      count: store.labels.filter((own) => own === place).length,
    })),
    settings: explainSettings(config),
    splits: reports,
    controls,
    strongestControl: strongest?.control ?? null,
    states,
    emergence:
      strongest === null
        ? []
        : emergence(states, {
            baseline: strongest.accuracy,
            rowCount: predictedCount({ store, config }, splits),
          }),
    warnings: warningsOf(states, reports, store.labels, store.about.classes),
    ...(heads !== null && { heads }),
  };
  return { result, predictions: explained.flatMap(({ predictions }) => predictions) };
}

async function explainAll(options: ProbeCollectionOptions): Promise<ExplainedState[]> {
  const { collection, config, recordPath, signal, onProgress } = options;
  const { store } = collection;
  const wanted = options.states ?? Array.from({ length: store.stateCount }, (_, state) => state);
  for (const state of wanted) assertState(state, store.stateCount);
  const settings = { ...explainSettings(config), prompts: store.about.promptsSha256 };
  const file =
    recordPath === undefined ? null : openRecordFile<ExplainedState>(recordPath, settings);
  const done = new Map((file?.records ?? []).map((one) => [one.report.state, one]));
  const states = wanted.filter((state) => !done.has(state));
  for await (const one of explainStates({ store, config, states, signal, onProgress })) {
    done.set(one.report.state, one);
    file?.append(one);
  }
  return wanted.map((state) => done.get(state)!);
}

function controlsOf({ store, prompts }: Collection, config: Config): ControlScores[] {
  const textOf = new Map(prompts.map(({ id, prompt }) => [id, prompt]));
  const splits = splitsOf({ store, config });
  const texts = store.rows.map(({ id }) => textOf.get(id) ?? '');
  const rowCount = predictedCount({ store, config }, splits);
  return textBaselines({ texts, labels: store.labels, classes: store.about.classes }, splits, {
    rowCount,
  });
}

/** Rows of a class from which on a share means something. */
const FEW = 10;

function warningsOf(
  states: readonly StateReport[],
  splits: readonly SplitReport[],
  labels: Int32Array,
  classes: readonly string[],
): string[] {
  const leaked = splits.reduce((sum, split) => sum + split.leakedCount, 0);
  const few = classes.filter((_, place) => labels.filter((own) => own === place).length < FEW);
  const alike = states.filter((one) => one.degenerateFeatures).map(({ state }) => state);
  const stopped = states.filter(({ probes }) => probes.some(({ converged }) => !converged));
  return [
    ...(few.length > 0 ? [`${few.join(', ')}: fewer than ${FEW} rows`] : []),
    ...(leaked > 0 ? [`${leaked} test rows have their text in the training set as well`] : []),
    ...(alike.length > 0 ? [`state ${alike.join(', ')}: all rows are the same`] : []),
    ...(stopped.length > 0
      ? [`state ${stopped.map(({ state }) => state).join(', ')}: a solver was stopped early`]
      : []),
  ];
}
