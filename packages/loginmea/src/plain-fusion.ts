/**
 * Fusions without products of modalities, to compare the low-rank one with.
 */
import type { Random } from '@lab/core';
import {
  assertShape,
  linear,
  type Parameters,
  tf,
  torchLinear,
  torchLinearBias,
} from '@lab/tensor';
import { type PerModality, presentModalities } from './modalities.js';
import type { ModalityRows } from './modality-rows.js';
import { weightedRows } from './weighted-rows.js';

/** The layer of {@link concatenationFusion}: weight `[M D, D]` and bias `[D]`. */
export interface ConcatenationParameters {
  readonly weight: tf.Tensor2D;
  readonly bias: tf.Tensor1D;
}

/**
 * Weighted sum of the modalities of each entity.
 *
 * `f_i = sum_m alpha_im z_im / |z_im|`
 * Source: ablation "without low-rank fusion" of LoginMEA; equation not verified.
 *
 * @param rows - z_m of the M modalities, `[N, D]` each, or distinct ones.
 * @param weights - alpha, `[N, M]`, columns in the order of `presentModalities`.
 * @returns f, `[N, D]`; 0 for an entity without any modality.
 * @throws {ShapeError} when the shapes do not fit.
 * @throws {ConfigError} when there is no modality.
 */
export function sumFusion(rows: PerModality<ModalityRows>, weights: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => tf.addN(weightedRows(rows, weights)));
}

/**
 * The weighted modalities of each entity side by side, through one linear layer.
 *
 * `f_i = [ alpha_im z_im / |z_im| ]_m W + b`
 * Source: ablation "without low-rank fusion" of LoginMEA; equation not verified.
 *
 * @param rows - z_m of the M modalities, `[N, D]` each, or distinct ones.
 * @param weights - alpha, `[N, M]`, columns in the order of `presentModalities`.
 * @returns f, `[N, D]`; b for an entity without any modality.
 * @throws {ShapeError} when the shapes do not fit.
 * @throws {ConfigError} when there is no modality.
 */
export function concatenationFusion(
  rows: PerModality<ModalityRows>,
  weights: tf.Tensor2D,
  { weight, bias }: ConcatenationParameters,
): tf.Tensor2D {
  const { D: size } = assertShape(bias, 'D', 'bias');
  assertShape(weight, `${presentModalities(rows).length * size!} ${size}`, 'weight');
  return tf.tidy(() => linear(tf.concat(weightedRows(rows, weights), 1), weight, bias));
}

/**
 * Adds `concatenation.weight` and `concatenation.bias`, each drawn from the stream of its own name.
 *
 * Starts: as `torch.nn.Linear`, weight and bias uniform in `+-1 / sqrt(M D)`.
 *
 * @param sizes - M and D.
 */
export function addConcatenationParameters(
  parameters: Parameters,
  [modalityCount, size]: readonly [number, number],
  random: Random,
): void {
  const shape = [modalityCount * size, size] as const;
  const [weight, bias] = ['concatenation.weight', 'concatenation.bias'] as const;
  parameters.add(weight, torchLinear(shape, random.fork(weight)));
  parameters.add(bias, torchLinearBias(shape, random.fork(bias)));
}

/** The layer of {@link concatenationFusion} among the parameters of a model. */
export function concatenationParameters(
  parameters: Pick<Parameters, 'get'>,
): ConcatenationParameters {
  return {
    weight: parameters.get('concatenation.weight') as tf.Tensor2D,
    bias: parameters.get('concatenation.bias') as tf.Tensor1D,
  };
}
