/**
 * What every fusion starts from: the modalities of each entity at length 1, times their weights.
 */
import { assertShape, l2NormalizeRows, tf } from '@lab/tensor';
import { type PerModality, presentModalities } from './modalities.js';
import { assertModalityRows, mapRows, type ModalityRows, weightedRowsOf } from './modality-rows.js';

/**
 * `alpha_im z_im / |z_im|`, `[N, D]` for each modality, in the order of `presentModalities`.
 *
 * @param rows - z_m of the M modalities, `[N, D]` each, or distinct ones.
 * @param weights - alpha, `[N, M]`.
 * @throws {ShapeError} when the shapes do not fit.
 * @throws {ConfigError} when there is no modality.
 */
export function weightedRows(rows: PerModality<ModalityRows>, weights: tf.Tensor2D): tf.Tensor2D[] {
  const present = presentModalities(rows);
  let sizes = assertShape(weights, `N ${present.length}`, 'weights');
  for (const modality of present) sizes = assertModalityRows(rows[modality]!, modality, sizes);
  return present.map((modality, column) => {
    const share = tf.slice(weights, [0, column], [-1, 1]); // [N, 1]
    return weightedRowsOf(mapRows(rows[modality]!, l2NormalizeRows), share);
  });
}
