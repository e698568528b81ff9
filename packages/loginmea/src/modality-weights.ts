/**
 * How much each modality counts for each entity, and which of them an entity has at all.
 */
import { type Random, ShapeError } from '@lab/core';
import { assertShape, type Parameters, softmax, tf, torchLinear } from '@lab/tensor';
import { type PerModality, presentModalities } from './modalities.js';
import { assertModalityRows, mapRows, type ModalityRows, rowsOfEntities } from './modality-rows.js';

/** Where the weights come from: the entity's own vectors, or nowhere. */
export type WeightSource = 'entity' | 'uniform';

/** Subtracted from the score of a modality that an entity lacks: its exponential is 0. */
const ABSENT = 1e9;

/**
 * Scores of the modalities of each entity.
 *
 * `score_im = q . tanh(z_im)`, q shared by all modalities, no bias.
 * Source: sutaoyu/LoginMEA, `src/models.py`, `AdaptiveLMFusion`; equation not verified.
 *
 * @param rows - z_m of the M modalities at hand, `[N, D]` each, or distinct ones.
 * @param query - q, `[D]`.
 * @returns `[N, M]`, columns in the order of `presentModalities`.
 * @throws {ShapeError} when the shapes do not fit.
 * @throws {ConfigError} when there is no modality.
 */
export function modalityScores(rows: PerModality<ModalityRows>, query: tf.Tensor1D): tf.Tensor2D {
  const present = presentModalities(rows);
  let sizes = assertShape(query, 'D', 'query');
  for (const modality of present) sizes = assertModalityRows(rows[modality]!, modality, sizes);
  return tf.tidy(() => {
    const column = tf.reshape(query, [-1, 1]) as tf.Tensor2D; // [D, 1]
    const scoreOf = (z: tf.Tensor2D): tf.Tensor2D => tf.matMul(tf.tanh(z), column);
    const scores = present.map((modality) => rowsOfEntities(mapRows(rows[modality]!, scoreOf)));
    return tf.concat(scores, 1) as tf.Tensor2D; // [N, M]
  });
}

/**
 * Weights of the modalities of each entity; a modality that the entity lacks gets 0.
 *
 * `alpha_i = softmax of score_i over the modalities that entity i has`; all 0 where it has none.
 * Source: sutaoyu/LoginMEA, `src/models.py`, `AdaptiveLMFusion`; equation not verified.
 * Deviation: the released code fills in what is missing and so has no mask; without `available`
 * the weights are those of that code.
 *
 * @param scores - `[N, M]`.
 * @param available - 1 where the entity has the modality, else 0, `[N, M]`; default all.
 * @returns alpha, `[N, M]`; a row sums to 1, or to 0 where nothing is available.
 * @throws {ShapeError} when the shapes differ.
 */
export function modalityWeights(
  scores: tf.Tensor2D,
  available: tf.Tensor2D | null = null,
): tf.Tensor2D {
  const sizes = assertShape(scores, 'N M', 'scores');
  if (available === null) return softmax(scores);
  assertShape(available, 'N M', 'available', sizes);
  return tf.tidy(() => {
    const lowered = tf.add(scores, tf.mul(tf.sub(available, 1), ABSENT)) as tf.Tensor2D;
    return tf.mul(softmax(lowered), available) as tf.Tensor2D;
  });
}

/**
 * The same weight for every modality that an entity has; a modality that it lacks gets 0.
 *
 * `alpha_im = 1 / (number of modalities that entity i has)`; all 0 where it has none.
 * Source: ablation "without modality weights" of LoginMEA; equation not verified.
 *
 * @param shape - N and M.
 * @param available - 1 where the entity has the modality, else 0, `[N, M]`; default all.
 * @returns alpha, `[N, M]`; a row sums to 1, or to 0 where nothing is available.
 * @throws {ShapeError} when the mask has another shape.
 */
export function uniformWeights(
  [entityCount, modalityCount]: readonly [number, number],
  available: tf.Tensor2D | null = null,
): tf.Tensor2D {
  if (available === null) return tf.fill([entityCount, modalityCount], 1 / modalityCount);
  assertShape(available, `${entityCount} ${modalityCount}`, 'available');
  return tf.tidy(() => {
    const counts = tf.maximum(tf.sum(available, 1, true), 1); // [N, 1]
    return tf.div<tf.Tensor2D>(available, counts);
  });
}

/**
 * The mask that weights and early fusion take, from flags per modality.
 *
 * @param entityCount - N.
 * @param flags - per modality at hand, `[N]`: 1 where an entity has it; null when all have it.
 * @returns `[N, M]` of 0 and 1, columns in the order of `presentModalities`.
 * @throws {ShapeError} when a modality has another number of flags than there are entities.
 * @throws {ConfigError} when there is no modality.
 */
export function availabilityMask(
  entityCount: number,
  flags: PerModality<Uint8Array | null>,
): tf.Tensor2D {
  const present = presentModalities(flags);
  const mask = new Float32Array(entityCount * present.length).fill(1);
  present.forEach((modality, column) => {
    const has = flags[modality] ?? null;
    if (has === null) return;
    if (has.length !== entityCount) {
      throw new ShapeError(
        `loginmea/modality-weights: ${modality} has ${has.length} flags for ${entityCount} ` +
          'entities.',
        { expected: `${entityCount}`, got: `${has.length}`, help: 'Give one flag per entity.' },
      );
    }
    has.forEach((flag, entity) => {
      mask[entity * present.length + column] = flag === 0 ? 0 : 1;
    });
  });
  return tf.tensor2d(mask, [entityCount, present.length]);
}

/**
 * Adds `modalityQuery`, q, from the stream of that name.
 *
 * Start: as a `torch.nn.Linear` from D to 1, uniform in `+-1 / sqrt(D)`.
 * Source: sutaoyu/LoginMEA, `src/models.py`, `AdaptiveLMFusion`; equation not verified.
 *
 * @param size - D.
 */
export function addModalityQuery(parameters: Parameters, size: number, random: Random): void {
  const start = torchLinear([size, 1], random.fork('modalityQuery'));
  parameters.add('modalityQuery', tf.reshape(start, [size]));
  start.dispose();
}
