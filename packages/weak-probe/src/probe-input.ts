/**
 * Rows of one state as probes take them, with what all probes of the state share.
 */
import { DataError } from '@lab/core';
import {
  type FeatureMatrix,
  fitScaler,
  gramMatrix,
  scaleRows,
  type Scaler,
  selectRows,
} from '@lab/metrics';

/** Rows of one state and their classes. */
export interface StateSamples {
  /** `[N, D]`. */
  readonly rows: FeatureMatrix;
  /** Class of each row as its place among the classes, `[N]`. */
  readonly labels: Int32Array;
}

/** Samples with the inner products of all pairs of rows: computed once, and only when asked for. */
export interface SharedSamples extends StateSamples {
  /** `[N, N]`. */
  gram(): Float64Array;
  /** Whether no feature varies beyond rounding: such rows say nothing. */
  readonly isDegenerate: boolean;
}

/** Samples that remember their inner products. */
export function shareSamples({ rows, labels }: StateSamples): SharedSamples {
  let gram: Float64Array | undefined;
  return { rows, labels, isDegenerate: !hasSpread(rows), gram: () => (gram ??= gramMatrix(rows)) };
}

/** Whether a feature varies beyond rounding; the first one that does ends the search. */
function hasSpread({ rowCount, columnCount, values }: FeatureMatrix): boolean {
  for (let f = 0; f < columnCount; f += 1) {
    const column = Float64Array.from(
      { length: rowCount },
      (_, row) => values[row * columnCount + f]!,
    );
    const { constantCount } = fitScaler({ rowCount, columnCount: 1, values: column });
    if (constantCount === 0) return true;
  }
  return false;
}

/** All rows in units of the mean and deviation of the training rows. */
export interface ScaledSamples extends SharedSamples {
  readonly scaler: Scaler;
}

/** Samples standardised on some of their rows. */
export function scaleSamples({ rows, labels }: StateSamples, train: Int32Array): ScaledSamples {
  const scaler = fitScaler(selectRows(rows, train));
  const scaled = shareSamples({ rows: scaleRows(scaler, rows), labels });
  return { ...scaled, scaler };
}

/**
 * Nothing, when all numbers of a state are finite.
 *
 * @throws {DataError} naming prompt and state of the first that is not.
 */
export function assertFiniteState(
  rows: Float32Array,
  {
    state,
    width,
    ids,
  }: { readonly state: number; readonly width: number; readonly ids: readonly string[] },
): void {
  for (let at = 0; at < rows.length; at += 1) {
    if (Number.isFinite(rows[at])) continue;
    const row = Math.floor(at / width);
    throw new DataError(`weak-probe/probe: ${ids[row]}, state ${state}: a value is ${rows[at]}.`, {
      help: 'the file of the state is damaged, or the model overflows: collect it again.',
      details: { state, row, prompt: ids[row] },
    });
  }
}
