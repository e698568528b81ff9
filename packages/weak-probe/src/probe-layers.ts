/**
 * Fitted models in the form that scores single states: weights per feature, scaler worked in.
 */
import {
  type DualLinear,
  type FeatureMatrix,
  type MlpModel,
  primalWeights,
  type Scaler,
} from '@lab/metrics';
import type { HiddenLayer, LinearLayer } from './plain-probe.js';

/** What a linear model in the rows was fitted on. */
export interface FittedOn {
  /** `[N, D]`, as the model saw them. */
  readonly rows: FeatureMatrix;
  /** What the features went through before; null for none. */
  readonly scaler: Scaler | null;
  /** Whether outputs are of pairs of classes. */
  readonly isVote: boolean;
}

/** A linear model in the rows as weights of the features as collected. */
export function linearLayer(model: DualLinear, { rows, scaler, isVote }: FittedOn): LinearLayer {
  const weights = primalWeights(model, rows);
  const { intercepts } = model;
  const plain = unscaled({ weights, biases: intercepts }, scaler);
  return { form: 'linear', weights: plain.weights, intercepts: plain.biases, isVote };
}

/** A perceptron as weights of the features as collected. */
export function hiddenLayerOf(model: MlpModel, scaler: Scaler | null): HiddenLayer {
  const { hiddenWeights, hiddenBiases, outputWeights, outputBiases } = model;
  const plain = unscaled({ weights: hiddenWeights, biases: hiddenBiases }, scaler);
  return {
    ...{ form: 'mlp', hiddenWeights: plain.weights, hiddenBiases: plain.biases },
    ...{ outputWeights, outputBiases },
  };
}

interface Affine {
  /** `[O, D]`. */
  readonly weights: Float64Array;
  /** `[O]`. */
  readonly biases: Float64Array;
}

/** `w (x - mean) / scale + b` as `w' x + b'`. */
function unscaled({ weights, biases }: Affine, scaler: Scaler | null): Affine {
  if (scaler === null) return { weights, biases };
  const { means, scales } = scaler;
  const width = means.length;
  const scaled = weights.map((weight, at) => weight / scales[at % width]!);
  const shifted = biases.slice();
  for (let at = 0; at < scaled.length; at += 1) {
    shifted[Math.floor(at / width)]! -= scaled[at]! * means[at % width]!;
  }
  return { weights: scaled, biases: shifted };
}

/** What always says the same class: the most frequent one, the first of equal ones. */
export function majorityLayer(labels: ArrayLike<number>, classCount: number, width: number) {
  const counts = Array.from({ length: classCount }, () => 0);
  for (let row = 0; row < labels.length; row += 1) counts[labels[row]!]! += 1;
  const most = counts.indexOf(Math.max(...counts));
  const outputs = classCount === 2 ? 1 : classCount;
  const intercepts =
    outputs === 1 ? [most === 1 ? 1 : -1] : counts.map((_, place) => (place === most ? 1 : 0));
  const weights = new Float64Array(outputs * width);
  return { form: 'linear', weights, intercepts, isVote: false } satisfies LinearLayer;
}
