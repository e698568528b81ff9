/**
 * The randomness of one epoch: one draw per entity, modality and dimension, whatever the batches.
 *
 * The loss only looks at entities that occur in a seed pair, so only their rows are drawn; a row
 * is shared by every batch of the epoch, as if the whole graph had been sampled once.
 */
import type { Random } from '@lab/core';
import { dropout, gatherRows, tf } from '@lab/tensor';
import type { IbmeaConfig, Modality } from './config.js';
import type { DropoutSource } from './encoders.js';
import { fusedSize } from './fusion.js';
import { modalitySize } from './model.js';

/** Draws for a set of entities. */
export interface EpochNoise {
  /** Rows `[B, d_m]` of the draws of these entities, or null where that posterior has none. */
  rows(posterior: Modality | 'joint', entities: Int32Array): tf.Tensor2D | null;
  dispose(): void;
}

/**
 * Fresh draws for the entities that an epoch needs.
 *
 * Normal for the graph; uniform on [0, 1) for the other modalities when the config says
 * `official`, as the released code calls `rand`.
 *
 * @param entities - distinct entities that will be asked for.
 * @param random - the epoch's noise stream.
 */
export function drawNoise(
  config: IbmeaConfig['model'],
  present: readonly Modality[],
  entities: Int32Array,
  random: Random,
): EpochNoise {
  const position = new Map(Array.from(entities, (entity, row) => [entity, row]));
  const draws = new Map<Modality | 'joint', tf.Tensor2D>();
  const draw = (name: Modality | 'joint', size: number) => {
    const values = new Float32Array(entities.length * size);
    const stream = random.fork(name);
    if (config.noise === 'official' && name !== 'graph') stream.fillUniform(values);
    else stream.fillNormal(values);
    draws.set(name, tf.tensor2d(values, [entities.length, size]));
  };
  for (const modality of present) {
    if (config.bottlenecks.includes(modality)) draw(modality, modalitySize(modality, config));
  }
  if (config.jointBottleneck) draw('joint', fusedSize(present, config));
  return {
    rows: (posterior, wanted) => {
      const drawn = draws.get(posterior);
      if (drawn === undefined) return null;
      const rows = tf.tensor1d(
        Int32Array.from(wanted, (entity) => position.get(entity)!),
        'int32',
      );
      const gathered = gatherRows(drawn, rows);
      rows.dispose();
      return gathered;
    },
    dispose: () => draws.forEach((drawn) => drawn.dispose()),
  };
}

/** Dropout of one epoch: the same mask whenever the same network is run again in that epoch. */
export function epochDropout(rate: number, random: Random): DropoutSource {
  if (rate === 0) return (x) => x;
  const seeds = {
    graphMean: random.fork('graphMean').seed32(),
    graphScale: random.fork('graphScale').seed32(),
  };
  return (x, encoder) => dropout(x, rate, seeds[encoder]) as tf.Tensor2D;
}
