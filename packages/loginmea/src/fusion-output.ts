/**
 * What may follow the fusion: nothing, a soft-max over features, or a layer normalisation.
 */
import { layerNorm, ones, type Parameters, softmax, type tf, zeros } from '@lab/tensor';

/** What follows the fusion. */
export type FusionOutput = 'none' | 'softmax' | 'layer-norm';

/**
 * The fused vectors as the joint encoder takes them.
 *
 * `softmax`: `exp(f_d) / sum_d' exp(f_d')` in each row; `layer-norm`: rows of mean 0 and variance
 * 1, then `gain * x + bias`.
 * Source: sutaoyu/LoginMEA, `src/models.py`, `AdaptiveLMFusion`, where both are switched off;
 * equation not verified.
 *
 * @param fused - f, `[N, D]`.
 * @param parameters - those of {@link addFusionOutput}.
 * @returns `[N, D]`; f itself for `none`.
 * @throws {ShapeError} when gain and bias have another length than D.
 */
export function fusionOutput(
  fused: tf.Tensor2D,
  kind: FusionOutput,
  parameters: Pick<Parameters, 'get'>,
): tf.Tensor2D {
  if (kind === 'softmax') return softmax(fused);
  if (kind === 'none') return fused;
  const gain = parameters.get('fusion.norm.gain') as tf.Tensor1D;
  const bias = parameters.get('fusion.norm.bias') as tf.Tensor1D;
  return layerNorm(fused, gain, bias);
}

/**
 * Adds `fusion.norm.gain`, all 1, and `fusion.norm.bias`, all 0, for the layer normalisation;
 * nothing for the other kinds.
 *
 * @param size - D.
 */
export function addFusionOutput(parameters: Parameters, size: number, kind: FusionOutput): void {
  if (kind !== 'layer-norm') return;
  parameters.add('fusion.norm.gain', ones([size]));
  parameters.add('fusion.norm.bias', zeros([size]));
}
