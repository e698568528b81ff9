/**
 * The early multi-modal feature: the modalities side by side, with one weight each for all
 * entities.
 */
import { assertShape, l2NormalizeRows, ones, type Parameters, softmax, tf } from '@lab/tensor';
import { modalities, type PerModality, presentModalities } from './modalities.js';
import { assertModalityRows, mapRows, type ModalityRows, rowsOfEntities } from './modality-rows.js';

/**
 * Rows in which the modalities stand side by side.
 *
 * `g_i = [ w_m z_im / |z_im| ]_m`, `w = softmax(scores)` over all three scalars, also those of
 * modalities that the data lacks: their blocks are left out and the rest is that much shorter.
 * Source: sutaoyu/LoginMEA, `src/models.py`, `MultiModalFusion`; equation not verified.
 * Deviation: with `available` the block of a modality that the entity lacks is 0; the released code
 * fills in what is missing.
 *
 * @param rows - z_m of the M modalities at hand, `[N, D]` each, or distinct ones.
 * @param scores - one scalar per modality, `[3]`, in the order of `modalities`.
 * @param available - 1 where the entity has the modality, else 0, `[N, M]`; default all.
 * @returns g, `[N, M D]`, blocks in the order of `presentModalities`.
 * @throws {ShapeError} when the shapes do not fit.
 * @throws {ConfigError} when there is no modality.
 */
export function earlyFusion(
  rows: PerModality<ModalityRows>,
  scores: tf.Tensor1D,
  available: tf.Tensor2D | null = null,
): tf.Tensor2D {
  const present = presentModalities(rows);
  assertShape(scores, String(modalities.length), 'scores');
  let sizes: Record<string, number> = {};
  for (const modality of present) sizes = assertModalityRows(rows[modality]!, modality, sizes);
  if (available !== null) assertShape(available, `N ${present.length}`, 'available', sizes);
  return tf.tidy(() => {
    const shares = softmax(scores); // [3]
    const blocks = present.map((modality, column) => {
      const share = tf.slice(shares, modalities.indexOf(modality), 1); // [1]
      const scale = (z: tf.Tensor2D): tf.Tensor2D => tf.mul(l2NormalizeRows(z), share);
      const block = rowsOfEntities(mapRows(rows[modality]!, scale)); // [N, D]
      if (available === null) return block;
      return tf.mul<tf.Tensor2D>(block, tf.slice(available, [0, column], [-1, 1]));
    });
    return tf.concat(blocks, 1); // [N, M D]
  });
}

/**
 * Adds `earlyWeights`, the scalars of {@link earlyFusion}, all 1 at the start.
 *
 * Source: sutaoyu/LoginMEA, `src/models.py`, `MultiModalFusion`; equation not verified.
 */
export function addEarlyWeights(parameters: Parameters): void {
  parameters.add('earlyWeights', ones([modalities.length]));
}
