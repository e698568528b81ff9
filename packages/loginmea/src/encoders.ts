/**
 * Uni-modal encoders: from the features of one modality to vectors of the common width.
 */
import type { Random } from '@lab/core';
import {
  assertShape,
  type CsrTensors,
  csrMatMul,
  linear,
  type Parameters,
  tf,
  torchLinear,
  torchLinearBias,
} from '@lab/tensor';
import type { Modality } from './modalities.js';

/** Features of all entities, `[N, F]`: dense (images), or sparse (relations, attributes). */
export type Features = CsrTensors | tf.Tensor2D;

/** Weight `[F, D]` and bias `[D]` of one encoder. */
export interface EncoderParameters {
  readonly weight: tf.Tensor2D;
  readonly bias: tf.Tensor1D;
}

/** Widths of one encoder. */
export interface EncoderSize {
  readonly modality: Modality;
  /** Columns of the features, F. */
  readonly featureCount: number;
  /** Width of the vectors, D: the same for all modalities, as the fusion multiplies them. */
  readonly size: number;
}

/**
 * Vectors of one modality, without a non-linearity.
 *
 * `z_m = x_m W_m + b_m`
 * Source: sutaoyu/LoginMEA, `src/models.py`, `MultiModalEncoderMrFusion`; equation not verified.
 *
 * @param features - x_m, `[N, F]`.
 * @returns z_m, `[N, D]`.
 * @throws {ShapeError} when features, weight and bias do not fit each other.
 */
export function encodeModality(
  features: Features,
  { weight, bias }: EncoderParameters,
): tf.Tensor2D {
  const isDense = features instanceof tf.Tensor;
  const featureCount = isDense ? features.shape[1] : features.columnCount;
  const sizes = assertShape(weight, `${featureCount} D`, 'weight');
  assertShape(bias, 'D', 'bias', sizes);
  if (isDense) return linear(features, weight, bias);
  return tf.tidy(() => tf.add<tf.Tensor2D>(csrMatMul(features, weight), bias));
}

/**
 * Adds `<modality>.weight` and `<modality>.bias`, each drawn from the stream of its own name.
 *
 * Starts: as `torch.nn.Linear`, weight and bias uniform in `+-1 / sqrt(F)`.
 * Source: sutaoyu/LoginMEA, `src/models.py`, `MultiModalEncoderMrFusion`; equation not verified.
 */
export function addEncoderParameters(
  parameters: Parameters,
  { modality, featureCount, size }: EncoderSize,
  random: Random,
): void {
  const shape = [featureCount, size] as const;
  const [weight, bias] = [`${modality}.weight`, `${modality}.bias`];
  parameters.add(weight, torchLinear(shape, random.fork(weight)));
  parameters.add(bias, torchLinearBias(shape, random.fork(bias)));
}

/** The encoder of one modality among the parameters of a model. */
export function encoderParameters(
  parameters: Pick<Parameters, 'get'>,
  modality: Modality,
): EncoderParameters {
  return {
    weight: parameters.get(`${modality}.weight`) as tf.Tensor2D,
    bias: parameters.get(`${modality}.bias`) as tf.Tensor1D,
  };
}
