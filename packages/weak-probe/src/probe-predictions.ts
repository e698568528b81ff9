/**
 * What probes say of rows.
 */
import type { SharedSamples } from './probe-input.js';
import type { SplitPredictions } from './probe-scores.js';
import type { Probe, ProbeKind } from './probes.js';
import type { StateStore } from './state-store.js';

/** What a probe said of a test row. */
export interface ProbePrediction {
  readonly state: number;
  readonly probe: ProbeKind;
  /** Place of the split, from 0. */
  readonly split: number;
  readonly id: string;
  readonly label: string;
  readonly predicted: string;
  /** Scores, see `Probe.margins`; six digits. */
  readonly margins: readonly number[];
}

/** Predictions with all scores, `[M, O]`. */
export interface RowPredictions extends SplitPredictions {
  readonly scores: Float64Array;
}

/** What a probe says of some rows of the state it was fitted at. */
export function predictRows(
  probe: Probe,
  rows: Int32Array,
  { labels }: Pick<SharedSamples, 'labels'>,
): RowPredictions {
  const scores = probe.margins(rows);
  return {
    predicted: probe.predict(scores),
    actual: Int32Array.from(rows, (row) => labels[row]!),
    margins: probe.classes.length === 2 ? scores : null,
    scores,
  };
}

/** Whose predictions {@link predictionLines} writes. */
export interface PredictionPlace {
  readonly store: Pick<StateStore, 'about' | 'rows'>;
  readonly state: number;
  readonly kind: ProbeKind;
  readonly split: number;
  readonly test: Int32Array;
}

/** Predictions of test rows, one a row. */
export function predictionLines(
  { predicted, scores }: RowPredictions,
  { store, state, kind, split, test }: PredictionPlace,
): ProbePrediction[] {
  const outputs = scores.length / test.length;
  const { classes } = store.about;
  return Array.from(test, (row, at) => ({
    ...{ state, probe: kind, split, id: store.rows[row]!.id, label: store.rows[row]!.label },
    predicted: classes[predicted[at]!]!,
    margins: Array.from(scores.subarray(at * outputs, (at + 1) * outputs), sixDigits),
  }));
}

/** Enough for curves and thresholds, and a file that can be read. */
const sixDigits = (value: number): number => Number(value.toPrecision(6));
