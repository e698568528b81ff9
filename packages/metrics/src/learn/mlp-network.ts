import type { FeatureMatrix } from './feature-matrix.js';
import { type ProductSide, productsOf } from './gram.js';

/** Weights and biases of a perceptron with one hidden layer. */
export interface MlpParameters {
  /** `[H, F]`. */
  readonly hiddenWeights: Float64Array;
  /** `[H]`. */
  readonly hiddenBiases: Float64Array;
  /** `[O, H]`. */
  readonly outputWeights: Float64Array;
  /** `[O]`. */
  readonly outputBiases: Float64Array;
}

/** `max(0, X W^T + b)`, `[B, H]`. */
export function hiddenLayer(
  { hiddenWeights, hiddenBiases }: Pick<MlpParameters, 'hiddenWeights' | 'hiddenBiases'>,
  batch: ProductSide,
): Float64Array {
  const hidden = hiddenBiases.length;
  const weights = { rowCount: hidden, columnCount: batch.columnCount, values: hiddenWeights };
  const active = productsOf(batch, weights);
  for (let at = 0; at < active.length; at += 1) {
    active[at] = Math.max(0, active[at]! + hiddenBiases[at % hidden]!);
  }
  return active;
}

/** Logits, `[B, O]`, of the hidden units' values, `[B, H]`. */
export function outputLayer(
  { outputWeights, outputBiases }: Pick<MlpParameters, 'outputWeights' | 'outputBiases'>,
  active: Float64Array,
): Float64Array {
  const outputs = outputBiases.length;
  const hidden = outputWeights.length / outputs;
  const logits = productsOf(
    { rowCount: active.length / hidden, columnCount: hidden, values: active },
    { rowCount: outputs, columnCount: hidden, values: outputWeights },
  );
  for (let at = 0; at < logits.length; at += 1) logits[at]! += outputBiases[at % outputs]!;
  return logits;
}

/**
 * Probabilities of logits: of the second class where there is one output, else of each class.
 *
 * @param logits - `[B, O]`.
 * @returns `[B, O]`: the logistic function of one output, the softmax of several.
 */
export function logitProbabilities(logits: Float64Array, outputs: number): Float64Array {
  if (outputs === 1) return logits.map((logit) => 1 / (1 + Math.exp(-logit)));
  const out = new Float64Array(logits.length);
  for (let from = 0; from < logits.length; from += outputs) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let o = 0; o < outputs; o += 1) largest = Math.max(largest, logits[from + o]!);
    let sum = 0;
    for (let o = 0; o < outputs; o += 1) {
      out[from + o] = Math.exp(logits[from + o]! - largest);
      sum += out[from + o]!;
    }
    for (let o = 0; o < outputs; o += 1) out[from + o]! /= sum;
  }
  return out;
}

/** Loss summed over a batch, nats, and its gradients, those of the penalty not among them. */
export interface BatchGradients {
  readonly loss: number;
  /** Means over the batch. */
  readonly gradients: MlpParameters;
}

/** All rows of a training, as they are and turned: batches are read from both, not copied. */
export interface TurnedRows {
  /** `[N, F]`. */
  readonly rows: FeatureMatrix;
  /** `[F, N]`. */
  readonly turned: FeatureMatrix;
}

/** Rows together with their transpose. */
export const turnRows = (rows: FeatureMatrix): TurnedRows => ({ rows, turned: transposed(rows) });

/** Some rows, and the places of their classes. */
export interface Batch {
  /** `[B]`. */
  readonly indices: Int32Array;
  /** `[B]`. */
  readonly places: ArrayLike<number>;
  /** Memory for the gradient of the hidden weights, `[H, F]`, used again by each batch. */
  readonly memory?: Float64Array | undefined;
}

/** Log-loss of a batch and its gradients. */
export function batchGradients(
  parameters: MlpParameters,
  { rows, turned }: TurnedRows,
  { indices, places, memory }: Batch,
): BatchGradients {
  const outputs = parameters.outputBiases.length;
  const hidden = parameters.hiddenBiases.length;
  const count = indices.length;
  const active = hiddenLayer(parameters, { ...rows, rows: indices });
  const { loss, errors } = lossOf(outputLayer(parameters, active), places, outputs);
  const hiddenErrors = backErrors(errors, active, parameters);
  const units = transposed({ rowCount: count, columnCount: hidden, values: active });
  return {
    loss,
    gradients: {
      hiddenWeights: productsOf(
        meanErrors(hiddenErrors, hidden),
        { ...turned, columns: indices },
        { into: memory },
      ),
      hiddenBiases: columnMeans(hiddenErrors, hidden),
      outputWeights: productsOf(meanErrors(errors, outputs), units),
      outputBiases: columnMeans(errors, outputs),
    },
  };
}

/** The summed log-loss, and `probability - target`, `[B, O]`. */
function lossOf(logits: Float64Array, places: ArrayLike<number>, outputs: number) {
  const errors = logitProbabilities(logits, outputs);
  let loss = 0;
  for (let row = 0; row < places.length; row += 1) {
    for (let o = 0; o < outputs; o += 1) {
      const at = row * outputs + o;
      const isTarget = outputs === 1 ? places[row] === 1 : places[row] === o;
      const p = Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, errors[at]!));
      if (isTarget) loss -= Math.log(p);
      else if (outputs === 1) loss -= Math.log(1 - p);
      if (isTarget) errors[at]! -= 1;
    }
  }
  return { loss, errors };
}

/** Errors of the hidden units, `[B, H]`: zero where a unit is silent. */
function backErrors(
  errors: Float64Array,
  active: Float64Array,
  { outputWeights, outputBiases }: MlpParameters,
): Float64Array {
  const outputs = outputBiases.length;
  const hidden = outputWeights.length / outputs;
  const out = new Float64Array(active.length);
  for (let at = 0; at < active.length; at += 1) {
    if (active[at] === 0) continue;
    const row = Math.floor(at / hidden);
    const unit = at - row * hidden;
    let sum = 0;
    for (let o = 0; o < outputs; o += 1) {
      sum += errors[row * outputs + o]! * outputWeights[o * hidden + unit]!;
    }
    out[at] = sum;
  }
  return out;
}

/** Errors over the size of the batch, turned: `E^T / B`, `[units, B]`. */
function meanErrors(errors: Float64Array, units: number): FeatureMatrix {
  const rowCount = errors.length / units;
  const values = errors.map((error) => error / rowCount);
  return transposed({ rowCount, columnCount: units, values });
}

/** Columns that are turned together: what one line of the cache holds. */
const TURN = 8;

function transposed({ rowCount, columnCount, values }: FeatureMatrix): FeatureMatrix {
  const out = new Float64Array(values.length);
  for (let first = 0; first < columnCount; first += TURN) {
    const end = Math.min(first + TURN, columnCount);
    for (let row = 0; row < rowCount; row += 1) {
      const from = row * columnCount;
      for (let column = first; column < end; column += 1) {
        out[column * rowCount + row] = values[from + column]!;
      }
    }
  }
  return { rowCount: columnCount, columnCount: rowCount, values: out };
}

function columnMeans(errors: Float64Array, columns: number): Float64Array {
  const out = new Float64Array(columns);
  const rows = errors.length / columns;
  for (let at = 0; at < errors.length; at += 1) out[at % columns]! += errors[at]! / rows;
  return out;
}
